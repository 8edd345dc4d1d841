// Winograd, filter gradient, step 2 of 4: transforms dy. (winograd.wgsl explains the method.)
//
//   d[s,t,tile,o] = (A * tile of dy * A^T)[s,t]
//
// One invocation transforms one channel vector of one tile of dy, which is zero outside the image.

#import wgrad::winograd::{EDGE, SIDE, sizes_of, transform_delta}

const WORKGROUP: u32 = #{WORKGROUP};

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<uniform> sizes: array<vec4u, 4>;
@group(0) @binding(2) var<storage, read_write> d: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let size = sizes_of(sizes[0], sizes[1], sizes[2], sizes[3]);
    let id = gid.y * groups.x * WORKGROUP + gid.x;
    let length = size.tiles * size.out_vecs;
    if id >= length {
        return;
    }
    let tile = id / size.out_vecs;
    let o = id - tile * size.out_vecs;
    let row_of_tiles = tile / size.tiles_w;
    let n = row_of_tiles / size.tiles_h;
    let first_i = (row_of_tiles - n * size.tiles_h) * SIDE;
    let first_j = (tile - row_of_tiles * size.tiles_w) * SIDE;

    // Loops that stay loops: conv2d_winograd_input.wgsl says why and how.
    let rounds = arrayLength(&d);
    var columns: array<array<vec4f, EDGE>, SIDE>; // [column][s]
    for (var q = 0u; q < min(SIDE, rounds); q++) {
        for (var r = 1u; r < SIDE; r++) {
            columns[r - 1] = columns[r];
        }
        var pixels: array<vec4f, SIDE>;
        for (var p = 0u; p < SIDE; p++) {
            let i = first_i + p;
            let j = first_j + q;
            let inside = i < size.out_height && j < size.out_width;
            let at = ((n * size.out_height + i) * size.out_width + j) * size.out_vecs + o;
            pixels[p] = select(vec4f(), dy[select(0, at, inside)], inside);
        }
        columns[SIDE - 1] = transform_delta(pixels);
    }
    for (var s = 0u; s < min(EDGE, rounds); s++) {
        var pixels: array<vec4f, SIDE>;
        for (var q = 0u; q < SIDE; q++) {
            pixels[q] = columns[q][0];
            for (var r = 1u; r < EDGE; r++) {
                columns[q][r - 1] = columns[q][r];
            }
        }
        let row = transform_delta(pixels);
        for (var t = 0u; t < EDGE; t++) {
            d[(s * EDGE + t) * length + id] = row[t];
        }
    }
}
