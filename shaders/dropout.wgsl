// Inverted dropout: y = x * scale where the draw is at least `probability`, else x * 0.
//
// There is a draw for every element; BY_CHANNEL for every channel of a sample; BY_SAMPLE for every
// sample, or with BATCH one for all. They are numbered as the elements of a batch that has no more
// of them. With QUADS an invocation takes four positions of four channels, whose elements draw
// together; otherwise one position.

#import wgrad::common::linear_index
#import wgrad::draws::{Source, draws_of_quad, draws_of_vec}

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
override scale: f32; // 1 / (1 - probability), 0 if all are dropped
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
    let v = i % VECS;
    let first = i / VECS * TOGETHER; // position within the whole batch
    let sample = first / POSITIONS;
#ifdef BY_CHANNEL
    let draws = draws_of_vec(sample * VECS + v, Source(CHANNELS, 1, stream, state[0]));
#endif
#ifdef BY_SAMPLE
#ifdef BATCH
    let drawn = 0u;
#else
    let drawn = sample;
#endif
    let draws = vec4f(draws_of_vec(drawn, Source(1, 1, stream, state[0])).x);
#endif
#ifdef BY_ELEMENT
    let source = Source(CHANNELS, POSITIONS, stream, state[0]);
#ifdef QUADS
    let draws = draws_of_quad(i / VECS, v, source);
    for (var p = 0u; p < 4; p++) {
        drop_some((first + p) * VECS + v, draws[p]);
    }
#else
    drop_some(i, draws_of_vec(i, source));
#endif
#else
    for (var p = first; p < first + TOGETHER; p++) {
        drop_some(p * VECS + v, draws);
    }
#endif
}
