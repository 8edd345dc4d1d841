// Inverted dropout: y = x * scale where the element's draw is at least `probability`, else x * 0.
//
// With QUADS an invocation takes four positions of four channels, which draw together; otherwise
// one position.

#import wgrad::common::linear_index
#import wgrad::draws::{Source, draws_of_quad, draws_of_vec}

const LENGTH: u32 = #{LENGTH}; // invocations
const CHANNELS: u32 = #{CHANNELS};
const POSITIONS: u32 = #{POSITIONS};
const VECS: u32 = (CHANNELS + 3) / 4;
override probability: f32;
override scale: f32; // 1 / (1 - probability)
override stream: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> state: array<vec4u>; // micro-batch, unused, seed low, seed high
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

fn drop_some(at: u32, draws: vec4f) {
    y[at] = x[at] * select(vec4f(), vec4f(scale), draws >= vec4f(probability));
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
        drop_some((4 * quad + p) * VECS + v, draws[p]);
    }
#else
    drop_some(i, draws_of_vec(i, source));
#endif
}
