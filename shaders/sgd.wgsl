// Stochastic gradient descent with momentum, as PyTorch has it, for all parameters at once:
//
//   g += decay * w;  v = momentum * v + (1 - dampening) * g   (v = g at the first step)
//   w -= rate * (nesterov ? g + momentum * v : v)
//
// Without MOMENTUM nothing is kept, and v = g. Nothing is changed if the step was not finite, nor where the learning-rate factor is 0.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const RING: u32 = #{RING}; // steps in the schedule
const BLOCK_VECS: u32 = 16; // vec4s that share their factors

override weight_decay: f32;
#ifdef MOMENTUM
override momentum: f32;
override dampening: f32;
override nesterov: f32; // 1 or 0
#endif

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read> factors: array<vec2f>; // learning rate, decay
@group(0) @binding(2) var<storage, read> schedule: array<vec4f>; // learning rate
@group(0) @binding(3) var<storage, read> status: array<u32>; // not finite, step
@group(0) @binding(4) var<storage, read_write> parameters: array<vec4f>;
#ifdef MOMENTUM
@group(0) @binding(5) var<storage, read_write> moment0: array<vec4f>; // v
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
#ifdef MOMENTUM
    let fresh = select(1.0 - dampening, 1.0, status[1] == 0u);
    let v = momentum * moment0[i] + fresh * g;
    moment0[i] = v;
    parameters[i] = w - rate * select(v, g + momentum * v, nesterov == 1.0);
#else
    parameters[i] = w - rate * g;
#endif
}
