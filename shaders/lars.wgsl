// LARS (You, Gitman and Ginsburg 2017) for all parameters at once:
//
//   trust = coefficient * |w| / (|g| + decay * |w|), over all of a parameter; 1 if either is 0
//   v = momentum * v + rate * trust * (g + decay * w);  w -= v
//
// Nothing is changed if the step was not finite, nor where the learning-rate factor is 0.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const RING: u32 = #{RING}; // steps in the schedule
const BLOCK_VECS: u32 = 16; // vec4s that share their factors and norms

override coefficient: f32;
override momentum: f32;
override weight_decay: f32;

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read> factors: array<vec2f>; // learning rate, decay
@group(0) @binding(2) var<storage, read> norms: array<vec2f>; // |w|, |g|; 0 where not adapted
@group(0) @binding(3) var<storage, read> schedule: array<vec4f>; // learning rate
@group(0) @binding(4) var<storage, read> status: array<u32>; // not finite, step
@group(0) @binding(5) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> moment0: array<vec4f>; // v

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
    let decay = weight_decay * factor.y;
    let norm = norms[i / BLOCK_VECS];
    var trust = 1.0;
    if norm.x > 0.0 && norm.y > 0.0 {
        trust = coefficient * norm.x / (norm.y + decay * norm.x);
    }
    let rate = schedule[status[1] % RING].x * factor.x * trust;
    let w = parameters[i];
    let v = momentum * moment0[i] + rate * (gradients[i] + decay * w);
    moment0[i] = v;
    parameters[i] = w - v;
}
