// The gradients of swish.wgsl. With g = sigmoid(s * x):
//
//   dx     = dy * (g + s * x * g * (1 - g))
//   da_all = dy * x * x * g * (1 - g) * sigmoid(a)    one per element, to be summed by channel
//
// since softplus' derivative is the sigmoid.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const VECS: u32 = #{VECS}; // vec4s of one position

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> da_all: array<vec4f>;

fn sigmoid(v: vec4f) -> vec4f {
    return 1.0 / (1.0 + exp(-v));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    let slope = a[i % VECS];
    let sharpness = log(1.0 + exp(slope));
    let gate = sigmoid(sharpness * x[i]);
    let steepness = gate * (1.0 - gate);
    dx[i] = dy[i] * (gate + sharpness * x[i] * steepness);
    da_all[i] = dy[i] * x[i] * x[i] * steepness * sigmoid(slope);
}
