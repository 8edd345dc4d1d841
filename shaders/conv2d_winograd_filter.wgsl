// Winograd, step 1 of 4: transforms the filter. (winograd.wgsl explains the method.)
//
//   u[s,t,c,o] = (G * weight[.,.,c,o] * G^T)[s,t]
//
// For the input gradient, rotated, c counts the filter's output channels, o its input channels, and
// the filter is turned by 180 degrees. One invocation transforms one pair of channels.
//
// Numbers rather than vectors of four are transformed: filters are small, and a CPU driver compiles
// a quarter of the code.

#import wgrad::winograd::{EDGE, sizes_of, transform_filter}

const WORKGROUP: u32 = #{WORKGROUP};

@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<uniform> sizes: array<vec4u, 4>;
@group(0) @binding(2) var<storage, read_write> u: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let size = sizes_of(sizes[0], sizes[1], sizes[2], sizes[3]);
    let id = gid.y * groups.x * WORKGROUP + gid.x;
    let rows = size.in_vecs * 4;
    let columns = size.out_vecs * 4;
    let length = rows * columns;
    if id >= length {
        return;
    }
    let pair = select(id, id % columns * rows + id / columns, size.rotated > 0);

    // Loops that stay loops: conv2d_winograd_input.wgsl says why and how.
    let rounds = arrayLength(&u);
    var along: array<array<f32, EDGE>, 3>; // [column][s]
    for (var v = 0u; v < min(3, rounds); v++) {
        for (var r = 1u; r < 3; r++) {
            along[r - 1] = along[r];
        }
        var column: array<f32, 3>;
        for (var w = 0u; w < 3; w++) {
            let tap = select(w * 3 + v, 8 - w * 3 - v, size.rotated > 0);
            column[w] = weight[tap * length + pair];
        }
        along[2] = transform_filter(column);
    }
    for (var s = 0u; s < min(EDGE, rounds); s++) {
        let row = transform_filter(array(along[0][0], along[1][0], along[2][0]));
        for (var v = 0u; v < 3; v++) {
            for (var r = 1u; r < EDGE; r++) {
                along[v][r - 1] = along[v][r];
            }
        }
        for (var t = 0u; t < EDGE; t++) {
            u[(s * EDGE + t) * length + id] = row[t];
        }
    }
}
