// Winograd F(2x2, 3x3), filter gradient, step 2 of 4: transforms dy.
//
//   d[s,t,tile,o] = (A * tile of dy * A^T)[s,t]        A = | 1  0 |
//                                                          | 1  1 |
//                                                          | 1 -1 |
//                                                          | 0 -1 |
//
// The forward pass is y = A^T ((G w G^T) * (B^T x B)) A, so the gradient of the filter is
//
//   dw = G^T (sum over tiles of (A dy A^T) * (B^T x B)) G
//
// with the products taken element by element: 16 multiplications instead of 36 again. Step 1 is
// conv2d_winograd_input.wgsl, as in the forward pass; then grad_output, grad_product, grad_weight.
//
// One invocation transforms one channel vector of one tile of 2x2 pixels of dy.

const BATCH: u32 = #{BATCH};
const OUT_HEIGHT: u32 = #{OUT_HEIGHT};
const OUT_WIDTH: u32 = #{OUT_WIDTH};
const OUT_VECS: u32 = #{OUT_VECS}; // output channels / 4, rounded up
const WORKGROUP: u32 = #{WORKGROUP};

const TILES_H: u32 = (OUT_HEIGHT + 1) / 2;
const TILES_W: u32 = (OUT_WIDTH + 1) / 2;
const LENGTH: u32 = BATCH * TILES_H * TILES_W * OUT_VECS;

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> d: array<vec4f>;

// A applied to two elements along one axis.
fn transform(a: vec4f, b: vec4f) -> array<vec4f, 4> {
    return array(a, a + b, a - b, -b);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let id = gid.y * groups.x * WORKGROUP + gid.x;
    if id >= LENGTH {
        return;
    }
    let o = id % OUT_VECS;
    let tile = id / OUT_VECS;
    let first_j = tile % TILES_W * 2;
    let first_i = tile / TILES_W % TILES_H * 2;
    let n = tile / (TILES_W * TILES_H);

    var columns: array<array<vec4f, 4>, 2>; // [column][s]
    for (var q = 0u; q < 2; q++) {
        var pixels: array<vec4f, 2>;
        for (var p = 0u; p < 2; p++) {
            let i = first_i + p;
            let j = first_j + q;
            let inside = i < OUT_HEIGHT && j < OUT_WIDTH;
            let at = ((n * OUT_HEIGHT + i) * OUT_WIDTH + j) * OUT_VECS + o;
            pixels[p] = select(vec4f(), dy[select(0, at, inside)], inside);
        }
        columns[q] = transform(pixels[0], pixels[1]);
    }
    for (var s = 0u; s < 4; s++) {
        let row = transform(columns[0][s], columns[1][s]);
        for (var t = 0u; t < 4; t++) {
            d[(s * 4 + t) * LENGTH + id] = row[t];
        }
    }
}
