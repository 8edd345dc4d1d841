// Winograd F(2x2, 3x3), filter gradient, step 3 of 4: sums over the tiles.
// (conv2d_winograd_grad_output.wgsl explains the method.)
//
//   partials[split,st,c,o] = sum over the split's tiles of v[st,tile,c] * d[st,tile,o]
//
// for each of the 16 transformed elements st, which the z axis of the grid goes through: 16 matrix
// products, each done like linear_grad_weight.wgsl. The tiles are cut into SPLITS pieces of
// SPLIT_TILES, which the last step adds in order. One invocation keeps TILE_C x TILE_O vectors and
// adds the outer product of its part of every tile.

const TILES: u32 = #{TILES}; // tiles of 2x2 output pixels in the batch
const IN_VECS: u32 = #{IN_VECS}; // input channels / 4, rounded up
const OUT_VECS: u32 = #{OUT_VECS}; // output channels / 4, rounded up
const SPLITS: u32 = #{SPLITS};
const SPLIT_TILES: u32 = #{SPLIT_TILES}; // SPLITS * SPLIT_TILES >= TILES
const TILE_C: u32 = #{TILE_C};
const TILE_O: u32 = #{TILE_O};
const WORKGROUP: u32 = #{WORKGROUP};

const TILES_C: u32 = (IN_VECS + TILE_C - 1) / TILE_C;
const TILES_O: u32 = (OUT_VECS + TILE_O - 1) / TILE_O;

@group(0) @binding(0) var<storage, read> v: array<vec4f>;
@group(0) @binding(1) var<storage, read> d: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) gid: vec3u,
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    var id = gid.y * groups.x * WORKGROUP + gid.x;
    let first_o = id % TILES_O * TILE_O;
    id /= TILES_O;
    let first_c = id % TILES_C * TILE_C;
    let split = id / TILES_C;
    if split >= SPLITS {
        return;
    }

    // Vectors past the end repeat the last one: loaded, never stored.
    var o: array<u32, TILE_O>;
    for (var q = 0u; q < TILE_O; q++) {
        o[q] = min(first_o + q, OUT_VECS - 1);
    }
    var c: array<u32, TILE_C>;
    for (var p = 0u; p < TILE_C; p++) {
        c[p] = min(first_c + p, IN_VECS - 1);
    }

    var sum: array<array<array<vec4f, TILE_O>, 4>, TILE_C>;
    let first_tile = group.z * TILES + split * SPLIT_TILES;
    let last_tile = group.z * TILES + min((split + 1) * SPLIT_TILES, TILES);
    for (var tile = first_tile; tile < last_tile; tile++) {
        var b: array<vec4f, TILE_O>;
        for (var q = 0u; q < TILE_O; q++) {
            b[q] = d[tile * OUT_VECS + o[q]];
        }
        for (var p = 0u; p < TILE_C; p++) {
            let a = v[tile * IN_VECS + c[p]];
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
    let vecs = min(min(TILE_O, OUT_VECS - first_o), arrayLength(&partials));
    for (var q = 0u; q < vecs; q++) {
        for (var p = 0u; p < TILE_C; p++) {
            for (var lane = 0u; lane < 4; lane++) {
                if first_c + p < IN_VECS {
                    let row = ((split * 16 + group.z) * IN_VECS + first_c + p) * 4 + lane;
                    partials[row * OUT_VECS + first_o + q] = sum[p][lane][0];
                }
                for (var r = 1u; r < TILE_O; r++) {
                    sum[p][lane][r - 1] = sum[p][lane][r];
                }
            }
        }
    }
}
