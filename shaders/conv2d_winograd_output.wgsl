// Winograd F(2x2, 3x3), step 4 of 4: transforms the sums back. (Step 1 explains the method.)
//
//   tile of y = A^T * m * A + bias          A^T = | 1  1  1  0 |
//                                                 | 0  1 -1 -1 |
//
// One invocation computes the 2x2 output pixels of one tile for one channel vector.

#import wgrad::epilogue::finish

const BATCH: u32 = #{BATCH};
const OUT_HEIGHT: u32 = #{OUT_HEIGHT};
const OUT_WIDTH: u32 = #{OUT_WIDTH};
const OUT_VECS: u32 = #{OUT_VECS}; // output channels / 4, rounded up
const WORKGROUP: u32 = #{WORKGROUP};

const TILES_H: u32 = (OUT_HEIGHT + 1) / 2;
const TILES_W: u32 = (OUT_WIDTH + 1) / 2;
const LENGTH: u32 = BATCH * TILES_H * TILES_W * OUT_VECS;

@group(0) @binding(0) var<storage, read> m: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
#ifdef BIAS
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
#endif

// A^T applied to four elements along one axis.
fn transform(a: vec4f, b: vec4f, c: vec4f, d: vec4f) -> array<vec4f, 2> {
    return array(a + b + c, b - c - d);
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

#ifdef BIAS
    let b = bias[o];
#else
    let b = vec4f();
#endif
    var columns: array<array<vec4f, 2>, 4>; // [t][row]
    for (var t = 0u; t < 4; t++) {
        columns[t] = transform(m[t * LENGTH + id], m[(4 + t) * LENGTH + id], m[(8 + t) * LENGTH + id], m[(12 + t) * LENGTH + id]);
    }
    for (var p = 0u; p < 2; p++) {
        let row = transform(columns[0][p], columns[1][p], columns[2][p], columns[3][p]);
        for (var q = 0u; q < 2; q++) {
            let i = first_i + p;
            let j = first_j + q;
            if i < OUT_HEIGHT && j < OUT_WIDTH {
                let at = ((n * OUT_HEIGHT + i) * OUT_WIDTH + j) * OUT_VECS + o;
                y[at] = finish(row[q] + b, at, o);
            }
        }
    }
}
