// Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019), for all parameters at once:
//
//   Adam: g += decay * w;   AdamW: w -= rate * decay * w
//   m = beta1 * m + (1 - beta1) * g;   v = beta2 * v + (1 - beta2) * g * g
//   w -= rate / c1 * m / (sqrt(v) / sqrt(c2) + epsilon)
//
// with c1 = 1 - beta1^t and c2 = 1 - beta2^t, which the host computes in double precision: the
// schedule holds [rate, 1 / c1, 1 / sqrt(c2)]. Nothing is changed if the step was not finite,
// nor where the learning-rate factor is 0.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const RING: u32 = #{RING}; // steps in the schedule
const BLOCK_VECS: u32 = 16; // vec4s that share their factors

override beta1: f32;
override beta2: f32;
override epsilon: f32;
override weight_decay: f32;
override decoupled: f32; // 1 for AdamW, 0 for Adam
// 1 - beta, from the host: the difference of rounded numbers would lose digits.
override fresh1: f32;
override fresh2: f32;

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read> factors: array<vec2f>; // learning rate, decay
@group(0) @binding(2) var<storage, read> schedule: array<vec4f>;
@group(0) @binding(3) var<storage, read> status: array<u32>; // not finite, step
@group(0) @binding(4) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> moment0: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> moment1: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH || status[0] != 0u {
        return;
    }
    let factor = factors[i / BLOCK_VECS];
    if factor.x == 0.0 {
        return;
    }
    let coefficients = schedule[status[1] % RING];
    let rate = coefficients.x * factor.x;
    let decay = weight_decay * factor.y;
    var w = parameters[i];
    var g = gradients[i];
    if decoupled == 1.0 {
        w -= rate * decay * w;
    } else {
        g += decay * w;
    }
    let m = beta1 * moment0[i] + fresh1 * g;
    let v = beta2 * moment1[i] + fresh2 * g * g;
    moment0[i] = m;
    moment1[i] = v;
    parameters[i] = w - rate * coefficients.y * m / (sqrt(v) * coefficients.z + epsilon);
}
