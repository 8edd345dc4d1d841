// Quickprop (Fahlman 1988) for all parameters at once. With the slope s = gradient + decay * w,
// the slope p and the change d of the step before:
//
//   change = -rate * s                                     where d = 0
//   change = mu * d            if s / p >= mu / (1 + mu)   (p has the sign opposite to d)
//          = s / (p - s) * d   otherwise: the minimum of the parabola through both slopes
//            ... and -rate * s beside it while s has the sign of p
//   w += change
//
// Nothing is changed if the step was not finite, nor where the learning-rate factor is 0.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const RING: u32 = #{RING}; // steps in the schedule
const BLOCK_VECS: u32 = 16; // vec4s that share their factors

override growth: f32; // mu
override shrink: f32; // mu / (1 + mu)
override weight_decay: f32;

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read> factors: array<vec2f>; // learning rate, decay
@group(0) @binding(2) var<storage, read> schedule: array<vec4f>; // learning rate
@group(0) @binding(3) var<storage, read> status: array<u32>; // not finite, step
@group(0) @binding(4) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> moment0: array<vec4f>; // p
@group(0) @binding(6) var<storage, read_write> moment1: array<vec4f>; // d

// One weight's change.
fn change(s: f32, p: f32, d: f32, rate: f32) -> f32 {
    if d == 0.0 {
        return -rate * s;
    }
    // The slopes as they are seen looking along the last change: downhill is positive.
    let before = -p * sign(d);
    let now = -s * sign(d);
    let linear = select(0.0, -rate * s, now > 0.0);
    if now >= shrink * before {
        return linear + growth * d;
    }
    return linear + now / (before - now) * d;
}

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
    let s = gradients[i] + weight_decay * factor.y * w;
    let p = moment0[i];
    let d = moment1[i];
    let step = vec4f(
        change(s.x, p.x, d.x, rate),
        change(s.y, p.y, d.y, rate),
        change(s.z, p.z, d.z, rate),
        change(s.w, p.w, d.w, rate),
    );
    moment0[i] = s;
    moment1[i] = step;
    parameters[i] = w + step;
}
