// Adadelta (Zeiler 2012), as PyTorch has it, for all parameters at once:
//
//   g += decay * w;  s = rho * s + (1 - rho) * g * g
//   d = sqrt(u + epsilon) / sqrt(s + epsilon) * g;  u = rho * u + (1 - rho) * d * d
//   w -= rate * d
//
// Nothing is changed if the step was not finite, nor where the learning-rate factor is 0.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const RING: u32 = #{RING}; // steps in the schedule
const BLOCK_VECS: u32 = 16; // vec4s that share their factors

override rho: f32;
override fresh: f32; // 1 - rho, from the host: the difference of rounded numbers loses digits
override epsilon: f32;
override weight_decay: f32;

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read> factors: array<vec2f>; // learning rate, decay
@group(0) @binding(2) var<storage, read> schedule: array<vec4f>; // learning rate
@group(0) @binding(3) var<storage, read> status: array<u32>; // not finite, step
@group(0) @binding(4) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> moment0: array<vec4f>; // s
@group(0) @binding(6) var<storage, read_write> moment1: array<vec4f>; // u

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
    let rate = schedule[status[1] % RING].x * factor.x;
    let w = parameters[i];
    let g = gradients[i] + weight_decay * factor.y * w;
    let s = rho * moment0[i] + fresh * g * g;
    let u = moment1[i];
    let d = sqrt(u + epsilon) / sqrt(s + epsilon) * g;
    moment0[i] = s;
    moment1[i] = rho * u + fresh * d * d;
    parameters[i] = w - rate * d;
}
