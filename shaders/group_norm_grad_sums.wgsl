// Gradient of group normalisation, second pass: with g = weight * dy,
// xhat = (x - mean - residual) * inverse_std and the sums over a group of a sample, of COUNT numbers,
//
//   dx = inverse_std * (g - sum of g / COUNT - xhat * sum of g * xhat / COUNT)
//
// and dx written as  a * g + b * (x - mean) + c, for group_norm_grad.wgsl.
//
// One workgroup for each group of each sample; the order of the sums is fixed.

const SAMPLES: u32 = #{SAMPLES};
const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3) / 4;
const POSITIONS: u32 = #{POSITIONS};
const GROUPS: u32 = #{GROUPS};
const GROUP_CHANNELS: u32 = CHANNELS / GROUPS;
const COUNT: f32 = f32(GROUP_CHANNELS * POSITIONS);
const SPLITS: u32 = #{SPLITS};
const PIECES: u32 = SPLITS * GROUP_CHANNELS;
const WORKGROUP: u32 = 64;

// [sample][split][sum of g, sum of g * (x - mean)][channel]
@group(0) @binding(0) var<storage, read> partials: array<f32>;
// [sample][group] (mean, what its rounding left over, inverse standard deviation, 0)
@group(0) @binding(1) var<storage, read> statistics: array<vec4f>;
// [sample][group] (mean, a, b, c)
@group(0) @binding(2) var<storage, read_write> coefficients: array<vec4f>;

var<workgroup> sums: array<vec2f, WORKGROUP>; // of g, of g * (x - mean)

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let result = workgroup.y * workgroups.x + workgroup.x;
    if result >= SAMPLES * GROUPS {
        return; // the whole workgroup
    }
    let first = result / GROUPS * SPLITS * 8 * VECS + result % GROUPS * GROUP_CHANNELS;
    var sum = vec2f();
    for (var p = lane; p < PIECES; p += WORKGROUP) {
        let at = first + p / GROUP_CHANNELS * 8 * VECS + p % GROUP_CHANNELS;
        sum += vec2f(partials[at], partials[at + 4 * VECS]);
    }
    sums[lane] = sum;
    for (var width = WORKGROUP / 2; width > 0; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            sums[lane] += sums[lane + width];
        }
    }
    if lane == 0 {
        let s = statistics[result];
        let mean = s.x;
        let residual = s.y;
        let inverse_std = s.z;
        let plain = sums[0].x;
        let weighted = inverse_std * (sums[0].y - residual * plain);
        let b = -inverse_std * inverse_std * weighted / COUNT;
        let c = -inverse_std * plain / COUNT - b * residual;
        coefficients[result] = vec4f(mean, inverse_std, b, c);
    }
}
