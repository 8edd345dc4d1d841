// Winograd F(2x2, 3x3), step 3 of 4: sums over the channels. (Step 1 explains the method.)
//
//   m[st,tile,o] = sum over c of v[st,tile,c] * u[st,c,o]
//
// for each of the 16 transformed elements st, which the z axis of the grid goes through: 16 matrix
// products, each done like linear.wgsl. One invocation computes TILE_N tiles x TILE_O vectors.

const TILES: u32 = #{TILES}; // tiles of 2x2 output pixels in the batch
const IN_VECS: u32 = #{IN_VECS}; // input channels / 4, rounded up
const OUT_VECS: u32 = #{OUT_VECS}; // output channels / 4, rounded up
const TILE_N: u32 = #{TILE_N};
const TILE_O: u32 = #{TILE_O};
const WORKGROUP: u32 = #{WORKGROUP};

const TILES_O: u32 = (OUT_VECS + TILE_O - 1) / TILE_O;

@group(0) @binding(0) var<storage, read> v: array<vec4f>;
@group(0) @binding(1) var<storage, read> u: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> m: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) gid: vec3u,
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    let id = gid.y * groups.x * WORKGROUP + gid.x;
    let first_o = id % TILES_O * TILE_O;
    let first_n = id / TILES_O * TILE_N;
    if first_n >= TILES {
        return;
    }

    // Tiles and vectors past the end repeat the last one: loaded, never stored.
    var o: array<u32, TILE_O>;
    for (var q = 0u; q < TILE_O; q++) {
        o[q] = group.z * IN_VECS * 4 * OUT_VECS + min(first_o + q, OUT_VECS - 1);
    }
    var row: array<u32, TILE_N>;
    for (var p = 0u; p < TILE_N; p++) {
        row[p] = (group.z * TILES + min(first_n + p, TILES - 1)) * IN_VECS;
    }

    var sum: array<array<vec4f, TILE_O>, TILE_N>;
    for (var c = 0u; c < IN_VECS; c++) {
        var a: array<vec4f, TILE_N>;
        for (var p = 0u; p < TILE_N; p++) {
            a[p] = v[row[p] + c];
        }
        for (var q = 0u; q < TILE_O; q++) {
            var w: array<vec4f, 4>;
            for (var lane = 0u; lane < 4; lane++) {
                w[lane] = u[(c * 4 + lane) * OUT_VECS + o[q]];
            }
            for (var p = 0u; p < TILE_N; p++) {
                for (var lane = 0u; lane < 4; lane++) {
                    sum[p][q] = fma(vec4f(a[p][lane]), w[lane], sum[p][q]);
                }
            }
        }
    }

    // The stores of the tile, one round per vector: a round stores the tile's first vector and moves
    // the others up. Unrolled, they take a CPU driver longer to compile than all the rest; that they
    // are not is due to arrayLength, a bound that no compiler knows (and never the smaller one).
    let vecs = min(min(TILE_O, OUT_VECS - first_o), arrayLength(&m));
    for (var q = 0u; q < vecs; q++) {
        for (var p = 0u; p < TILE_N; p++) {
            let n = first_n + p;
            if n < TILES {
                m[(group.z * TILES + n) * OUT_VECS + first_o + q] = sum[p][0];
            }
            for (var r = 1u; r < TILE_O; r++) {
                sum[p][r - 1] = sum[p][r];
            }
        }
    }
}
