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
// With WEIGHTS class k counts weights[k] times, with SMOOTHING every class gets its share of the
// label. Writing nll[k] = -log(softmax(z)[k]), w for the weights (or 1) and W for their sum:
//
//   loss     = on_label * w[t] * nll[t] + on_all * sum over k of w[k] * nll[k]
//   delta[k] = scale * (on_label * w[t] * (softmax[k] - (1 if k = t else 0))
//                       + on_all * (W * softmax[k] - w[k]))
//
// With IGNORED samples of that label have neither loss nor delta. DIVISOR divides delta by a
// number that the batch's labels give.
//
// One invocation a sample, or with WIDE (many classes) one workgroup. A label that is no class
// makes the sample's loss and delta NaN.

#import wgrad::common::{lanes_of, linear_index}
#import wgrad::functions::{exponential, log_of_1_plus}

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
#ifdef WEIGHTS
@group(0) @binding(4) var<storage, read> weights: array<vec4f>;
#endif
#ifdef DIVISOR
@group(0) @binding(5) var<storage, read> divisor: array<f32>;
#endif
#ifdef IGNORED
override ignored: u32;
#endif
#ifdef SMOOTHING
override on_label: f32; // 1 - smoothing
override on_all: f32; // smoothing / classes
override weight_sum: f32;
#endif

#ifdef WIDE
const STRIDE: u32 = WORKGROUP; // vec4s from one of an invocation to its next
var<workgroup> shared_values: array<f32, WORKGROUP>;
#else
const STRIDE: u32 = 1;
#endif

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
    workgroupBarrier(); // nobody still reads what was shared before
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

// The weights of four classes.
fn weights_of(v: u32) -> vec4f {
#ifdef WEIGHTS
    return weights[v];
#else
    return vec4f(1.0);
#endif
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
        let z = select(vec4f(largest), logits[row + v], lanes_of(v) < vec4u(CLASSES));
        largest = max(largest, max(max(z.x, z.y), max(z.z, z.w)));
    }
    largest = max_of_group(largest, lane);

    var others = 0.0;
    var below = 0.0; // sum over k of w[k] * (largest - z[k])
    for (var v = lane; v < VECS; v += STRIDE) {
        let is_class = lanes_of(v) < vec4u(CLASSES);
        let counts = is_class & (lanes_of(v) != vec4u(label));
        let e = select(vec4f(), exponential(logits[row + v] - largest), counts);
        others += (e.x + e.y) + (e.z + e.w);
#ifdef SMOOTHING
        let d = select(vec4f(), weights_of(v) * (largest - logits[row + v]), is_class);
        below += (d.x + d.y) + (d.z + d.w);
#endif
    }
    others = sum_of_group(others, lane);
#ifdef SMOOTHING
    below = sum_of_group(below, lane);
#endif

    let shifted = logits[row + label / 4][label % 4] - largest;
    let sum = others + exponential(vec4f(shifted)).x;
    var log_sum = log(sum);
    if shifted == 0.0 {
        log_sum = log_of_1_plus(vec4f(others)).x;
    }
    var loss = log_sum - shifted;
    var worth = 1.0; // of the label
#ifdef WEIGHTS
    worth = weights[label / 4][label % 4];
    loss *= worth;
#endif
#ifdef SMOOTHING
    worth *= on_label;
    loss = on_label * loss + on_all * (weight_sum * log_sum + below);
#endif
    loss += spoil;
#ifdef IGNORED
    let counted = labels[sample] != ignored;
    loss = select(0.0, loss, counted);
#endif
    if lane == 0 {
        losses[sample] = loss;
    }
#ifdef DELTA
    var outer = scale;
#ifdef DIVISOR
    outer /= divisor[0];
#endif
    let factor = outer * worth / sum;
    for (var v = lane; v < VECS; v += STRIDE) {
        let e = exponential(logits[row + v] - largest);
        var gradient = factor * select(e, vec4f(-others), lanes_of(v) == vec4u(label)) + spoil;
#ifdef SMOOTHING
        gradient += outer * on_all * (weight_sum / sum * e - weights_of(v));
#endif
#ifdef IGNORED
        gradient = select(vec4f(), gradient, counted);
#endif
        delta[row + v] = select(vec4f(), gradient, lanes_of(v) < vec4u(CLASSES));
    }
#endif
}
