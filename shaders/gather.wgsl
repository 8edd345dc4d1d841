// The batch at hand from a data set on the device:
//
//   result[n,p,c] = (samples[order[n], c, p] * scale - mean[c]) / std[c]
//
// with pixels p and channels c. Samples lie in PyTorch's order, channels outermost, as bytes or
// as floats; the result has its channels innermost, padded with zeros.
//
// With AUGMENT each image is moved by up to PADDING rows and columns (zeros come in), mirrored
// where FLIP and chance say so, and covered with the mean in a square of SIDE pixels around a random
// one. src/data/augment.rs draws the same.

#import wgrad::common::linear_index
#ifdef AUGMENT
#import wgrad::philox::{mul_high, philox4x32_10}
#endif

const LENGTH: u32 = #{LENGTH}; // vec4s of the result
const BATCH: u32 = #{BATCH};
const CHANNELS: u32 = #{CHANNELS};
const PIXELS: u32 = #{PIXELS};
const VECS: u32 = (CHANNELS + 3u) / 4u;

#ifdef BYTES
@group(0) @binding(0) var<storage, read> samples: array<u32>; // four bytes a word
#else
@group(0) @binding(0) var<storage, read> samples: array<f32>;
#endif
@group(0) @binding(1) var<storage, read> scales: array<vec4f>; // scale, mean, 1 / std
@group(0) @binding(2) var<storage, read> order: array<u32>; // of all samples of the epoch
@group(0) @binding(3) var<storage, read> step: array<u32>; // step, batch of the epoch
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;

#ifdef AUGMENT
const HEIGHT: u32 = #{HEIGHT};
const WIDTH: u32 = #{WIDTH};
const PADDING: u32 = #{PADDING};
const FLIP: bool = #{FLIP} == 1;
const SIDE: u32 = #{SIDE};
const STREAM: u32 = #{STREAM};

// Where a pixel of the result comes from: its number, PIXELS for the padding, or more for what is
// covered.
fn origin(pixel: u32, n: u32) -> u32 {
    let key = vec2u(step[2], step[3]);
    let moves = philox4x32_10(vec4u(n, step[0], STREAM, 0u), key);
    let shift = mul_high(moves.xy, vec2u(2u * PADDING + 1u));
    let row = pixel / WIDTH;
    let column = pixel % WIDTH;
    if SIDE > 0u {
        let covers = philox4x32_10(vec4u(n, step[0], STREAM, 1u), key);
        let centre = mul_high(covers.xy, vec2u(HEIGHT, WIDTH));
        // The square begins SIDE / 2 before its centre; as u32, what lies before it is large.
        if row + SIDE / 2u - centre.x < SIDE && column + SIDE / 2u - centre.y < SIDE {
            return PIXELS + 1u;
        }
    }
    let mirrored = FLIP && moves.z >> 31u == 1u;
    let i = row + shift.x - PADDING;
    let j = select(column, WIDTH - 1u - column, mirrored) + shift.y - PADDING;
    return select(PIXELS, i * WIDTH + j, i < HEIGHT && j < WIDTH);
}
#endif

fn sample(i: u32) -> f32 {
#ifdef BYTES
    return f32(samples[i / 4u] >> (i % 4u * 8u) & 255u);
#else
    return samples[i];
#endif
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    let first = i % VECS * 4u;
    let pixel = i / VECS % PIXELS;
    let n = i / VECS / PIXELS;
#ifdef AUGMENT
    let place = origin(pixel, n);
#else
    let place = pixel;
#endif
    let begin = order[step[1] * BATCH + n] * CHANNELS * PIXELS;
    var values = vec4f();
    for (var lane = 0u; lane < min(4u, CHANNELS - first); lane++) {
        let c = first + lane;
        let s = scales[c];
        let raw = select(0.0, sample(begin + c * PIXELS + min(place, PIXELS - 1u)), place < PIXELS);
        values[lane] = (raw * s.x - s.y) * s.z;
    }
    result[i] = select(values, vec4f(), place > PIXELS);
}
