// Stochastic depth: y = x * scale where the sample's draw is at least `probability`, else x * 0.
//
// Sample n takes lane n % 4 of philox(counter = (n / 4, step, stream, 0), key = seed), so that the
// backward pass and the host draw the same ones; with BATCH all samples take the draw of the first.

#import wgrad::philox::{philox4x32_10, uniform01}
#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const SAMPLE: u32 = #{SAMPLE}; // vec4s of a sample
override probability: f32;
override scale: f32; // 1 / (1 - probability), 0 if all are dropped
override stream: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> state: array<vec4u>; // step, unused, seed low, seed high
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
#ifdef BATCH
    let number = 0u;
#else
    let number = i / SAMPLE;
#endif
    let words = philox4x32_10(vec4u(number / 4, state[0].x, stream, 0), state[0].zw);
    let draw = uniform01(words)[number % 4];
    y[i] = x[i] * select(0.0, scale, draw >= probability);
}
