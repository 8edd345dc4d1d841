// Winograd, step 2 of 4: transforms the input. (winograd.wgsl explains the method.)
//
//   v[s,t,tile,c] = (B^T * patch * B)[s,t]
//
// patch is the input patch, zero outside the image, under a tile of output pixels. One invocation
// transforms one channel vector of one patch.

#import wgrad::winograd::{EDGE, SIDE, sizes_of, transform_patch}

const WORKGROUP: u32 = #{WORKGROUP};

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<uniform> sizes: array<vec4u, 4>;
@group(0) @binding(2) var<storage, read_write> v: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let size = sizes_of(sizes[0], sizes[1], sizes[2], sizes[3]);
    let id = gid.y * groups.x * WORKGROUP + gid.x;
    let length = size.tiles * size.in_vecs;
    if id >= length {
        return;
    }
    let tile = id / size.in_vecs;
    let c = id - tile * size.in_vecs;
    let row_of_tiles = tile / size.tiles_w;
    let n = row_of_tiles / size.tiles_h;
    // As u32, so that a negative coordinate is a large one and one comparison serves.
    let first_i = u32(i32((row_of_tiles - n * size.tiles_h) * SIDE) - size.padding_h);
    let first_j = u32(i32((tile - row_of_tiles * size.tiles_w) * SIDE) - size.padding_w);

    // Both loops take their turn at the end of the array and move the others along: with an index
    // that varies, the array would lie in memory, and unrolled they take a CPU driver long to
    // compile. arrayLength is a bound that no compiler knows (and never the smaller one).
    let rounds = min(EDGE, arrayLength(&v));
    var columns: array<array<vec4f, EDGE>, EDGE>; // [column][s]
    for (var q = 0u; q < rounds; q++) {
        for (var t = 1u; t < EDGE; t++) {
            columns[t - 1] = columns[t];
        }
        var square: array<vec4f, EDGE>;
        for (var p = 0u; p < EDGE; p++) {
            let i = first_i + p;
            let j = first_j + q;
            let inside = i < size.in_height && j < size.in_width;
            let at = ((n * size.in_height + i) * size.in_width + j) * size.in_vecs + c;
            square[p] = select(vec4f(), x[select(0, at, inside)], inside);
        }
        columns[EDGE - 1] = transform_patch(square);
    }
    for (var s = 0u; s < rounds; s++) {
        var row: array<vec4f, EDGE>;
        for (var t = 0u; t < EDGE; t++) {
            row[t] = columns[t][0];
            for (var r = 1u; r < EDGE; r++) {
                columns[t][r - 1] = columns[t][r];
            }
        }
        row = transform_patch(row);
        for (var t = 0u; t < EDGE; t++) {
            v[(s * EDGE + t) * length + id] = row[t];
        }
    }
}
