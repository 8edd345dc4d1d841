// ELU: y = x where x > 0, else alpha * (exp(x) - 1). GRAD: dx = dy, or dy * alpha * exp(x).
// NaN goes the first way.

#import wgrad::common::linear_index
#import wgrad::functions::{exponential, exp_minus_1}

override alpha: f32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
#ifdef GRAD
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;
#else
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&x) {
        return;
    }
#ifdef GRAD
    dx[i] = dy[i] * select(vec4f(1.0), alpha * exponential(x[i]), x[i] <= vec4f());
#else
    y[i] = select(x[i], alpha * exp_minus_1(x[i]), x[i] <= vec4f());
#endif
}
