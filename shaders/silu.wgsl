// SiLU: y = x * s with s = logistic(x). GRAD: dx = dy * (s + x * s * (1 - s)), where 1 - s is
// logistic(-x), which does not cancel.

#import wgrad::common::linear_index
#import wgrad::functions::logistic

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
    let s = logistic(x[i]);
#ifdef GRAD
    dx[i] = dy[i] * (s + x[i] * s * logistic(-x[i]));
#else
    y[i] = x[i] * s;
#endif
}
