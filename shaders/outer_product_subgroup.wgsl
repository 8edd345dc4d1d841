// The gradient of a matrix for CPU drivers with subgroups of eight: linear layers, 1x1 convolutions,
// and the filter gradients of Winograd's algorithm. (product_subgroup.wgsl tells of the lanes.)
//
//   partials[split,l,c,o] = sum over the split's rows n of x[l,n,c] * dy[l,n,o]
//
// with as many layers l as the z axis of the grid has. A workgroup computes 8 vectors c, one a lane, x
// 8 vectors o, which the lanes load together and hand round. Four rows are added in a round.
//
// Sizes are data, so that layers of all sizes share one compiled kernel.

const LANES: u32 = 8;
const ROUND: u32 = 4;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<uniform> sizes: array<vec4u, 2>;
@group(0) @binding(3) var<storage, read_write> partials: array<vec4f>;

// The values of all lanes; the number of a lane has to be a constant.
fn hand_round(own: vec4f) -> array<vec4f, LANES> {
    return array(
        subgroupBroadcast(own, 0u), subgroupBroadcast(own, 1u),
        subgroupBroadcast(own, 2u), subgroupBroadcast(own, 3u),
        subgroupBroadcast(own, 4u), subgroupBroadcast(own, 5u),
        subgroupBroadcast(own, 6u), subgroupBroadcast(own, 7u),
    );
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(subgroup_invocation_id) lane: u32,
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    let size = sizes[0];
    let rows = size.x;
    let in_vecs = size.y; // of a row of x
    let out_vecs = size.z; // of a row of dy
    let splits = size.w; // parts of a sum
    let split_rows = sizes[1].x; // rows of a part

    let tiles_c = (in_vecs + LANES - 1) / LANES;
    let tiles_o = (out_vecs + LANES - 1) / LANES;
    var id = group.y * groups.x + group.x;
    let first_o = id % tiles_o * LANES;
    id /= tiles_o;
    let c = id % tiles_c * LANES + lane;
    let split = id / tiles_c;

    // Nobody returns before all are served: vectors past the end repeat the last one.
    let own_c = min(c, in_vecs - 1);
    let own_o = min(first_o + lane, out_vecs - 1);
    let first = group.z * rows + min(split * split_rows, rows);
    let last = group.z * rows + min((split + 1) * split_rows, rows);
    var sum: array<array<vec4f, LANES>, 4>;
    for (var n = first; n < last; n += ROUND) {
        var a: array<vec4f, ROUND>;
        var own: array<vec4f, ROUND>;
        for (var r = 0u; r < ROUND; r++) {
            // Past the split's end x counts as zero.
            let at = min(n + r, last - 1);
            a[r] = select(vec4f(), x[at * in_vecs + own_c], n + r < last);
            own[r] = dy[at * out_vecs + own_o];
        }
        for (var r = 0u; r < ROUND; r++) {
            let all = hand_round(own[r]);
            for (var q = 0u; q < LANES; q++) {
                for (var k = 0u; k < 4; k++) {
                    sum[k][q] = fma(vec4f(a[r][k]), all[q], sum[k][q]);
                }
            }
        }
    }

    // As in product_subgroup.wgsl, a round per vector.
    let rounds = arrayLength(&partials);
    let vecs = min(min(LANES, out_vecs - first_o), rounds);
    for (var q = 0u; q < vecs; q++) {
        for (var k = 0u; k < min(4, rounds); k++) {
            if c < in_vecs && split < splits {
                let row = ((split * groups.z + group.z) * in_vecs + c) * 4 + k;
                partials[row * out_vecs + first_o + q] = sum[0][0];
            }
            for (var r = 1u; r < 4; r++) {
                sum[r - 1][0] = sum[r][0];
            }
        }
        for (var k = 0u; k < 4; k++) {
            for (var r = 1u; r < LANES; r++) {
                sum[k][r - 1] = sum[k][r];
            }
        }
    }
}
