// ReLU6: y = min(max(0, x), 6). GRAD: dx = dy where 0 < x < 6, else 0.

#import wgrad::common::{is_nan, linear_index}

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
    dx[i] = select(vec4f(), dy[i], (x[i] > vec4f()) & (x[i] < vec4f(6.0)));
#else
    // NaN between bounds may become a bound.
    y[i] = select(clamp(x[i], vec4f(), vec4f(6.0)), x[i], is_nan(x[i]));
#endif
}
