// Gradient of a dense 2-D convolution with respect to its filter, from registers.
//
//   dw[u,v,c,o] = sum over n,i,j of x[n, i*S + u*D - P, j*S + v*D - P, c] * dy[n,i,j,o]
//
// The sum runs over BATCH * OUT_HEIGHT rows of dy; it is cut into SPLITS pieces of SPLIT_ROWS rows,
// each giving a partial filter gradient in `partials`, which reduce_partials.wgsl adds in order.
// With SPLITS = 1 the only partial is the result.
//
// One invocation keeps TILE_T neighbouring taps x TILE_C input channel vectors x TILE_O output
// channel vectors, and multiplies every vector of dy with every lane of x as an outer product.

const BATCH: u32 = #{BATCH};
const IN_HEIGHT: u32 = #{IN_HEIGHT};
const IN_WIDTH: u32 = #{IN_WIDTH};
const IN_VECS: u32 = #{IN_VECS};
const IN_LANES: u32 = #{IN_LANES}; // lanes in use of every input vector: 4, or 1..3 for an image
const OUT_HEIGHT: u32 = #{OUT_HEIGHT};
const OUT_WIDTH: u32 = #{OUT_WIDTH};
const OUT_VECS: u32 = #{OUT_VECS};
const KERNEL_H: u32 = #{KERNEL_H};
const KERNEL_W: u32 = #{KERNEL_W};
const STRIDE_H: i32 = #{STRIDE_H};
const STRIDE_W: i32 = #{STRIDE_W};
const DILATION_H: i32 = #{DILATION_H};
const DILATION_W: i32 = #{DILATION_W};
const PADDING_H: i32 = #{PADDING_H};
const PADDING_W: i32 = #{PADDING_W};
const SPLITS: u32 = #{SPLITS};
const SPLIT_ROWS: u32 = #{SPLIT_ROWS}; // SPLITS * SPLIT_ROWS >= BATCH * OUT_HEIGHT
const TILE_T: u32 = #{TILE_T};
const TILE_C: u32 = #{TILE_C};
const TILE_O: u32 = #{TILE_O};
const WORKGROUP: u32 = #{WORKGROUP};

const ROWS: u32 = BATCH * OUT_HEIGHT;
const TAPS: u32 = KERNEL_H * KERNEL_W;
const TILES_T: u32 = (TAPS + TILE_T - 1) / TILE_T;
const TILES_C: u32 = (IN_VECS + TILE_C - 1) / TILE_C;
const TILES_O: u32 = (OUT_VECS + TILE_O - 1) / TILE_O;
const INPUTS: u32 = TILE_T * TILE_C; // vectors of x that one pixel of dy meets

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    var id = gid.y * groups.x * WORKGROUP + gid.x;
    let first_o = id % TILES_O * TILE_O;
    id /= TILES_O;
    let first_c = id % TILES_C * TILE_C;
    id /= TILES_C;
    let first_t = id % TILES_T * TILE_T;
    let split = id / TILES_T;
    if split >= SPLITS {
        return;
    }

    // Vectors and taps past the end repeat the last one: loaded, never stored.
    var o: array<u32, TILE_O>;
    for (var q = 0u; q < TILE_O; q++) {
        o[q] = min(first_o + q, OUT_VECS - 1);
    }
    var c: array<u32, INPUTS>;
    var shift_i: array<i32, INPUTS>; // from stride * (row, column of dy) to (row, column of x)
    var shift_j: array<i32, INPUTS>;
    for (var k = 0u; k < INPUTS; k++) {
        let t = min(first_t + k / TILE_C, TAPS - 1);
        c[k] = min(first_c + k % TILE_C, IN_VECS - 1);
        shift_i[k] = i32(t / KERNEL_W) * DILATION_H - PADDING_H;
        shift_j[k] = i32(t % KERNEL_W) * DILATION_W - PADDING_W;
    }

    var sum: array<array<array<vec4f, TILE_O>, IN_LANES>, INPUTS>;
    let last_row = min((split + 1) * SPLIT_ROWS, ROWS);
    for (var row = split * SPLIT_ROWS; row < last_row; row++) {
        let n = row / OUT_HEIGHT;
        let i = i32(row % OUT_HEIGHT) * STRIDE_H;
        var inside_row: array<bool, INPUTS>;
        var x_row: array<u32, INPUTS>; // where the input row's channels begin
        for (var k = 0u; k < INPUTS; k++) {
            let xi = u32(i + shift_i[k]);
            inside_row[k] = xi < IN_HEIGHT;
            x_row[k] = (n * IN_HEIGHT + xi) * IN_WIDTH * IN_VECS + c[k];
        }
        for (var j = 0u; j < OUT_WIDTH; j++) {
            var d: array<vec4f, TILE_O>;
            for (var q = 0u; q < TILE_O; q++) {
                d[q] = dy[(row * OUT_WIDTH + j) * OUT_VECS + o[q]];
            }
            for (var k = 0u; k < INPUTS; k++) {
                let xj = u32(i32(j) * STRIDE_W + shift_j[k]);
                let inside = inside_row[k] && xj < IN_WIDTH;
                let a = select(vec4f(), x[select(0, x_row[k] + xj * IN_VECS, inside)], inside);
                for (var lane = 0u; lane < IN_LANES; lane++) {
                    for (var q = 0u; q < TILE_O; q++) {
                        sum[k][lane][q] = fma(vec4f(a[lane]), d[q], sum[k][lane][q]);
                    }
                }
            }
        }
    }

    // The stores of the tile, one round per vector: a round stores the tile's first vector and moves
    // the others up, along the innermost axis that has one left. Unrolled, they take a CPU driver
    // longer to compile than all the rest; that they are not is due to arrayLength, a bound that no
    // compiler knows (and never the smaller one).
    let rounds = arrayLength(&partials) + INPUTS;
    let vecs = min(min(TILE_O, OUT_VECS - first_o), rounds);
    for (var q = 0u; q < vecs; q++) {
        for (var k = 0u; k < min(INPUTS, rounds); k++) {
            let t = first_t + k / TILE_C;
            let own_c = first_c + k % TILE_C;
            for (var lane = 0u; lane < min(4, rounds); lane++) {
                if t < TAPS && own_c < IN_VECS {
                    let filter_row = ((split * TAPS + t) * IN_VECS + own_c) * 4 + lane;
                    // Lanes not in use are padding: zero.
                    let value = select(vec4f(), sum[0][0][0], lane < IN_LANES);
                    partials[filter_row * OUT_VECS + first_o + q] = value;
                }
                for (var r = 1u; r < IN_LANES; r++) {
                    sum[0][r - 1][0] = sum[0][r][0];
                }
            }
            for (var r = 1u; r < INPUTS; r++) {
                for (var lane = 0u; lane < IN_LANES; lane++) {
                    sum[r - 1][lane][0] = sum[r][lane][0];
                }
            }
        }
        for (var k = 0u; k < INPUTS; k++) {
            for (var lane = 0u; lane < IN_LANES; lane++) {
                for (var r = 1u; r < TILE_O; r++) {
                    sum[k][lane][r - 1] = sum[k][lane][r];
                }
            }
        }
    }
}
