// SELU: y = SCALE * x where x > 0, else SCALE * ALPHA * (exp(x) - 1).
// GRAD: dx = dy * SCALE, or dy * SCALE * ALPHA * exp(x). NaN goes the first way.

#import wgrad::common::linear_index
#import wgrad::functions::{exponential, exp_minus_1}

// For these a normal variable of mean 0 and variance 1 keeps both.
const ALPHA: f32 = 1.6732632423543772;
const SCALE: f32 = 1.0507009873554805;

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
    dx[i] = dy[i] * SCALE * select(vec4f(1.0), ALPHA * exponential(x[i]), x[i] <= vec4f());
#else
    y[i] = SCALE * select(x[i], ALPHA * exp_minus_1(x[i]), x[i] <= vec4f());
#endif
}
