// Winograd F(2x2, 3x3), filter gradient, step 4 of 4: adds the partial sums and transforms back.
// (conv2d_winograd_grad_output.wgsl explains the method.)
//
//   dw[.,.,c,o] = G^T * (sum over splits of partials[split,.,.,c,o]) * G
//
//         | 1  1/2  1/2  0 |
//   G^T = | 0  1/2 -1/2  0 |
//         | 0  1/2  1/2  1 |
//
// One invocation computes the 3x3 taps of one input and one output channel.
//
// Numbers rather than vectors of four are transformed: filters are small, and a CPU driver compiles
// a quarter of the code.

const ROWS: u32 = #{ROWS}; // input channels rounded up to a multiple of 4
const OUT_VECS: u32 = #{OUT_VECS}; // output channels / 4, rounded up
const SPLITS: u32 = #{SPLITS};
const WORKGROUP: u32 = #{WORKGROUP};

const LENGTH: u32 = ROWS * OUT_VECS * 4;

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> dw: array<f32>;

// G^T applied to four elements along one axis.
fn transform(a: f32, b: f32, c: f32, d: f32) -> array<f32, 3> {
    return array(a + 0.5 * (b + c), 0.5 * (b - c), 0.5 * (b + c) + d);
}

fn total(element: u32, id: u32) -> f32 {
    var sum = 0.0;
    // Sixteen such loops are inlined below. Bounded by arrayLength, which no compiler knows (and
    // which is never the smaller one), they stay loops; unrolled they take long to compile.
    let splits = min(SPLITS, arrayLength(&partials));
    for (var s = 0u; s < splits; s++) {
        sum += partials[(s * 16 + element) * LENGTH + id];
    }
    return sum;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let id = gid.y * groups.x * WORKGROUP + gid.x;
    if id >= LENGTH {
        return;
    }
    var columns: array<array<f32, 3>, 4>; // [t][u]
    for (var t = 0u; t < 4; t++) {
        columns[t] = transform(total(t, id), total(4 + t, id), total(8 + t, id), total(12 + t, id));
    }
    for (var u = 0u; u < 3; u++) {
        let row = transform(columns[0][u], columns[1][u], columns[2][u], columns[3][u]);
        for (var v = 0u; v < 3; v++) {
            dw[(u * 3 + v) * LENGTH + id] = row[v];
        }
    }
}
