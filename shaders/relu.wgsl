// ReLU: y = max(0, x). A comparison with NaN is false, so that NaN stays NaN.

#import wgrad::common::linear_index

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&y) {
        return;
    }
    y[i] = select(x[i], vec4f(), x[i] < vec4f());
}
