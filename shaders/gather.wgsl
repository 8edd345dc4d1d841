// The batch at hand from a data set on the device:
//
//   result[n,p,c] = (samples[order[n], c, p] * scale - mean[c]) / std[c]
//
// with pixels p and channels c. Samples lie in PyTorch's order, channels outermost, as bytes or
// as floats; the result has its channels innermost, padded with zeros.

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

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    let first = i % VECS * 4u;
    let pixel = i / VECS % PIXELS;
    let n = i / VECS / PIXELS;
    let begin = order[step[1] * BATCH + n] * CHANNELS * PIXELS;
    var values = vec4f();
    for (var lane = 0u; lane < min(4u, CHANNELS - first); lane++) {
        let c = first + lane;
        let s = scales[c];
        values[lane] = (sample(begin + c * PIXELS + pixel) * s.x - s.y) * s.z;
    }
    result[i] = values;
}
