// Gradient of a dense 2-D convolution with respect to its input (a transposed convolution).
//
//   dx[n,i,j,c] = sum over u,v,o of weight[u,v,c,o] * dy[n, (i + P - u*D)/S, (j + P - v*D)/S, o]
//
// over the taps for which both divisions leave no remainder: rot180(weight) slid over the restored
// dy, without the zeros. Which taps those are depends only on (i + P) mod S and (j + P) mod S, so
// the z axis of the grid goes through the S_h*S_w phases and all pixels of a workgroup share their
// taps. Within a phase pixels lie S apart; call them k = 0, 1, ...
//
// One invocation computes TILE_H x TILE_W pixels of a phase and TILE_C vectors of input channels,
// from registers alone. Phases without a tap (S > K) store zeros (or the bias).

const BATCH: u32 = #{BATCH};
const IN_HEIGHT: u32 = #{IN_HEIGHT}; // of x and dx, as in the forward pass
const IN_WIDTH: u32 = #{IN_WIDTH};
const IN_VECS: u32 = #{IN_VECS};
const OUT_HEIGHT: u32 = #{OUT_HEIGHT}; // of y and dy
const OUT_WIDTH: u32 = #{OUT_WIDTH};
const OUT_VECS: u32 = #{OUT_VECS};
const KERNEL_H: i32 = #{KERNEL_H};
const KERNEL_W: i32 = #{KERNEL_W};
const STRIDE_H: i32 = #{STRIDE_H};
const STRIDE_W: i32 = #{STRIDE_W};
const DILATION_H: i32 = #{DILATION_H};
const DILATION_W: i32 = #{DILATION_W};
const PADDING_H: i32 = #{PADDING_H};
const PADDING_W: i32 = #{PADDING_W};
const TILE_H: u32 = #{TILE_H};
const TILE_W: u32 = #{TILE_W};
const TILE_C: u32 = #{TILE_C};
const WORKGROUP: u32 = #{WORKGROUP};

const PIXELS: u32 = TILE_H * TILE_W;
const TILES_C: u32 = (IN_VECS + TILE_C - 1) / TILE_C;
const TILES_W: u32 = (IN_WIDTH + TILE_W * u32(STRIDE_W) - 1) / (TILE_W * u32(STRIDE_W));
const TILES_H: u32 = (IN_HEIGHT + TILE_H * u32(STRIDE_H) - 1) / (TILE_H * u32(STRIDE_H));

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;
#ifdef BIAS
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
#endif

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) gid: vec3u,
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    var id = gid.y * groups.x * WORKGROUP + gid.x;
    let first_c = id % TILES_C * TILE_C;
    id /= TILES_C;
    let first_kj = id % TILES_W * TILE_W;
    id /= TILES_W;
    let first_ki = id % TILES_H * TILE_H;
    let n = id / TILES_H;
    if n >= BATCH {
        return;
    }
    // The phase is named by its first row and column.
    let phase_i = i32(group.z) / STRIDE_W;
    let phase_j = i32(group.z) % STRIDE_W;

    // Channel vectors past the end repeat the last one: loaded, never stored.
    var c: array<u32, TILE_C>;
    for (var q = 0u; q < TILE_C; q++) {
        c[q] = min(first_c + q, IN_VECS - 1);
    }

    var sum: array<array<vec4f, TILE_C>, PIXELS>;
    for (var u = 0; u < KERNEL_H; u++) {
        let reach_i = phase_i + PADDING_H - u * DILATION_H;
        if reach_i % STRIDE_H != 0 {
            continue;
        }
        for (var v = 0; v < KERNEL_W; v++) {
            let reach_j = phase_j + PADDING_W - v * DILATION_W;
            if reach_j % STRIDE_W != 0 {
                continue;
            }
            var inside: array<bool, PIXELS>;
            var pixel: array<u32, PIXELS>; // where the pixel's channels begin in dy
            for (var p = 0u; p < PIXELS; p++) {
                // As u32, so that a negative coordinate is a large one and one comparison serves.
                let i = first_ki + p / TILE_W + u32(reach_i / STRIDE_H);
                let j = first_kj + p % TILE_W + u32(reach_j / STRIDE_W);
                inside[p] = i < OUT_HEIGHT && j < OUT_WIDTH;
                pixel[p] = select(0, ((n * OUT_HEIGHT + i) * OUT_WIDTH + j) * OUT_VECS, inside[p]);
            }
            let tap = u32(u * KERNEL_W + v) * IN_VECS;
            for (var o = 0u; o < OUT_VECS; o++) {
                var d: array<vec4f, PIXELS>;
                for (var p = 0u; p < PIXELS; p++) {
                    d[p] = select(vec4f(), dy[pixel[p] + o], inside[p]);
                }
                for (var q = 0u; q < TILE_C; q++) {
                    var w: array<vec4f, 4>;
                    for (var lane = 0u; lane < 4; lane++) {
                        w[lane] = weight[((tap + c[q]) * 4 + lane) * OUT_VECS + o];
                    }
                    for (var p = 0u; p < PIXELS; p++) {
                        sum[p][q] += vec4f(dot(d[p], w[0]), dot(d[p], w[1]), dot(d[p], w[2]), dot(d[p], w[3]));
                    }
                }
            }
        }
    }

    // The stores of the tile, one round per vector: a round stores the tile's first vector and moves
    // the others up. Unrolled, they take a CPU driver longer to compile than all the rest; that they
    // are not is due to arrayLength, a bound that no compiler knows (and never the smaller one).
    let vecs = min(min(TILE_C, IN_VECS - first_c), arrayLength(&dx));
    for (var q = 0u; q < vecs; q++) {
#ifdef BIAS
        let b = bias[first_c + q];
#else
        let b = vec4f();
#endif
        for (var p = 0u; p < PIXELS; p++) {
            let i = u32(phase_i) + (first_ki + p / TILE_W) * u32(STRIDE_H);
            let j = u32(phase_j) + (first_kj + p % TILE_W) * u32(STRIDE_W);
            if i < IN_HEIGHT && j < IN_WIDTH {
                dx[((n * IN_HEIGHT + i) * IN_WIDTH + j) * IN_VECS + first_c + q] = sum[p][0] + b;
            }
            for (var r = 1u; r < TILE_C; r++) {
                sum[p][r - 1] = sum[p][r];
            }
        }
    }
}
