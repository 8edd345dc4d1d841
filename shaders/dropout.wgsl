// Inverted dropout: y = x * scale where the element's draw is at least `probability`, else x * 0.
//
// The draws are numbered by the element's place in the whole batch in the order sample, channel,
// position, whatever the order in memory (sample, position, channel): element e takes lane e % 4
// of philox(counter = (e / 4, step, stream, 0), key = seed). So the backward pass and the host
// draw the same ones, and no mask is kept.
//
// Four numbers come at a time, for four neighbouring positions of one channel. With QUADS an
// invocation therefore takes four positions of four channels; otherwise one position, and it
// uses what it can of each block of four.

#import wgrad::philox::{philox4x32_10, uniform01}
#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // invocations
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

fn factor(bits: vec4u) -> vec4f {
    return select(vec4f(), vec4f(scale), uniform01(bits) >= vec4f(probability));
}

#ifdef QUADS
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    let v = i % VECS;
    let quad = i / VECS; // within the whole batch
    let sample = quad / (POSITIONS / 4);
    var by_channel = mat4x4f(); // a column: one channel, four positions
    for (var lane = 0u; lane < 4; lane++) {
        let channel = 4 * v + lane;
        if channel < CHANNELS {
            let plane = sample * CHANNELS + channel;
            let block = plane * (POSITIONS / 4) + quad % (POSITIONS / 4);
            by_channel[lane] = factor(draw(block));
        }
    }
    let by_position = transpose(by_channel);
    for (var p = 0u; p < 4; p++) {
        let at = (4 * quad + p) * VECS + v;
        y[at] = x[at] * by_position[p];
    }
}
#else
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    let v = i % VECS;
    let position = i / VECS % POSITIONS;
    let sample = i / (VECS * POSITIONS);
    var bits = vec4u();
    var block = 0u;
    var words = vec4u();
    for (var lane = 0u; lane < 4; lane++) {
        let channel = 4 * v + lane;
        if channel < CHANNELS {
            let element = (sample * CHANNELS + channel) * POSITIONS + position;
            if lane == 0 || element / 4 != block {
                block = element / 4;
                words = draw(block);
            }
            bits[lane] = words[element % 4];
        }
    }
    y[i] = x[i] * factor(bits);
}
#endif
