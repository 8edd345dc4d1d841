// A factor and a summand per channel: y = weight[c] * x + bias[c]. Both are zero in the padding.

#import wgrad::common::linear_index

const VECS: u32 = #{VECS}; // vec4s of one position

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&y) {
        return;
    }
    y[i] = weight[i % VECS] * x[i] + bias[i % VECS];
}
