// The gradients of PReLU in one pass over x and dy.
//
//   dx     = dy where x > 0, else a * dy
//   dalpha = sum over batch and positions of dy * min(0, x)   (SHARED: over channels too)
//
// DX and DALPHA say which of them are wanted. Invocation k takes the vec4s k, k + THREADS,
// k + 2 * THREADS, ...: neighbours read neighbouring memory, and because THREADS is a multiple of
// VECS each stays on its channels. Their sums go to `partials`, which sum_partials.wgsl adds up.
// Without DALPHA, THREADS is LENGTH and each takes one vec4.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const VECS: u32 = #{VECS}; // vec4s of one position; a shared slope needs none
const THREADS: u32 = #{THREADS};

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
#ifdef DX
@group(0) @binding(2) var<storage, read> alpha: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4f>;
#endif
#ifdef DALPHA
@group(0) @binding(4) var<storage, read_write> partials: array<vec4f>;
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let thread = linear_index(id, groups);
    if thread >= THREADS {
        return;
    }
#ifdef DX
#ifdef SHARED
    let slope = vec4f(alpha[0].x);
#else
    let slope = alpha[thread % VECS];
#endif
#endif
    var sum = vec4f();
    for (var i = thread; i < LENGTH; i += THREADS) {
        let value = x[i];
        let delta = dy[i];
        let positive = value > vec4f();
#ifdef DX
        dx[i] = select(slope * delta, delta, positive);
#endif
        sum += select(value * delta, vec4f(), positive);
    }
#ifdef DALPHA
    partials[thread] = sum;
#endif
}
