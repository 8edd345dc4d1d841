// Gradient of a depthwise 2-D convolution with respect to its filter.
//
//   dw[u,v,c] = sum over n,i,j of x[n, i*S + u*D - P, j*S + v*D - P, c] * dy[n,i,j,c]
//
// The BATCH * OUT_HEIGHT rows of dy are cut into SPLITS pieces of SPLIT_ROWS rows, each giving a
// partial result in `partials`, which reduce_partials.wgsl adds in order. With SPLITS = 1 the only
// partial is the result.
//
// One invocation computes one filter row u of one channel vector. It takes TILE_W pixels of dy at a
// time and loads the COLUMNS pixels of x that they meet once for all v.

const BATCH: u32 = #{BATCH};
const IN_HEIGHT: u32 = #{IN_HEIGHT};
const IN_WIDTH: u32 = #{IN_WIDTH};
const OUT_HEIGHT: u32 = #{OUT_HEIGHT};
const OUT_WIDTH: u32 = #{OUT_WIDTH};
const VECS: u32 = #{VECS}; // channels / 4, rounded up
const KERNEL_H: u32 = #{KERNEL_H};
const KERNEL_W: u32 = #{KERNEL_W};
const STRIDE_H: i32 = #{STRIDE_H};
const STRIDE_W: u32 = #{STRIDE_W};
const DILATION_H: i32 = #{DILATION_H};
const DILATION_W: u32 = #{DILATION_W};
const PADDING_H: i32 = #{PADDING_H};
const PADDING_W: i32 = #{PADDING_W};
const SPLITS: u32 = #{SPLITS};
const SPLIT_ROWS: u32 = #{SPLIT_ROWS}; // SPLITS * SPLIT_ROWS >= BATCH * OUT_HEIGHT
const TILE_W: u32 = #{TILE_W};
const WORKGROUP: u32 = #{WORKGROUP};

const ROWS: u32 = BATCH * OUT_HEIGHT;
const COLUMNS: u32 = (TILE_W - 1) * STRIDE_W + (KERNEL_W - 1) * DILATION_W + 1;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    var id = gid.y * groups.x * WORKGROUP + gid.x;
    let c = id % VECS;
    id /= VECS;
    let u = id % KERNEL_H;
    let split = id / KERNEL_H;
    if split >= SPLITS {
        return;
    }

    var sum: array<vec4f, KERNEL_W>;
    let last_row = min((split + 1) * SPLIT_ROWS, ROWS);
    for (var row = split * SPLIT_ROWS; row < last_row; row++) {
        // As u32, so that a negative coordinate is a large one and one comparison serves.
        let xi = u32(i32(row % OUT_HEIGHT) * STRIDE_H + i32(u) * DILATION_H - PADDING_H);
        let x_row = (row / OUT_HEIGHT * IN_HEIGHT + xi) * IN_WIDTH;
        for (var first_j = 0u; first_j < OUT_WIDTH; first_j += TILE_W) {
            var d: array<vec4f, TILE_W>;
            for (var p = 0u; p < TILE_W; p++) {
                let inside = first_j + p < OUT_WIDTH;
                d[p] = select(vec4f(), dy[select(0, (row * OUT_WIDTH + first_j + p) * VECS + c, inside)], inside);
            }
            var a: array<vec4f, COLUMNS>;
            for (var k = 0u; k < COLUMNS; k++) {
                let xj = first_j * STRIDE_W + k - u32(PADDING_W);
                let inside = xi < IN_HEIGHT && xj < IN_WIDTH;
                a[k] = select(vec4f(), x[select(0, (x_row + xj) * VECS + c, inside)], inside);
            }
            for (var v = 0u; v < KERNEL_W; v++) {
                for (var p = 0u; p < TILE_W; p++) {
                    sum[v] = fma(a[p * STRIDE_W + v * DILATION_W], d[p], sum[v]);
                }
            }
        }
    }
    for (var v = 0u; v < KERNEL_W; v++) {
        partials[((split * KERNEL_H + u) * KERNEL_W + v) * VECS + c] = sum[v];
    }
}
