// Group normalisation: y = weight * (x - mean) / sqrt(variance + epsilon) + bias, where mean and
// variance are those of a group of channels of one sample, over all positions. One group of all
// channels is layer normalisation, a group for every channel instance normalisation.
//
// Weight and bias repeat after AFFINE_PERIOD vec4s: those of a position (a number per channel) or
// of a sample (a number per element). Padding stays zero, whatever the statistics are.

#import wgrad::common::{linear_index, groups_of_lanes}

const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3) / 4;
const POSITIONS: u32 = #{POSITIONS};
const GROUPS: u32 = #{GROUPS};
const GROUP_CHANNELS: u32 = CHANNELS / GROUPS;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
// [sample][group] (mean, what its rounding left over, inverse standard deviation, 0)
@group(0) @binding(1) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
#ifdef AFFINE_PERIOD
const AFFINE_PERIOD: u32 = #{AFFINE_PERIOD}; // vec4s
@group(0) @binding(3) var<storage, read> weight: array<vec4f>;
@group(0) @binding(4) var<storage, read> bias: array<vec4f>;
#endif

// The statistics of four lanes: means, residuals, inverse standard deviations.
fn statistics_of(sample: u32, v: u32) -> mat4x4f {
    let g = sample * GROUPS + groups_of_lanes(v, CHANNELS, GROUP_CHANNELS);
    if GROUP_CHANNELS % 4 == 0 { // one group has all four
        let s = statistics[g.x];
        return mat4x4f(vec4f(s.x), vec4f(s.y), vec4f(s.z), vec4f());
    }
    return transpose(mat4x4f(statistics[g.x], statistics[g.y], statistics[g.z], statistics[g.w]));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&y) {
        return;
    }
    let v = i % VECS;
    let s = statistics_of(i / (VECS * POSITIONS), v);
    var result = ((x[i] - s[0]) - s[1]) * s[2];
#ifdef AFFINE_PERIOD
    result = weight[i % AFFINE_PERIOD] * result + bias[i % AFFINE_PERIOD];
#endif
    let exists = 4 * v + vec4u(0, 1, 2, 3) < vec4u(CHANNELS);
    y[i] = select(vec4f(), result, exists);
}
