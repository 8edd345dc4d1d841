// Softmax and cross-entropy in one, from the logits z of a sample and its label t:
//
//   loss     = log(sum over k of exp(z[k])) - z[t]
//   delta[k] = scale * (softmax(z)[k] - (1 if k = t else 0))
//
// With m the largest logit, e[k] = exp(z[k] - m) lies in 0..1 for any finite logits. The label's
// own e[t] is kept out of the sum `others`, so that a sample that is almost certainly right keeps
// its digits: its loss is log(1 + others) and its delta[t] is -scale * others / sum, where
// `softmax - 1` would cancel.
//
// One invocation a sample, or with WIDE (many classes) one workgroup. A label that is no class
// makes the sample's loss and delta NaN.

#import wgrad::common::{is_nan, linear_index}

const SAMPLES: u32 = #{SAMPLES};
const CLASSES: u32 = #{CLASSES};
const VECS: u32 = (CLASSES + 3) / 4;
const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> logits: array<vec4f>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> losses: array<f32>;
#ifdef DELTA
override scale: f32;
@group(0) @binding(3) var<storage, read_write> delta: array<vec4f>;
#endif

#ifdef WIDE
const STRIDE: u32 = WORKGROUP; // vec4s from one of an invocation to its next
var<workgroup> shared_values: array<f32, WORKGROUP>;
#else
const STRIDE: u32 = 1;
#endif

// The classes in the lanes of vec4 v of a sample.
fn classes(v: u32) -> vec4u {
    return vec4u(4 * v) + vec4u(0, 1, 2, 3);
}

// The largest value of all invocations that share a sample.
fn max_of_group(value: f32, lane: u32) -> f32 {
#ifdef WIDE
    shared_values[lane] = value;
    for (var width = WORKGROUP / 2; width > 0; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            shared_values[lane] = max(shared_values[lane], shared_values[lane + width]);
        }
    }
    workgroupBarrier();
    return shared_values[0];
#else
    return value;
#endif
}

// The sum over all invocations that share a sample.
fn sum_of_group(value: f32, lane: u32) -> f32 {
#ifdef WIDE
    workgroupBarrier(); // nobody still reads the maximum
    shared_values[lane] = value;
    for (var width = WORKGROUP / 2; width > 0; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            shared_values[lane] += shared_values[lane + width];
        }
    }
    workgroupBarrier();
    return shared_values[0];
#else
    return value;
#endif
}

// exp, and NaN for NaN, which some drivers' `exp` turns into a number.
fn exponential(x: vec4f) -> vec4f {
    return select(exp(x), x, is_nan(x));
}

// log(1 + u) for u >= 0. Near 0 a rounded 1 + u would lose u, and WGSL's `log` is only good to
// 2^-21; there the series 2 (s + s^3/3 + s^5/5 + ...) with s = u / (2 + u) <= 1/3 is used.
fn log_of_1_plus(u: f32) -> f32 {
    if u <= 1.0 {
        let s = u / (2.0 + u);
        let q = s * s;
        let tail = 1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q * (1.0 / 15.0)));
        return 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * tail))));
    }
    return log(1.0 + u);
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) invocation: u32,
) {
#ifdef WIDE
    let sample = group.y * groups.x + group.x;
    let lane = invocation;
#else
    let sample = linear_index(id, groups);
    let lane = 0u;
#endif
    if sample >= SAMPLES {
        return;
    }
    let row = sample * VECS;
    let label = min(labels[sample], CLASSES - 1);
    // Zero, or NaN if the label is no class.
    let spoil = bitcast<f32>(select(0x7fc00000u, 0u, labels[sample] < CLASSES));

    var largest = logits[row].x;
    for (var v = lane; v < VECS; v += STRIDE) {
        let z = select(vec4f(largest), logits[row + v], classes(v) < vec4u(CLASSES));
        largest = max(largest, max(max(z.x, z.y), max(z.z, z.w)));
    }
    largest = max_of_group(largest, lane);

    var others = 0.0;
    for (var v = lane; v < VECS; v += STRIDE) {
        let counts = (classes(v) < vec4u(CLASSES)) & (classes(v) != vec4u(label));
        let e = select(vec4f(), exponential(logits[row + v] - largest), counts);
        others += (e.x + e.y) + (e.z + e.w);
    }
    others = sum_of_group(others, lane);

    let shifted = logits[row + label / 4][label % 4] - largest;
    let sum = others + exponential(vec4f(shifted)).x;
    if lane == 0 {
        var loss = log(sum) - shifted;
        if shifted == 0.0 {
            loss = log_of_1_plus(others);
        }
        losses[sample] = loss + spoil;
    }
#ifdef DELTA
    let factor = scale / sum;
    for (var v = lane; v < VECS; v += STRIDE) {
        let e = exponential(logits[row + v] - largest);
        let gradient = factor * select(e, vec4f(-others), classes(v) == vec4u(label)) + spoil;
        delta[row + v] = select(vec4f(), gradient, classes(v) < vec4u(CLASSES));
    }
#endif
}
