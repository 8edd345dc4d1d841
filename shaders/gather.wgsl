// The batch at hand from a data set on the device:
//
//   result[n,p,c] = (samples[order[n], c, p] * scale - mean[c]) / std[c]
//
// with pixels p and channels c. Samples lie in PyTorch's order, channels outermost, as bytes or
// as floats; the result has its channels innermost, padded with zeros.
//
// With MOVED each pixel comes from where augment_draw.wgsl says, interpolated between four with
// BILINEAR; outside the image are zeros, or with EDGE its edge goes on. UNFINISHED leaves the
// normalisation to augment_finish.wgsl.

#import wgrad::common::linear_index

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

fn sample(i: u32) -> f32 {
#ifdef BYTES
    return f32(samples[i / 4u] >> (i % 4u * 8u) & 255u);
#else
    return samples[i];
#endif
}

#ifdef MOVED
@group(0) @binding(5) var<storage, read> changes: array<vec4f>; // five a sample

const WIDTH: u32 = #{WIDTH};
const SIZE = vec2i(i32(PIXELS / WIDTH), i32(WIDTH)); // rows, columns

#ifdef BRIGHTNESS
override white: f32;
#endif

// Where in the image the pixel comes from.
fn origin(pixel: u32, n: u32) -> vec2f {
    let place = vec2f(vec2u(pixel / WIDTH, pixel % WIDTH)) - 0.5 * vec2f(SIZE - 1);
    let row = changes[5u * n];
    let column = changes[5u * n + 1u];
    return vec2f(dot(row.xy, place) + row.z, dot(column.xy, place) + column.z);
}

// What lies at `place`, in the plane of a channel that begins at `plane`.
fn at(place: vec2i, plane: u32) -> f32 {
    let nearest = clamp(place, vec2i(), SIZE - 1);
    let value = sample(plane + u32(nearest.x) * WIDTH + u32(nearest.y));
#ifdef EDGE
    return value;
#else
    return select(0.0, value, all(nearest == place));
#endif
}

fn moved(place: vec2f, plane: u32) -> f32 {
#ifdef BILINEAR
    let first = floor(place);
    let share = place - first;
    let corner = vec2i(first);
    let above = (1.0 - share.y) * at(corner, plane) + share.y * at(corner + vec2i(0, 1), plane);
    let below = (1.0 - share.y) * at(corner + vec2i(1, 0), plane)
        + share.y * at(corner + 1, plane);
    return (1.0 - share.x) * above + share.x * below;
#else
    return at(vec2i(place), plane);
#endif
}
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    let first = i % VECS * 4u;
    let pixel = i / VECS % PIXELS;
    let n = i / VECS / PIXELS;
#ifdef MOVED
    let place = origin(pixel, n);
    let brightness = changes[5u * n + 2u].x;
#endif
    let begin = order[step[1] * BATCH + n] * CHANNELS * PIXELS;
    var values = vec4f();
    for (var lane = 0u; lane < min(4u, CHANNELS - first); lane++) {
        let c = first + lane;
        let s = scales[c];
#ifdef MOVED
        var value = moved(place, begin + c * PIXELS) * s.x;
#ifdef BRIGHTNESS
        value = clamp(brightness * value, 0.0, white);
#endif
#else
        let value = sample(begin + c * PIXELS + pixel) * s.x;
#endif
#ifdef UNFINISHED
        values[lane] = value;
#else
        values[lane] = (value - s.y) * s.z;
#endif
    }
    result[i] = values;
}
