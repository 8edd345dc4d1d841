// Swish with a learned sharpness per channel:
//
//   y = x * sigmoid(s * x),   s = softplus(a) = ln(1 + exp(a)) > 0
//
// Padding stays zero because x is zero there.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const VECS: u32 = #{VECS}; // vec4s of one position

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    let sharpness = log(1.0 + exp(a[i % VECS]));
    y[i] = x[i] / (1.0 + exp(-sharpness * x[i]));
}
