// Winograd F(2x2, 3x3), step 1 of 4: transforms the filter.
//
//   u[s,t,c,o] = (G * weight[.,.,c,o] * G^T)[s,t]
//
//       | 1    0    0  |
//   G = | 1/2  1/2  1/2|
//       | 1/2 -1/2  1/2|
//       | 0    0    1  |
//
// A 2x2 tile of a 3x3, stride-1 convolution needs 36 multiplications; with both the filter and the
// 4x4 input patch transformed it needs 16, one per transformed element, for every pair of channels
// (Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2015). The steps are
// filter, input, product (channels are summed there) and output; the transformed arrays are laid
// out as 16 matrices, one for each (s,t).
//
// One invocation transforms one output channel of one input channel.
//
// Numbers rather than vectors of four are transformed: filters are small, and a CPU driver compiles
// a quarter of the code.

const ROWS: u32 = #{ROWS}; // input channels rounded up to a multiple of 4
const OUT_VECS: u32 = #{OUT_VECS}; // output channels / 4, rounded up
const WORKGROUP: u32 = #{WORKGROUP};

const LENGTH: u32 = ROWS * OUT_VECS * 4;

@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<storage, read_write> u: array<f32>;

// G applied to three elements along one axis.
fn transform(a: f32, b: f32, c: f32) -> array<f32, 4> {
    return array(a, 0.5 * (a + b + c), 0.5 * (a - b + c), c);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let id = gid.y * groups.x * WORKGROUP + gid.x;
    if id >= LENGTH {
        return;
    }
    var columns: array<array<f32, 4>, 3>; // [v][s]
    for (var v = 0u; v < 3; v++) {
        columns[v] = transform(weight[v * LENGTH + id], weight[(3 + v) * LENGTH + id], weight[(6 + v) * LENGTH + id]);
    }
    for (var s = 0u; s < 4; s++) {
        let row = transform(columns[0][s], columns[1][s], columns[2][s]);
        for (var t = 0u; t < 4; t++) {
            u[(s * 4 + t) * LENGTH + id] = row[t];
        }
    }
}
