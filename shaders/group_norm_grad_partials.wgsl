// Gradient of group normalisation, first pass: for a piece of each channel of each sample, the sums
// of g and of g * (x - mean), where g = weight * dy.

#import wgrad::common::{linear_index, groups_of_lanes, rows_of_split}

const SAMPLES: u32 = #{SAMPLES};
const ROWS: u32 = #{ROWS}; // positions
const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3) / 4;
const GROUPS: u32 = #{GROUPS};
const GROUP_CHANNELS: u32 = CHANNELS / GROUPS;
const SPLITS: u32 = #{SPLITS};
const NEIGHBOURS: u32 = #{NEIGHBOURS};
const SPLIT_ROWS: u32 = #{SPLIT_ROWS};

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
// [sample][group] (mean, what its rounding left over, inverse standard deviation, 0)
@group(0) @binding(2) var<storage, read> statistics: array<vec4f>;
// [sample][split][sum of g, sum of g * (x - mean)][channel]
@group(0) @binding(3) var<storage, read_write> partials: array<vec4f>;
#ifdef AFFINE_PERIOD
const AFFINE_PERIOD: u32 = #{AFFINE_PERIOD}; // vec4s
@group(0) @binding(4) var<storage, read> weight: array<vec4f>;
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= SAMPLES * SPLITS * VECS {
        return;
    }
    let v = i % VECS;
    let split = i / VECS % SPLITS;
    let sample = i / (VECS * SPLITS);
    let g = sample * GROUPS + groups_of_lanes(v, CHANNELS, GROUP_CHANNELS);
    let mean = vec4f(statistics[g.x].x, statistics[g.y].x, statistics[g.z].x, statistics[g.w].x);
    let rows = rows_of_split(split, ROWS, NEIGHBOURS, SPLIT_ROWS);
    let first = (sample * ROWS + rows.x) * VECS + v;
    var plain = vec4f();
    var weighted = vec4f();
    for (var r = 0u; r < rows.y; r++) {
        let at = first + r * NEIGHBOURS * VECS;
#ifdef AFFINE_PERIOD
        let d = weight[at % AFFINE_PERIOD] * dy[at];
#else
        let d = dy[at];
#endif
        plain += d;
        weighted += d * (x[at] - mean);
    }
    partials[2 * (i - v) + v] = plain;
    partials[2 * (i - v) + VECS + v] = weighted;
}
