// Winograd, filter gradient, step 3 of 4, for CPU drivers with subgroups of eight: sums over the
// tiles. (winograd.wgsl explains the method, conv2d_winograd_product_subgroup.wgsl the lanes.)
//
//   partials[split,st,c,o] = sum over the split's tiles of v[st,tile,c] * d[st,tile,o]
//
// A workgroup computes 8 vectors c, one a lane, x 8 vectors o, which the lanes load together and hand
// round. Four tiles are added in a round.

#import wgrad::winograd::{EDGE, sizes_of}

const LANES: u32 = 8;
const ROUND: u32 = 4;

@group(0) @binding(0) var<storage, read> v: array<vec4f>;
@group(0) @binding(1) var<storage, read> d: array<vec4f>;
@group(0) @binding(2) var<storage, read> sizes: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(subgroup_invocation_id) lane: u32,
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    let size = sizes_of(sizes[0], sizes[1], sizes[2], sizes[3]);
    let tiles_c = (size.in_vecs + LANES - 1) / LANES;
    let tiles_o = (size.out_vecs + LANES - 1) / LANES;
    var id = group.y * groups.x + group.x;
    let first_o = id % tiles_o * LANES;
    id /= tiles_o;
    let c = id % tiles_c * LANES + lane;
    let split = id / tiles_c;

    // Nobody returns before all are served: vectors past the end repeat the last one.
    let own_c = min(c, size.in_vecs - 1);
    let own_o = min(first_o + lane, size.out_vecs - 1);
    let first = group.z * size.tiles + min(split * size.split_tiles, size.tiles);
    let last = group.z * size.tiles + min((split + 1) * size.split_tiles, size.tiles);
    var sum: array<array<vec4f, LANES>, 4>;
    for (var tile = first; tile < last; tile += ROUND) {
        for (var r = 0u; r < ROUND; r++) {
            // Past the split's end v counts as zero.
            let at = min(tile + r, last - 1);
            let loaded = v[at * size.in_vecs + own_c];
            let a = select(vec4f(), loaded, tile + r < last);
            let own = d[at * size.out_vecs + own_o];
            let b = array(
                subgroupBroadcast(own, 0u), subgroupBroadcast(own, 1u),
                subgroupBroadcast(own, 2u), subgroupBroadcast(own, 3u),
                subgroupBroadcast(own, 4u), subgroupBroadcast(own, 5u),
                subgroupBroadcast(own, 6u), subgroupBroadcast(own, 7u),
            );
            for (var q = 0u; q < LANES; q++) {
                for (var k = 0u; k < 4; k++) {
                    sum[k][q] = fma(vec4f(a[k]), b[q], sum[k][q]);
                }
            }
        }
    }

    for (var k = 0u; k < 4; k++) {
        for (var q = 0u; q < LANES; q++) {
            if c < size.in_vecs && first_o + q < size.out_vecs && split < size.splits {
                let row = ((split * EDGE * EDGE + group.z) * size.in_vecs + c) * 4 + k;
                partials[row * size.out_vecs + first_o + q] = sum[k][q];
            }
        }
    }
}
