// Stochastic depth: y = x * scale where the sample's draw is at least `probability`, else x * 0.
//
// The draws are those of samples of one element each; with BATCH all take the draw of the first.

#import wgrad::common::linear_index
#import wgrad::draws::{Source, draws_of_vec}

const LENGTH: u32 = #{LENGTH}; // vec4s
const SAMPLE: u32 = #{SAMPLE}; // vec4s of a sample
override probability: f32;
override scale: f32; // 1 / (1 - probability), 0 if all are dropped
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
#ifdef BATCH
    let sample = 0u;
#else
    let sample = i / SAMPLE;
#endif
    let draw = draws_of_vec(sample, Source(1, 1, stream, state[0])).x;
    y[i] = x[i] * select(0.0, scale, draw >= probability);
}
