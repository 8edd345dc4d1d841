// Huber's loss, per sample, from d = p - t, the prediction less the target:
//
//   h(d)     = d^2 / 2 where |d| <= threshold, threshold * (|d| - threshold / 2) beyond
//   loss[n]  = factor * sum over i of h(d[n,i])
//   delta[i] = delta_factor * (d[i], or threshold * sign(d[i]) beyond)
//
// CHUNKS invocations share a sample and take its vec4s in turn, so that neighbours read
// neighbours; sum_spans.wgsl adds their sums. With CHUNKS = 1 the sum is the sample's loss.
// Padding is zero on both sides and stays so.

#import wgrad::common::{is_nan, linear_index}

const SAMPLES: u32 = #{SAMPLES};
const VECS: u32 = #{VECS}; // vec4s in a sample
const CHUNKS: u32 = #{CHUNKS};
override factor: f32;
override threshold: f32;

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
        let d = prediction[at] - truth[at];
        // NaN is not beyond, so that it stays.
        let beyond = (abs(d) > vec4f(threshold)) & !is_nan(d);
        let straight = threshold * (abs(d) - 0.5 * threshold);
        sum += select(0.5 * d * d, straight, beyond);
#ifdef DELTA
        delta[at] = delta_factor * select(d, threshold * sign(d), beyond);
#endif
    }
    sums[i] = factor * ((sum.x + sum.y) + (sum.z + sum.w));
}
