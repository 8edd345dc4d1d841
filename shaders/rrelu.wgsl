// RReLU in training: y = x where x > 0, else slope * x, with slope = lower + width * draw for every
// element. GRAD: dx = dy, or slope * dy with the same draw. NaN goes the first way.
//
// With QUADS an invocation takes four positions of four channels, which draw together; otherwise
// one position.

#import wgrad::common::linear_index
#import wgrad::draws::{Source, draws_of_quad, draws_of_vec}

const LENGTH: u32 = #{LENGTH}; // invocations
const CHANNELS: u32 = #{CHANNELS};
const POSITIONS: u32 = #{POSITIONS};
const VECS: u32 = (CHANNELS + 3) / 4;
override lower: f32;
override width: f32;
override stream: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> state: array<vec4u>; // micro-batch, unused, seed low, seed high
#ifdef GRAD
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4f>;
#else
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
#endif

fn rectify(at: u32, draws: vec4f) {
    let slope = select(vec4f(1.0), lower + width * draws, x[at] <= vec4f());
#ifdef GRAD
    dx[at] = slope * dy[at];
#else
    y[at] = slope * x[at];
#endif
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    let source = Source(CHANNELS, POSITIONS, stream, state[0]);
#ifdef QUADS
    let v = i % VECS;
    let quad = i / VECS; // within the whole batch
    let draws = draws_of_quad(quad, v, source);
    for (var p = 0u; p < 4; p++) {
        rectify((4 * quad + p) * VECS + v, draws[p]);
    }
#else
    rectify(i, draws_of_vec(i, source));
#endif
}
