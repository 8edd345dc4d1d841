// Winograd, filter gradient, step 3 of 4: sums over the tiles. (winograd.wgsl explains the method.)
//
//   partials[split,st,c,o] = sum over the split's tiles of v[st,tile,c] * d[st,tile,o]
//
// for each of the transformed elements st, which the z axis of the grid goes through: as many matrix
// products, each done like linear_grad_weight.wgsl. The tiles are cut into parts, which the last
// step adds in order. One invocation keeps TILE_C x TILE_O vectors and adds the outer product of its
// part of every tile.

#import wgrad::winograd::{EDGE, sizes_of}

const TILE_C: u32 = #{TILE_C};
const TILE_O: u32 = #{TILE_O};
const WORKGROUP: u32 = #{WORKGROUP};

@group(0) @binding(0) var<storage, read> v: array<vec4f>;
@group(0) @binding(1) var<storage, read> d: array<vec4f>;
@group(0) @binding(2) var<uniform> sizes: array<vec4u, 4>;
@group(0) @binding(3) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) gid: vec3u,
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    let size = sizes_of(sizes[0], sizes[1], sizes[2], sizes[3]);
    let tiles_c = (size.in_vecs + TILE_C - 1) / TILE_C;
    let tiles_o = (size.out_vecs + TILE_O - 1) / TILE_O;
    var id = gid.y * groups.x * WORKGROUP + gid.x;
    let first_o = id % tiles_o * TILE_O;
    id /= tiles_o;
    let first_c = id % tiles_c * TILE_C;
    let split = id / tiles_c;
    if split >= size.splits {
        return;
    }

    // Vectors past the end repeat the last one: loaded, never stored.
    var o: array<u32, TILE_O>;
    for (var q = 0u; q < TILE_O; q++) {
        o[q] = min(first_o + q, size.out_vecs - 1);
    }
    var c: array<u32, TILE_C>;
    for (var p = 0u; p < TILE_C; p++) {
        c[p] = min(first_c + p, size.in_vecs - 1);
    }

    var sum: array<array<array<vec4f, TILE_O>, 4>, TILE_C>;
    let first_tile = group.z * size.tiles + split * size.split_tiles;
    let last_tile = group.z * size.tiles + min((split + 1) * size.split_tiles, size.tiles);
    for (var tile = first_tile; tile < last_tile; tile++) {
        var b: array<vec4f, TILE_O>;
        for (var q = 0u; q < TILE_O; q++) {
            b[q] = d[tile * size.out_vecs + o[q]];
        }
        for (var p = 0u; p < TILE_C; p++) {
            let a = v[tile * size.in_vecs + c[p]];
            for (var lane = 0u; lane < 4; lane++) {
                for (var q = 0u; q < TILE_O; q++) {
                    sum[p][lane][q] = fma(vec4f(a[lane]), b[q], sum[p][lane][q]);
                }
            }
        }
    }

    // The stores of the tile, one round per vector: a round stores the tile's first vector and moves
    // the others up. Unrolled, they take a CPU driver longer to compile than all the rest; that they
    // are not is due to arrayLength, a bound that no compiler knows (and never the smaller one).
    let vecs = min(min(TILE_O, size.out_vecs - first_o), arrayLength(&partials));
    for (var q = 0u; q < vecs; q++) {
        for (var p = 0u; p < TILE_C; p++) {
            for (var lane = 0u; lane < 4; lane++) {
                if first_c + p < size.in_vecs {
                    let row = ((split * EDGE * EDGE + group.z) * size.in_vecs + first_c + p) * 4 + lane;
                    partials[row * size.out_vecs + first_o + q] = sum[p][lane][0];
                }
                for (var r = 1u; r < TILE_O; r++) {
                    sum[p][lane][r - 1] = sum[p][lane][r];
                }
            }
        }
    }
}
