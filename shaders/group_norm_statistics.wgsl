// Statistics of group normalisation, second pass: the pieces that batch_norm_partials.wgsl made
// of the channels of a group put together, as in batch_norm_statistics.wgsl:
//
//   mean = sum of count[s] * mean[c][s] / (GROUP_CHANNELS * ROWS)
//   sum of squares = sum of squares[c][s] + count[s] * (mean[c][s] - mean)^2
//
// over the pieces s of the channels c. The mean is kept as two numbers.
//
// One workgroup for each group of each sample; the order of the sums is fixed.

#import wgrad::common::rows_of_split

const SAMPLES: u32 = #{SAMPLES};
const ROWS: u32 = #{ROWS}; // positions
const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3) / 4;
const GROUPS: u32 = #{GROUPS};
const GROUP_CHANNELS: u32 = CHANNELS / GROUPS;
const COUNT: f32 = f32(GROUP_CHANNELS * ROWS);
const SPLITS: u32 = #{SPLITS};
const PIECES: u32 = SPLITS * GROUP_CHANNELS;
const NEIGHBOURS: u32 = #{NEIGHBOURS};
const SPLIT_ROWS: u32 = #{SPLIT_ROWS};
const WORKGROUP: u32 = 64;
override epsilon: f32;

// [sample][split][centre, mean - centre, sum of squared deviations][channel]
@group(0) @binding(0) var<storage, read> partials: array<f32>;
// [sample][group] (mean, what its rounding left over, inverse standard deviation, 0)
@group(0) @binding(1) var<storage, read_write> statistics: array<vec4f>;

var<workgroup> sums: array<f32, WORKGROUP>;

fn sum_of_group(value: f32, lane: u32) -> f32 {
    workgroupBarrier(); // nobody still reads the sum before
    sums[lane] = value;
    for (var width = WORKGROUP / 2; width > 0; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            sums[lane] += sums[lane + width];
        }
    }
    workgroupBarrier();
    return sums[0];
}

// How many numbers a piece of a channel has.
fn count_of(piece: u32) -> f32 {
    return f32(rows_of_split(piece / GROUP_CHANNELS, ROWS, NEIGHBOURS, SPLIT_ROWS).y);
}

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
    let first = result / GROUPS * SPLITS * 12 * VECS + result % GROUPS * GROUP_CHANNELS;
    // Relative to the first centre, so that the sum stays small.
    let origin = partials[first];
    var sum = 0.0;
    for (var p = lane; p < PIECES; p += WORKGROUP) {
        let at = first + p / GROUP_CHANNELS * 12 * VECS + p % GROUP_CHANNELS;
        sum += count_of(p) * ((partials[at] - origin) + partials[at + 4 * VECS]);
    }
    let mean = origin + sum_of_group(sum, lane) / COUNT;

    sum = 0.0;
    var squares = 0.0;
    for (var p = lane; p < PIECES; p += WORKGROUP) {
        let at = first + p / GROUP_CHANNELS * 12 * VECS + p % GROUP_CHANNELS;
        let difference = (partials[at] - mean) + partials[at + 4 * VECS];
        sum += count_of(p) * difference;
        squares += partials[at + 8 * VECS] + count_of(p) * difference * difference;
    }
    let residual = sum_of_group(sum, lane) / COUNT;
    let deviations = sum_of_group(squares, lane) - COUNT * residual * residual;
    if lane == 0 {
        let inverse_std = inverseSqrt(deviations / COUNT + epsilon);
        statistics[result] = vec4f(mean, residual, inverse_std, 0.0);
    }
}
