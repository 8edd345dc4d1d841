// Absolute error, per sample, from the prediction p and the target t:
//
//   loss[n]  = factor * sum over i of |p[n,i] - t[n,i]|
//   delta[i] = delta_factor * sign(p[i] - t[i])
//
// CHUNKS invocations share a sample and take its vec4s in turn, so that neighbours read
// neighbours; sum_spans.wgsl adds their sums. With CHUNKS = 1 the sum is the sample's loss.
// Padding is zero on both sides and stays so.

#import wgrad::common::{is_nan, linear_index}

const SAMPLES: u32 = #{SAMPLES};
const VECS: u32 = #{VECS}; // vec4s in a sample
const CHUNKS: u32 = #{CHUNKS};
override factor: f32;

@group(0) @binding(0) var<storage, read> prediction: array<vec4f>;
@group(0) @binding(1) var<storage, read> truth: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
#ifdef DELTA
override delta_factor: f32;
@group(0) @binding(3) var<storage, read_write> delta: array<vec4f>;
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= SAMPLES * CHUNKS {
        return;
    }
    let sample = i / CHUNKS;
    var sum = vec4f();
    for (var v = i % CHUNKS; v < VECS; v += CHUNKS) {
        let at = sample * VECS + v;
        let difference = prediction[at] - truth[at];
        sum += abs(difference);
#ifdef DELTA
        delta[at] = delta_factor * select(sign(difference), difference, is_nan(difference));
#endif
    }
    sums[i] = factor * ((sum.x + sum.y) + (sum.z + sum.w));
}
