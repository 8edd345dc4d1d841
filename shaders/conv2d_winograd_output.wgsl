// Winograd, step 4 of 4: transforms the sums back. (winograd.wgsl explains the method.)
//
//   tile of y = A^T * m * A + bias
//
// One invocation computes the output pixels of one tile for one channel vector.
//
// With STATISTICS, all tiles are whole, and it also stores what batch_norm_partials.wgsl would compute
// of its SIDE * SIDE pixels. Differences from the first pixel stay small however far from zero the
// channel lies.

#import wgrad::epilogue::finish
#import wgrad::winograd::{EDGE, SIDE, sizes_of, transform_result}

const WORKGROUP: u32 = #{WORKGROUP};

@group(0) @binding(0) var<storage, read> m: array<vec4f>;
@group(0) @binding(1) var<uniform> sizes: array<vec4u, 4>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
#ifdef BIAS
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
#endif
#ifdef STATISTICS
// [tile][first pixel, mean - first, sum of squared deviations from the mean][channel]
@group(0) @binding(4) var<storage, read_write> statistics: array<vec4f>;
#endif

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

#ifdef BIAS
    let b = bias[o];
#else
    let b = vec4f();
#endif
    // Loops that stay loops: conv2d_winograd_input.wgsl says why and how.
    let rounds = arrayLength(&m);
    var columns: array<array<vec4f, SIDE>, EDGE>; // [t][row]
    for (var t = 0u; t < min(EDGE, rounds); t++) {
        for (var r = 1u; r < EDGE; r++) {
            columns[r - 1] = columns[r];
        }
        var column: array<vec4f, EDGE>;
        for (var s = 0u; s < EDGE; s++) {
            column[s] = m[(s * EDGE + t) * length + id];
        }
        columns[EDGE - 1] = transform_result(column);
    }
#ifdef STATISTICS
    var first = vec4f();
    var total = vec4f();
    var squares = vec4f();
#endif
    for (var p = 0u; p < min(SIDE, rounds); p++) {
        var sums: array<vec4f, EDGE>;
        for (var t = 0u; t < EDGE; t++) {
            sums[t] = columns[t][0];
            for (var r = 1u; r < SIDE; r++) {
                columns[t][r - 1] = columns[t][r];
            }
        }
        let row = transform_result(sums);
        for (var q = 0u; q < SIDE; q++) {
            let i = first_i + p;
            let j = first_j + q;
            if i < size.out_height && j < size.out_width {
                let at = ((n * size.out_height + i) * size.out_width + j) * size.out_vecs + o;
                let value = finish(row[q] + b, at, o);
                y[at] = value;
#ifdef STATISTICS
                first = select(first, value, p + q == 0);
                let d = value - first;
                total += d;
                squares += d * d;
#endif
            }
        }
    }
#ifdef STATISTICS
    let mean = total / f32(SIDE * SIDE);
    let at = 3 * tile * size.out_vecs + o;
    statistics[at] = first;
    statistics[at + size.out_vecs] = mean;
    statistics[at + 2 * size.out_vecs] = squares - total * mean;
#endif
}
