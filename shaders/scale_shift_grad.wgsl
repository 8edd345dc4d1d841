// The gradients of scale and shift in one pass over x and dy.
//
//   dx      = weight[c] * dy
//   dweight = sum over batch and positions of dy * x
//   dbias   = sum over batch and positions of dy
//
// DX and SUMS say which of them are wanted. Invocation k takes the vec4s k, k + THREADS,
// k + 2 * THREADS, ...: neighbours read neighbouring memory, and because THREADS is a multiple of
// VECS each stays on its channels. Their sums go to the partials, which sum_partials.wgsl adds up.
// Without SUMS, THREADS is LENGTH and each takes one vec4.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const VECS: u32 = #{VECS}; // vec4s of one position
const THREADS: u32 = #{THREADS};

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
#ifdef DX
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;
#endif
#ifdef SUMS
@group(0) @binding(3) var<storage, read> x: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> weight_partials: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> bias_partials: array<vec4f>;
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let thread = linear_index(id, groups);
    if thread >= THREADS {
        return;
    }
#ifdef DX
    let factor = weight[thread % VECS];
#endif
    var dweight = vec4f();
    var dbias = vec4f();
    for (var i = thread; i < LENGTH; i += THREADS) {
        let delta = dy[i];
#ifdef DX
        dx[i] = factor * delta;
#endif
#ifdef SUMS
        dweight += delta * x[i];
        dbias += delta;
#endif
    }
#ifdef SUMS
    weight_partials[thread] = dweight;
    bias_partials[thread] = dbias;
#endif
}
