// RMSProp (Tieleman and Hinton 2012), as PyTorch has it, for all parameters at once:
//
//   g += decay * w;  s = alpha * s + (1 - alpha) * g * g
//   v = momentum * v + g / (sqrt(s) + epsilon);  w -= rate * v
//
// CENTERED divides by the deviation instead: m = alpha * m + (1 - alpha) * g, and s - m * m takes
// the place of s under the root. Nothing is changed if the step was not finite, nor where the
// learning-rate factor is 0.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const RING: u32 = #{RING}; // steps in the schedule
const BLOCK_VECS: u32 = 16; // vec4s that share their factors

override alpha: f32;
override fresh: f32; // 1 - alpha, from the host: the difference of rounded numbers loses digits
override epsilon: f32;
override momentum: f32;
override weight_decay: f32;

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read> factors: array<vec2f>; // learning rate, decay
@group(0) @binding(2) var<storage, read> schedule: array<vec4f>; // learning rate
@group(0) @binding(3) var<storage, read> status: array<u32>; // not finite, step
@group(0) @binding(4) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> moment0: array<vec4f>; // s
@group(0) @binding(6) var<storage, read_write> moment1: array<vec4f>; // v
#ifdef CENTERED
@group(0) @binding(7) var<storage, read_write> moment2: array<vec4f>; // m
#endif

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
    let s = alpha * moment0[i] + fresh * g * g;
    moment0[i] = s;
    var square = s;
#ifdef CENTERED
    let m = alpha * moment2[i] + fresh * g;
    moment2[i] = m;
    // Where the gradient hardly varies, rounding may leave a little less than zero.
    square = max(s - m * m, vec4f());
#endif
    let v = momentum * moment1[i] + g / (sqrt(square) + epsilon);
    moment1[i] = v;
    parameters[i] = w - rate * v;
}
