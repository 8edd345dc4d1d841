// Gradients of weight and bias of group normalisation: with
// xhat = (x - mean - residual) * inverse_std,
//
//   dweight = sum of dy * xhat        dbias = sum of dy
//
// Weight and bias repeat after PERIOD vec4s; the sums are over the ROWS repetitions: samples and
// positions, or samples alone. They are cut into SPLITS pieces, which sum_partials.wgsl adds up; a
// single piece is the result.

#import wgrad::common::{linear_index, groups_of_lanes, rows_of_split}

const PERIOD: u32 = #{PERIOD}; // vec4s
const ROWS: u32 = #{ROWS};
const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3) / 4;
const POSITIONS: u32 = #{POSITIONS};
const GROUPS: u32 = #{GROUPS};
const GROUP_CHANNELS: u32 = CHANNELS / GROUPS;
const SPLITS: u32 = #{SPLITS};
const NEIGHBOURS: u32 = #{NEIGHBOURS};
const SPLIT_ROWS: u32 = #{SPLIT_ROWS};

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
// [sample][group] (mean, what its rounding left over, inverse standard deviation, 0)
@group(0) @binding(2) var<storage, read> statistics: array<vec4f>;
// [split][vec4]
@group(0) @binding(3) var<storage, read_write> dweight: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dbias: array<vec4f>;

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
    if i >= SPLITS * PERIOD {
        return;
    }
    let rows = rows_of_split(i / PERIOD, ROWS, NEIGHBOURS, SPLIT_ROWS);
    let first = rows.x * PERIOD + i % PERIOD;
    let v = i % VECS; // PERIOD is a multiple of VECS
    var plain = vec4f();
    var weighted = vec4f();
    for (var r = 0u; r < rows.y; r++) {
        let at = first + r * NEIGHBOURS * PERIOD;
        let s = statistics_of(at / (VECS * POSITIONS), v);
        let d = dy[at];
        plain += d;
        weighted += d * (((x[at] - s[0]) - s[1]) * s[2]);
    }
    // Padding stays zero, whatever the statistics are.
    let exists = 4 * v + vec4u(0, 1, 2, 3) < vec4u(CHANNELS);
    dweight[i] = select(vec4f(), weighted, exists);
    dbias[i] = plain;
}
