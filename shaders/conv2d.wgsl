// Dense 2-D convolution, forward, straight from registers: no workgroup memory, no barrier.
//
//   y[n,i,j,o] = bias[o] + sum over u,v,c of weight[u,v,c,o] * x[n, i*S + u*D - P, j*S + v*D - P, c]
//
// x is read as zero outside the image. One invocation computes a tile of TILE_H x TILE_W output
// pixels and TILE_O vectors of four output channels. Every vector of x it loads is used for all
// channels of the tile, every vector of the filter for all pixels, so that loads, which are dear
// on a CPU adapter, become rare. Consecutive invocations take consecutive channels.
//
// The same kernel computes a stride-1 input gradient: x = dy, weight = the rotated filter
// (conv2d_rotate_filter.wgsl), padding D*(K-1) - P, which is negative for a generous P.

#import wgrad::epilogue::finish

const BATCH: u32 = #{BATCH};
const IN_HEIGHT: u32 = #{IN_HEIGHT};
const IN_WIDTH: u32 = #{IN_WIDTH};
const IN_VECS: u32 = #{IN_VECS}; // input channels / 4, rounded up
const IN_LANES: u32 = #{IN_LANES}; // lanes in use of every input vector: 4, or 1..3 for an image
const OUT_HEIGHT: u32 = #{OUT_HEIGHT};
const OUT_WIDTH: u32 = #{OUT_WIDTH};
const OUT_VECS: u32 = #{OUT_VECS}; // output channels / 4, rounded up
const KERNEL_H: u32 = #{KERNEL_H};
const KERNEL_W: u32 = #{KERNEL_W};
const STRIDE_H: i32 = #{STRIDE_H};
const STRIDE_W: i32 = #{STRIDE_W};
const DILATION_H: i32 = #{DILATION_H};
const DILATION_W: i32 = #{DILATION_W};
const PADDING_H: i32 = #{PADDING_H};
const PADDING_W: i32 = #{PADDING_W};
const TILE_H: u32 = #{TILE_H}; // output rows, columns and channel vectors of one invocation
const TILE_W: u32 = #{TILE_W};
const TILE_O: u32 = #{TILE_O};
const WORKGROUP: u32 = #{WORKGROUP};

const PIXELS: u32 = TILE_H * TILE_W;
const TILES_O: u32 = (OUT_VECS + TILE_O - 1) / TILE_O;
const TILES_W: u32 = (OUT_WIDTH + TILE_W - 1) / TILE_W;
const TILES_H: u32 = (OUT_HEIGHT + TILE_H - 1) / TILE_H;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
#ifdef BIAS
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
#endif

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    var id = gid.y * groups.x * WORKGROUP + gid.x;
    let first_o = id % TILES_O * TILE_O;
    id /= TILES_O;
    let first_j = id % TILES_W * TILE_W;
    id /= TILES_W;
    let first_i = id % TILES_H * TILE_H;
    let n = id / TILES_H;
    if n >= BATCH {
        return;
    }

    // Channel vectors past the end repeat the last one: loaded, never stored.
    var o: array<u32, TILE_O>;
    for (var q = 0u; q < TILE_O; q++) {
        o[q] = min(first_o + q, OUT_VECS - 1);
    }

    var sum: array<array<vec4f, TILE_O>, PIXELS>;
    for (var u = 0u; u < KERNEL_H; u++) {
        for (var v = 0u; v < KERNEL_W; v++) {
            var inside: array<bool, PIXELS>;
            var pixel: array<u32, PIXELS>; // where the pixel's channels begin
            for (var p = 0u; p < PIXELS; p++) {
                // As u32, so that a negative coordinate is a large one and one comparison serves.
                let i = u32(i32(first_i + p / TILE_W) * STRIDE_H + i32(u) * DILATION_H - PADDING_H);
                let j = u32(i32(first_j + p % TILE_W) * STRIDE_W + i32(v) * DILATION_W - PADDING_W);
                inside[p] = i < IN_HEIGHT && j < IN_WIDTH;
                pixel[p] = select(0, ((n * IN_HEIGHT + i) * IN_WIDTH + j) * IN_VECS, inside[p]);
            }
            var row = (u * KERNEL_W + v) * IN_VECS * 4 * OUT_VECS; // the filter's row of this channel
            for (var c = 0u; c < IN_VECS; c++) {
                var a: array<vec4f, PIXELS>;
                for (var p = 0u; p < PIXELS; p++) {
                    a[p] = select(vec4f(), x[pixel[p] + c], inside[p]);
                }
                for (var q = 0u; q < TILE_O; q++) {
                    var w: array<vec4f, IN_LANES>;
                    for (var lane = 0u; lane < IN_LANES; lane++) {
                        w[lane] = weight[row + lane * OUT_VECS + o[q]];
                    }
                    for (var p = 0u; p < PIXELS; p++) {
                        for (var lane = 0u; lane < IN_LANES; lane++) {
                            sum[p][q] = fma(vec4f(a[p][lane]), w[lane], sum[p][q]);
                        }
                    }
                }
                row += 4 * OUT_VECS;
            }
        }
    }

    // The stores of the tile, one round per vector: a round stores the tile's first vector and moves
    // the others up, those of its channels and then all. Unrolled, they take a CPU driver longer to
    // compile than all the rest; that they are not is due to arrayLength, a bound that no compiler
    // knows (and never the smaller one).
    let rounds = arrayLength(&y) + PIXELS;
    let vecs = min(min(TILE_O, OUT_VECS - first_o), rounds);
    for (var q = 0u; q < vecs; q++) {
#ifdef BIAS
        let b = bias[first_o + q];
#else
        let b = vec4f();
#endif
        for (var p = 0u; p < min(PIXELS, rounds); p++) {
            let i = first_i + p / TILE_W;
            let j = first_j + p % TILE_W;
            if i < OUT_HEIGHT && j < OUT_WIDTH {
                let at = ((n * OUT_HEIGHT + i) * OUT_WIDTH + j) * OUT_VECS + first_o + q;
                y[at] = finish(sum[0][0] + b, at, first_o + q);
            }
            for (var r = 1u; r < PIXELS; r++) {
                sum[r - 1][0] = sum[r][0];
            }
        }
        for (var p = 0u; p < PIXELS; p++) {
            for (var r = 1u; r < TILE_O; r++) {
                sum[p][r - 1] = sum[p][r];
            }
        }
    }
}
