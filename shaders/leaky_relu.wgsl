// Leaky ReLU: y = x where x > 0, else slope * x. NaN goes the second way and stays NaN.

#import wgrad::common::linear_index

override slope: f32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&y) {
        return;
    }
    y[i] = select(slope * x[i], x[i], x[i] > vec4f());
}
