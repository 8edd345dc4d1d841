// Gradient of group normalisation, third pass: dx = a * weight * dy + b * (x - mean) + c, with
// numbers per sample and group from group_norm_grad_sums.wgsl. Padding stays zero.

#import wgrad::common::{linear_index, groups_of_lanes}

const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3) / 4;
const POSITIONS: u32 = #{POSITIONS};
const GROUPS: u32 = #{GROUPS};
const GROUP_CHANNELS: u32 = CHANNELS / GROUPS;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
// [sample][group] (mean, a, b, c)
@group(0) @binding(2) var<storage, read> coefficients: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4f>;
#ifdef AFFINE_PERIOD
const AFFINE_PERIOD: u32 = #{AFFINE_PERIOD}; // vec4s
@group(0) @binding(4) var<storage, read> weight: array<vec4f>;
#endif

// The coefficients of four lanes: means, a, b, c.
fn coefficients_of(sample: u32, v: u32) -> mat4x4f {
    let g = sample * GROUPS + groups_of_lanes(v, CHANNELS, GROUP_CHANNELS);
    if GROUP_CHANNELS % 4 == 0 { // one group has all four
        let k = coefficients[g.x];
        return mat4x4f(vec4f(k.x), vec4f(k.y), vec4f(k.z), vec4f(k.w));
    }
    return transpose(
        mat4x4f(coefficients[g.x], coefficients[g.y], coefficients[g.z], coefficients[g.w]),
    );
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&dx) {
        return;
    }
    let v = i % VECS;
    let k = coefficients_of(i / (VECS * POSITIONS), v);
#ifdef AFFINE_PERIOD
    let d = weight[i % AFFINE_PERIOD] * dy[i];
#else
    let d = dy[i];
#endif
    let result = k[1] * d + (k[2] * (x[i] - k[0]) + k[3]);
    let exists = 4 * v + vec4u(0, 1, 2, 3) < vec4u(CHANNELS);
    dx[i] = select(vec4f(), result, exists);
}
