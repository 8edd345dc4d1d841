#define_import_path wgrad::draws

// A random number in [0, 1) for every element of a batch.
//
// The numbers follow the element's place in the whole batch in the order sample, channel,
// position, whatever the order in memory (sample, position, channel): element e takes lane e % 4
// of philox(counter = (e / 4, micro-batch, stream, 0), key = seed). So the backward pass and the
// host draw the same ones, and none is kept. Lanes beyond the last channel get zero.

#import wgrad::philox::{philox4x32_10, uniform01}

struct Source {
    channels: u32,
    positions: u32, // of a sample
    stream: u32,
    state: vec4u, // micro-batch, unused, seed low, seed high
}

fn block_of_four(block: u32, source: Source) -> vec4f {
    let bits = philox4x32_10(vec4u(block, source.state.x, source.stream, 0u), source.state.zw);
    return uniform01(bits);
}

// For vec4 i: four channels of one position. It uses what it can of each block of four.
fn draws_of_vec(i: u32, source: Source) -> vec4f {
    let vecs = (source.channels + 3u) / 4u;
    let v = i % vecs;
    let position = i / vecs % source.positions;
    let sample = i / (vecs * source.positions);
    var result = vec4f();
    var block = 0u;
    var numbers = vec4f();
    for (var lane = 0u; lane < 4u; lane++) {
        let channel = 4u * v + lane;
        if channel < source.channels {
            let element = (sample * source.channels + channel) * source.positions + position;
            if lane == 0u || element / 4u != block {
                block = element / 4u;
                numbers = block_of_four(block, source);
            }
            result[lane] = numbers[element % 4u];
        }
    }
    return result;
}

// For vec4 v of four neighbouring positions, a column each; `quad` counts them within the whole
// batch, and the positions of a sample are a multiple of four. Four numbers come at a time, for
// four positions of one channel.
fn draws_of_quad(quad: u32, v: u32, source: Source) -> mat4x4f {
    let quads = source.positions / 4u;
    var by_channel = mat4x4f(); // a column: one channel, four positions
    for (var lane = 0u; lane < 4u; lane++) {
        let channel = 4u * v + lane;
        if channel < source.channels {
            let plane = quad / quads * source.channels + channel;
            by_channel[lane] = block_of_four(plane * quads + quad % quads, source);
        }
    }
    return transpose(by_channel);
}
