// Gradient of local response normalisation, first pass: dy * y / s, which the second pass sums over
// windows. Padding is zero, also of s.

#import wgrad::common::linear_index

const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3) / 4;

@group(0) @binding(0) var<storage, read> y: array<vec4f>;
@group(0) @binding(1) var<storage, read> s: array<vec4f>;
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> terms: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&terms) {
        return;
    }
    let exists = 4 * (i % VECS) + vec4u(0, 1, 2, 3) < vec4u(CHANNELS);
    terms[i] = select(vec4f(), dy[i] * y[i] / s[i], exists);
}
