// Descent by the gradient's sign (Bernstein et al. 2018): w -= rate * sign(m), where
// m = momentum * m + (1 - momentum) * g is a running mean of the gradient.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const RING: u32 = #{RING}; // steps in the schedule
const BLOCK_VECS: u32 = 16; // vec4s that share their factors

override momentum: f32;

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read> factors: array<vec2f>; // learning rate, decay
@group(0) @binding(2) var<storage, read> schedule: array<vec4f>; // learning rate
@group(0) @binding(3) var<storage, read> status: array<u32>; // not finite, step
@group(0) @binding(4) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> moment0: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH || status[0] != 0u {
        return;
    }
    let rate = schedule[status[1] % RING].x * factors[i / BLOCK_VECS].x;
    let mean = momentum * moment0[i] + (1.0 - momentum) * gradients[i];
    moment0[i] = mean;
    parameters[i] -= rate * sign(mean);
}
