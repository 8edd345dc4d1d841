// The gradients of PReLU in one pass over x and dy.
//
//   dx     = dy where x > 0, else a * dy
//   dalpha = sum over batch and positions of dy * min(0, x)   (SHARED: over channels too)
//   dbias  = sum over batch and positions of dx: the gradient of a bias before the PReLU
//
// DX, DALPHA and DBIAS say which of them are wanted. POOLED says that a max pooling follows the
// PReLU, and that dy is the gradient of its result; with TILED windows are gone through in place of
// vec4s, so that what the pooling kept is loaded once for each. Invocation k takes the vec4s k, k + THREADS,
// k + 2 * THREADS, ...: neighbours read neighbouring memory, and because THREADS is a multiple of
// VECS each stays on its channels. Their sums go to `partials`, which sum_partials.wgsl adds up.
// Without DALPHA, THREADS is LENGTH and each takes one vec4.

#import wgrad::common::linear_index
#ifdef TILED
#import wgrad::max_pool_route::{AREA, corner_of, delta_of, distance_to, winner_of}
#else ifdef POOLED
#import wgrad::max_pool_route::routed
#endif

const LENGTH: u32 = #{LENGTH}; // vec4s, or windows
const VECS: u32 = #{VECS}; // vec4s of one position; a shared slope may say 1
const THREADS: u32 = #{THREADS};

// Bindings 0 and 1 are those of the pooling.
#ifndef POOLED
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
#endif
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
#ifdef DX
@group(0) @binding(3) var<storage, read> alpha: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dx: array<vec4f>;
#endif
#ifdef DALPHA
@group(0) @binding(5) var<storage, read_write> partials: array<vec4f>;
#endif
#ifdef DBIAS
@group(0) @binding(6) var<storage, read_write> bias_partials: array<vec4f>;
#endif

// Stores dx of a vec4; returns its terms of dalpha and dbias.
fn pass_back(at: u32, delta: vec4f, slope: vec4f) -> array<vec4f, 2> {
    let value = x[at];
    let positive = value > vec4f();
    var before = vec4f();
#ifdef DX
    before = select(slope * delta, delta, positive);
    dx[at] = before;
#endif
    return array(select(value * delta, vec4f(), positive), before);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let thread = linear_index(id, groups);
    if thread >= THREADS {
        return;
    }
    var slope = vec4f();
#ifdef DX
#ifdef SHARED
    slope = vec4f(alpha[0].x);
#else
    slope = alpha[thread % VECS];
#endif
#endif
    var sum = vec4f();
    var bias_sum = vec4f();
    for (var i = thread; i < LENGTH; i += THREADS) {
#ifdef TILED
        let delta = delta_of(i);
        let winner = winner_of(i);
        let corner = corner_of(i);
        // A loop that stays a loop, for no compiler knows the length: loads and stores take a CPU
        // driver long to compile.
        for (var place = 0u; place < min(AREA, arrayLength(&x)); place++) {
            let own = select(vec4f(), delta, winner == vec4u(place));
            let terms = pass_back(corner + distance_to(place), own, slope);
            sum += terms[0];
            bias_sum += terms[1];
        }
#else
#ifdef POOLED
        let delta = routed(i);
#else
        let delta = dy[i];
#endif
        let terms = pass_back(i, delta, slope);
        sum += terms[0];
        bias_sum += terms[1];
#endif
    }
#ifdef DALPHA
    partials[thread] = sum;
#endif
#ifdef DBIAS
    bias_partials[thread] = bias_sum;
#endif
}
