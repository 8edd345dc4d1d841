// Winograd F(2x2, 3x3), step 2 of 4: transforms the input. (Step 1 explains the method.)
//
//   v[s,t,tile,c] = (B^T * patch * B)[s,t]
//
//         | 1  0 -1  0 |
//   B^T = | 0  1  1  0 |
//         | 0 -1  1  0 |
//         | 0  1  0 -1 |
//
// patch is the 4x4 input patch, zero outside the image, under a tile of 2x2 output pixels. One
// invocation transforms one channel vector of one patch.

const BATCH: u32 = #{BATCH};
const IN_HEIGHT: u32 = #{IN_HEIGHT};
const IN_WIDTH: u32 = #{IN_WIDTH};
const IN_VECS: u32 = #{IN_VECS}; // input channels / 4, rounded up
const PADDING_H: i32 = #{PADDING_H};
const PADDING_W: i32 = #{PADDING_W};
const TILES_H: u32 = #{TILES_H}; // ceil(OUT_HEIGHT / 2)
const TILES_W: u32 = #{TILES_W};
const WORKGROUP: u32 = #{WORKGROUP};

const LENGTH: u32 = BATCH * TILES_H * TILES_W * IN_VECS;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> v: array<vec4f>;

// B^T applied to four elements along one axis.
fn transform(a: vec4f, b: vec4f, c: vec4f, d: vec4f) -> array<vec4f, 4> {
    return array(a - c, b + c, c - b, b - d);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let id = gid.y * groups.x * WORKGROUP + gid.x;
    if id >= LENGTH {
        return;
    }
    let c = id % IN_VECS;
    let tile = id / IN_VECS;
    let first_j = i32(tile % TILES_W * 2) - PADDING_W;
    let first_i = i32(tile / TILES_W % TILES_H * 2) - PADDING_H;
    let n = tile / (TILES_W * TILES_H);

    var columns: array<array<vec4f, 4>, 4>; // [column][s]
    for (var q = 0u; q < 4; q++) {
        var square: array<vec4f, 4>;
        for (var p = 0u; p < 4; p++) {
            // As u32, so that a negative coordinate is a large one and one comparison serves.
            let i = u32(first_i) + p;
            let j = u32(first_j) + q;
            let inside = i < IN_HEIGHT && j < IN_WIDTH;
            square[p] = select(vec4f(), x[select(0, ((n * IN_HEIGHT + i) * IN_WIDTH + j) * IN_VECS + c, inside)], inside);
        }
        columns[q] = transform(square[0], square[1], square[2], square[3]);
    }
    for (var s = 0u; s < 4; s++) {
        let row = transform(columns[0][s], columns[1][s], columns[2][s], columns[3][s]);
        for (var t = 0u; t < 4; t++) {
            v[(s * 4 + t) * LENGTH + id] = row[t];
        }
    }
}
