// Winograd, step 3 of 4: sums over the channels. (winograd.wgsl explains the method.)
//
//   m[st,tile,o] = sum over c of v[st,tile,c] * u[st,c,o]
//
// for each of the transformed elements st, which the z axis of the grid goes through: as many matrix
// products, each done like linear.wgsl. One invocation computes TILE_N tiles x TILE_O vectors.

#import wgrad::winograd::sizes_of

const TILE_N: u32 = #{TILE_N};
const TILE_O: u32 = #{TILE_O};
const WORKGROUP: u32 = #{WORKGROUP};

@group(0) @binding(0) var<storage, read> v: array<vec4f>;
@group(0) @binding(1) var<storage, read> u: array<vec4f>;
@group(0) @binding(2) var<uniform> sizes: array<vec4u, 4>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) gid: vec3u,
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    let size = sizes_of(sizes[0], sizes[1], sizes[2], sizes[3]);
    let id = gid.y * groups.x * WORKGROUP + gid.x;
    let tiles_o = (size.out_vecs + TILE_O - 1) / TILE_O;
    let first_o = id % tiles_o * TILE_O;
    let first_n = id / tiles_o * TILE_N;
    if first_n >= size.tiles {
        return;
    }

    // Tiles and vectors past the end repeat the last one: loaded, never stored.
    var o: array<u32, TILE_O>;
    for (var q = 0u; q < TILE_O; q++) {
        o[q] = group.z * size.in_vecs * 4 * size.out_vecs + min(first_o + q, size.out_vecs - 1);
    }
    var row: array<u32, TILE_N>;
    for (var p = 0u; p < TILE_N; p++) {
        row[p] = (group.z * size.tiles + min(first_n + p, size.tiles - 1)) * size.in_vecs;
    }

    var sum: array<array<vec4f, TILE_O>, TILE_N>;
    for (var c = 0u; c < size.in_vecs; c++) {
        var a: array<vec4f, TILE_N>;
        for (var p = 0u; p < TILE_N; p++) {
            a[p] = v[row[p] + c];
        }
        for (var q = 0u; q < TILE_O; q++) {
            var w: array<vec4f, 4>;
            for (var lane = 0u; lane < 4; lane++) {
                w[lane] = u[(c * 4 + lane) * size.out_vecs + o[q]];
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
    let vecs = min(min(TILE_O, size.out_vecs - first_o), arrayLength(&m));
    for (var q = 0u; q < vecs; q++) {
        for (var p = 0u; p < TILE_N; p++) {
            let n = first_n + p;
            if n < size.tiles {
                m[(group.z * size.tiles + n) * size.out_vecs + first_o + q] = sum[p][0];
            }
            for (var r = 1u; r < TILE_O; r++) {
                sum[p][r - 1] = sum[p][r];
            }
        }
    }
}
