// Winograd, step 3 of 4, for CPU drivers with subgroups of eight: sums over the channels.
// (winograd.wgsl explains the method.)
//
//   m[st,tile,o] = sum over c of v[st,tile,c] * u[st,c,o]
//
// for each of the transformed elements st, which the z axis of the grid goes through. Such a driver
// makes the eight invocations of a workgroup the lanes of SIMD registers, and loads for them one
// after the other. So a lane loads only what is its own, TILE_N rows of v, and of u, which all need,
// an eighth: four rows of two vectors at a time are handed round. A workgroup computes 8 * TILE_N
// tiles x TILE_O vectors, TILE_O even.

#import wgrad::winograd::sizes_of

const TILE_N: u32 = #{TILE_N};
const TILE_O: u32 = #{TILE_O};
const LANES: u32 = 8;

@group(0) @binding(0) var<storage, read> v: array<vec4f>;
@group(0) @binding(1) var<storage, read> u: array<vec4f>;
@group(0) @binding(2) var<storage, read> sizes: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(subgroup_invocation_id) lane: u32,
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    let size = sizes_of(sizes[0], sizes[1], sizes[2], sizes[3]);
    let id = group.y * groups.x + group.x;
    let tiles_o = (size.out_vecs + TILE_O - 1) / TILE_O;
    let first_o = id % tiles_o * TILE_O;
    let first_n = (id / tiles_o * LANES + lane) * TILE_N;

    // Nobody returns before all are served: tiles and vectors past the end repeat the last one.
    var row: array<u32, TILE_N>;
    for (var p = 0u; p < TILE_N; p++) {
        row[p] = (group.z * size.tiles + min(first_n + p, size.tiles - 1)) * size.in_vecs;
    }
    var share: array<u32, TILE_O / 2>; // lane l has row l / 2 of four, vector l % 2 of two
    for (var r = 0u; r < TILE_O / 2; r++) {
        let o = min(first_o + 2 * r + lane % 2, size.out_vecs - 1);
        share[r] = (group.z * size.in_vecs * 4 + lane / 2) * size.out_vecs + o;
    }

    var sum: array<array<vec4f, TILE_O>, TILE_N>;
    for (var c = 0u; c < size.in_vecs; c++) {
        var a: array<vec4f, TILE_N>;
        for (var p = 0u; p < TILE_N; p++) {
            a[p] = v[row[p] + c];
        }
        for (var r = 0u; r < TILE_O / 2; r++) {
            let own = u[c * 4 * size.out_vecs + share[r]];
            let even = array(
                subgroupBroadcast(own, 0u), subgroupBroadcast(own, 2u),
                subgroupBroadcast(own, 4u), subgroupBroadcast(own, 6u),
            );
            let odd = array(
                subgroupBroadcast(own, 1u), subgroupBroadcast(own, 3u),
                subgroupBroadcast(own, 5u), subgroupBroadcast(own, 7u),
            );
            for (var p = 0u; p < TILE_N; p++) {
                for (var k = 0u; k < 4; k++) {
                    sum[p][2 * r] = fma(vec4f(a[p][k]), even[k], sum[p][2 * r]);
                    sum[p][2 * r + 1] = fma(vec4f(a[p][k]), odd[k], sum[p][2 * r + 1]);
                }
            }
        }
    }

    for (var p = 0u; p < TILE_N; p++) {
        for (var q = 0u; q < TILE_O; q++) {
            if first_n + p < size.tiles && first_o + q < size.out_vecs {
                m[(group.z * size.tiles + first_n + p) * size.out_vecs + first_o + q] = sum[p][q];
            }
        }
    }
}
