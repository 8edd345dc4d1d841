// The last changes of augmented images: contrast, saturation, what is covered, normalisation.
//
//   CONTRAST    x = f x + (1 - f) * the mean of the image's grey
//   SATURATION  x = f x + (1 - f) * the pixel's grey
//   result      (x - mean[c]) / std[c]
//
// Cutout covers with 0; what is erased becomes 0, or before normalisation `fill`, or with RANDOM a
// random number.

#import wgrad::common::linear_index
#ifdef RANDOM
#import wgrad::philox::{philox4x32_10, uniform01}
#endif

const LENGTH: u32 = #{LENGTH}; // vec4s
const CHANNELS: u32 = #{CHANNELS};
const PIXELS: u32 = #{PIXELS};
const WIDTH: u32 = #{WIDTH};
const VECS: u32 = (CHANNELS + 3u) / 4u;

override white: f32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> changes: array<vec4f>; // five a sample
@group(0) @binding(2) var<storage, read> scales: array<vec4f>; // scale, mean, 1 / std
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;
#ifdef CONTRAST
@group(0) @binding(4) var<storage, read> means: array<vec4f>; // of every channel of a sample
#endif
#ifdef RANDOM
@group(0) @binding(5) var<storage, read> step: array<u32>; // micro-batch, that of the epoch, seed
const STREAM: u32 = #{STREAM};
#endif
#ifdef FILL
override fill: f32;
#endif

// The grey of red, green and blue.
fn grey(colour: vec4f) -> f32 {
    return dot(colour.xyz, vec3f(0.2989, 0.587, 0.114));
}

fn blend(colour: vec4f, other: f32, factor: f32) -> vec4f {
    return clamp(factor * colour + (1.0 - factor) * other, vec4f(), vec4f(white));
}

#ifdef CONTRAST
// The mean of an image's grey, which is the grey of its mean.
fn mean_grey(n: u32) -> f32 {
    if CHANNELS == 3u {
        return grey(means[n]);
    }
    var sum = 0.0;
    for (var v = 0u; v < VECS; v++) {
        sum += dot(means[n * VECS + v], vec4f(1.0));
    }
    return sum / f32(CHANNELS);
}
#endif

// The channels from `first` on; padding is zero.
fn normalised(colour: vec4f, first: u32) -> vec4f {
    var values = vec4f();
    for (var lane = 0u; lane < min(4u, CHANNELS - first); lane++) {
        let s = scales[first + lane];
        values[lane] = (colour[lane] - s.y) * s.z;
    }
    return values;
}

fn is_inside(place: vec2f, box: vec4f) -> bool {
    return place.x >= box.x && place.x < box.y && place.y >= box.z && place.y < box.w;
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
    let factors = changes[5u * n + 2u];
    var colour = x[i];
#ifdef CONTRAST
    colour = blend(colour, mean_grey(n), factors.y);
#endif
#ifdef SATURATION
    colour = blend(colour, grey(colour), factors.z);
#endif
    let place = vec2f(vec2u(pixel / WIDTH, pixel % WIDTH));
#ifdef RANDOM
    let block = 8u + i % (PIXELS * VECS);
    let drawn = philox4x32_10(vec4u(n, step[0], STREAM, block), vec2u(step[2], step[3]));
    let filling = normalised(white * uniform01(drawn), first);
#else ifdef FILL
    let filling = normalised(vec4f(fill), first);
#else
    let filling = vec4f();
#endif
    let values = select(normalised(colour, first), vec4f(), is_inside(place, changes[5u * n + 3u]));
    result[i] = select(values, filling, is_inside(place, changes[5u * n + 4u]));
}
