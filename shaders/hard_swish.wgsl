// Hard-swish: y = x * min(max(0, x + 3), 6) / 6.
// GRAD: dx = 0 where x <= -3, dy * (x/3 + 1/2) where x < 3, else dy; NaN goes the last way.

#import wgrad::common::linear_index

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
    let slope = select(vec4f(1.0), x[i] / 3.0 + 0.5, x[i] < vec4f(3.0));
    dx[i] = dy[i] * select(slope, vec4f(), x[i] <= vec4f(-3.0));
#else
    y[i] = x[i] * (clamp(x[i] + 3.0, vec4f(), vec4f(6.0)) / 6.0);
#endif
}
