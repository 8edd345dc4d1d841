// Sigmoid and binary cross-entropy in one, per sample, from logits z and targets t in 0..1:
//
//   loss[n]  = factor * sum over i of (1 - t) * softplus(z) + w * t * softplus(-z)
//   delta[i] = delta_factor * ((1 - t) * sigmoid(z) - w * t * sigmoid(-z))
//
// With e = exp(-|z|) in 0..1, softplus(z) = max(z, 0) + log(1 + e), and sigmoid(z) is 1 / (1 + e)
// or e / (1 + e): no difference of nearly equal numbers anywhere. With WEIGHTS w is weights[c] for
// channel c, otherwise 1.
//
// CHUNKS invocations share a sample and take its vec4s in turn, so that neighbours read
// neighbours; sum_spans.wgsl adds their sums. With CHUNKS = 1 the sum is the sample's loss.

#import wgrad::common::{is_nan, lanes_of, linear_index}
#import wgrad::functions::{exponential, log_of_1_plus}

const SAMPLES: u32 = #{SAMPLES};
const VECS: u32 = #{VECS}; // vec4s in a sample
const CHUNKS: u32 = #{CHUNKS};
const CHANNELS: u32 = #{CHANNELS};
const CHANNEL_VECS: u32 = (CHANNELS + 3) / 4;
override factor: f32;

@group(0) @binding(0) var<storage, read> prediction: array<vec4f>;
@group(0) @binding(1) var<storage, read> truth: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
#ifdef DELTA
override delta_factor: f32;
@group(0) @binding(3) var<storage, read_write> delta: array<vec4f>;
#endif
#ifdef WEIGHTS
@group(0) @binding(4) var<storage, read> weights: array<vec4f>;
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
        let is_channel = lanes_of(v % CHANNEL_VECS) < vec4u(CHANNELS);
        let z = prediction[at];
        let negative = 1.0 - truth[at];
        var positive = truth[at];
#ifdef WEIGHTS
        positive *= weights[v % CHANNEL_VECS];
#endif
        let e = exponential(-abs(z));
        let log_part = log_of_1_plus(e);
        // `max` may lose NaN; `log_part` has it.
        let loss = negative * (max(z, vec4f()) + log_part)
            + positive * (max(-z, vec4f()) + log_part);
        sum += select(vec4f(), select(loss, z, is_nan(z)), is_channel);
#ifdef DELTA
        let above = z >= vec4f();
        let slope = negative * select(e, vec4f(1.0), above) - positive * select(vec4f(1.0), e, above);
        delta[at] = select(vec4f(), delta_factor * (slope / (1.0 + e)), is_channel);
#endif
    }
    sums[i] = factor * ((sum.x + sum.y) + (sum.z + sum.w));
}
