// Dropout of channels: y = x * scale where the channel's draw is at least `probability`, else
// x * 0. The draws are those of images of one position each.
//
// With QUADS an invocation takes four positions of four channels, otherwise one position.

#import wgrad::common::linear_index
#import wgrad::draws::{Source, draws_of_vec}

const LENGTH: u32 = #{LENGTH}; // invocations
const CHANNELS: u32 = #{CHANNELS};
const POSITIONS: u32 = #{POSITIONS};
const VECS: u32 = (CHANNELS + 3) / 4;
#ifdef QUADS
const TOGETHER: u32 = 4; // positions of an invocation
#else
const TOGETHER: u32 = 1;
#endif
override probability: f32;
override scale: f32; // 1 / (1 - probability)
override stream: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> state: array<vec4u>; // micro-batch, unused, seed low, seed high
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    let v = i % VECS;
    let first = i / VECS * TOGETHER; // position within the whole batch
    let sample = first / POSITIONS;
    let draws = draws_of_vec(sample * VECS + v, Source(CHANNELS, 1, stream, state[0]));
    let factor = select(vec4f(), vec4f(scale), draws >= vec4f(probability));
    for (var p = first; p < first + TOGETHER; p++) {
        y[p * VECS + v] = x[p * VECS + v] * factor;
    }
}
