// Adagrad (Duchi, Hazan and Singer 2011), as PyTorch has it, for all parameters at once:
//
//   g += decay * w;  s += g * g  (s starts from `initial`)
//   w -= rate / (1 + step * rate_decay) * g / (sqrt(s) + epsilon)
//
// The schedule holds [rate, 1 / (1 + step * rate_decay)]. Nothing is changed if the step was not
// finite, nor where the learning-rate factor is 0.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const RING: u32 = #{RING}; // steps in the schedule
const BLOCK_VECS: u32 = 16; // vec4s that share their factors

override initial: f32;
override epsilon: f32;
override weight_decay: f32;

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read> factors: array<vec2f>; // learning rate, decay
@group(0) @binding(2) var<storage, read> schedule: array<vec4f>;
@group(0) @binding(3) var<storage, read> status: array<u32>; // not finite, step
@group(0) @binding(4) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> moment0: array<vec4f>; // s

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
    let rate = coefficients.x * coefficients.y * factor.x;
    let w = parameters[i];
    let g = gradients[i] + weight_decay * factor.y * w;
    let s = select(moment0[i], vec4f(initial), status[1] == 0u) + g * g;
    moment0[i] = s;
    parameters[i] = w - rate * g / (sqrt(s) + epsilon);
}
