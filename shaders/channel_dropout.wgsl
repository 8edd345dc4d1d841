// Dropout of channels: y = x * scale where the channel's draw is at least `probability`, else
// x * 0.
//
// Channel c of sample n is number e = n * CHANNELS + c. It takes lane e % 4 of
// philox(counter = (e / 4, step, stream, 0), key = seed), so that the backward pass and the host
// draw the same ones, and no mask is kept.

#import wgrad::philox::{philox4x32_10, uniform01}
#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const CHANNELS: u32 = #{CHANNELS};
const POSITIONS: u32 = #{POSITIONS};
const VECS: u32 = (CHANNELS + 3) / 4;
override probability: f32;
override scale: f32; // 1 / (1 - probability)
override stream: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> state: array<vec4u>; // step, unused, seed low, seed high
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

fn draw(block: u32) -> vec4u {
    return philox4x32_10(vec4u(block, state[0].x, stream, 0), state[0].zw);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    // The four channels' numbers lie in one block of draws or in two.
    let first = i / (VECS * POSITIONS) * CHANNELS + 4 * (i % VECS);
    var words = draw(first / 4);
    var bits = words;
    if first % 4 != 0 {
        let next = draw(first / 4 + 1);
        for (var lane = 0u; lane < 4; lane++) {
            let word = first % 4 + lane;
            bits[lane] = select(next[word % 4], words[word % 4], word < 4);
        }
    }
    let kept = uniform01(bits) >= vec4f(probability);
    y[i] = x[i] * select(vec4f(), vec4f(scale), kept);
}
