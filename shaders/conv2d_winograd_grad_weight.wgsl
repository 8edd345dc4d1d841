// Winograd, filter gradient, step 4 of 4: adds the partial sums and transforms back.
// (winograd.wgsl explains the method.)
//
//   dw[.,.,c,o] = G^T * (sum over splits of partials[split,.,.,c,o]) * G
//
// One invocation computes the 3x3 taps of one input and one output channel.
//
// Numbers rather than vectors of four are transformed: filters are small, and a CPU driver compiles
// a quarter of the code.

#import wgrad::winograd::{EDGE, sizes_of, transform_gradient}

const WORKGROUP: u32 = #{WORKGROUP};

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<uniform> sizes: array<vec4u, 4>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let size = sizes_of(sizes[0], sizes[1], sizes[2], sizes[3]);
    let id = gid.y * groups.x * WORKGROUP + gid.x;
    let length = size.in_vecs * 4 * size.out_vecs * 4;
    if id >= length {
        return;
    }
    // Loops that stay loops: conv2d_winograd_input.wgsl says why and how.
    let rounds = arrayLength(&dw);
    var columns: array<array<f32, 3>, EDGE>; // [t][u]
    for (var t = 0u; t < min(EDGE, rounds); t++) {
        for (var r = 1u; r < EDGE; r++) {
            columns[r - 1] = columns[r];
        }
        var sums: array<f32, EDGE>;
        for (var split = 0u; split < size.all_splits; split++) {
            for (var s = 0u; s < EDGE; s++) {
                sums[s] += partials[((split * EDGE + s) * EDGE + t) * length + id];
            }
        }
        columns[EDGE - 1] = transform_gradient(sums);
    }
    for (var u = 0u; u < min(3, rounds); u++) {
        var sums: array<f32, EDGE>;
        for (var t = 0u; t < EDGE; t++) {
            sums[t] = columns[t][0];
            for (var r = 1u; r < 3; r++) {
                columns[t][r - 1] = columns[t][r];
            }
        }
        let row = transform_gradient(sums);
        for (var v = 0u; v < 3; v++) {
            dw[(u * 3 + v) * length + id] = row[v];
        }
    }
}
