// Hinge loss, one class against all others, per sample, from scores z and the label:
//
//   y[k]     = 1 if k is the label, otherwise -1
//   h[k]     = max(0, 1 - y[k] * z[k])
//   loss[n]  = factor * sum over k of h[k], or with SQUARED of h[k]^2
//   delta[k] = delta_factor * y[k] * (1 if h[k] > 0, otherwise 0), or y[k] * h[k]
//
// CHUNKS invocations share a sample and take its vec4s in turn, so that neighbours read
// neighbours; sum_spans.wgsl adds their sums. With CHUNKS = 1 the sum is the sample's loss. A
// label that is no class makes the sample's loss and delta NaN.

#import wgrad::common::{is_nan, lanes_of, linear_index}

const SAMPLES: u32 = #{SAMPLES};
const VECS: u32 = #{VECS}; // vec4s in a sample
const CHUNKS: u32 = #{CHUNKS};
const CLASSES: u32 = #{CLASSES};
override factor: f32;

@group(0) @binding(0) var<storage, read> prediction: array<vec4f>;
@group(0) @binding(1) var<storage, read> truth: array<u32>;
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
    let label = truth[sample];
    // Zero, or NaN if the label is no class.
    let spoil = bitcast<f32>(select(0x7fc00000u, 0u, label < CLASSES));
    var sum = vec4f();
    for (var v = i % CHUNKS; v < VECS; v += CHUNKS) {
        let at = sample * VECS + v;
        let is_class = lanes_of(v) < vec4u(CLASSES);
        let y = select(vec4f(-1.0), vec4f(1.0), lanes_of(v) == vec4u(label));
        let margin = 1.0 - y * prediction[at];
        let h = select(max(margin, vec4f()), margin, is_nan(margin)) + spoil;
#ifdef SQUARED
        sum += select(vec4f(), h * h, is_class);
        let slope = h;
#else
        sum += select(vec4f(), h, is_class);
        let slope = select(sign(h), h, is_nan(h));
#endif
#ifdef DELTA
        delta[at] = select(vec4f(), delta_factor * y * slope, is_class);
#endif
    }
    sums[i] = factor * ((sum.x + sum.y) + (sum.z + sum.w));
}
