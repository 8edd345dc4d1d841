// The gradient of leaky ReLU: dx = dy where x > 0, else slope * dy.

#import wgrad::common::linear_index

override slope: f32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&dx) {
        return;
    }
    dx[i] = select(slope * dy[i], dy[i], x[i] > vec4f());
}
