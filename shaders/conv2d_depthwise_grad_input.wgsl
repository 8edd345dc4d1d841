// Gradient of a depthwise 2-D convolution with respect to its input, any stride.
//
//   dx[n,i,j,c] = sum over u,v of weight[u,v,c] * dy[n, (i + P - u*D)/S, (j + P - v*D)/S, c]
//
// over the taps for which both divisions leave no remainder. As in conv2d_grad_input.wgsl the z
// axis of the grid goes through the S_h*S_w phases of the stride, so that the pixels of a workgroup
// share their taps. One invocation computes TILE_W pixels of a phase and one channel vector.

const BATCH: u32 = #{BATCH};
const IN_HEIGHT: u32 = #{IN_HEIGHT}; // of x and dx, as in the forward pass
const IN_WIDTH: u32 = #{IN_WIDTH};
const OUT_HEIGHT: u32 = #{OUT_HEIGHT}; // of y and dy
const OUT_WIDTH: u32 = #{OUT_WIDTH};
const VECS: u32 = #{VECS}; // channels / 4, rounded up
const KERNEL_H: i32 = #{KERNEL_H};
const KERNEL_W: i32 = #{KERNEL_W};
const STRIDE_H: i32 = #{STRIDE_H};
const STRIDE_W: i32 = #{STRIDE_W};
const DILATION_H: i32 = #{DILATION_H};
const DILATION_W: i32 = #{DILATION_W};
const PADDING_H: i32 = #{PADDING_H};
const PADDING_W: i32 = #{PADDING_W};
const TILE_W: u32 = #{TILE_W};
const WORKGROUP: u32 = #{WORKGROUP};

const TILES_W: u32 = (IN_WIDTH + TILE_W * u32(STRIDE_W) - 1) / (TILE_W * u32(STRIDE_W));
const ROWS: u32 = (IN_HEIGHT + u32(STRIDE_H) - 1) / u32(STRIDE_H);

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
    let c = id % VECS;
    id /= VECS;
    let first_k = id % TILES_W * TILE_W;
    id /= TILES_W;
    let row = id % ROWS;
    let n = id / ROWS;
    if n >= BATCH {
        return;
    }
    // The phase is named by its first row and column.
    let phase_i = i32(group.z) / STRIDE_W;
    let phase_j = i32(group.z) % STRIDE_W;

    var sum: array<vec4f, TILE_W>;
    for (var u = 0; u < KERNEL_H; u++) {
        let reach_i = phase_i + PADDING_H - u * DILATION_H;
        if reach_i % STRIDE_H != 0 {
            continue;
        }
        let i = row + u32(reach_i / STRIDE_H);
        for (var v = 0; v < KERNEL_W; v++) {
            let reach_j = phase_j + PADDING_W - v * DILATION_W;
            if reach_j % STRIDE_W != 0 {
                continue;
            }
            let w = weight[u32(u * KERNEL_W + v) * VECS + c];
            for (var p = 0u; p < TILE_W; p++) {
                // As u32, so that a negative coordinate is a large one and one comparison serves.
                let j = first_k + p + u32(reach_j / STRIDE_W);
                let inside = i < OUT_HEIGHT && j < OUT_WIDTH;
                let at = select(0, ((n * OUT_HEIGHT + i) * OUT_WIDTH + j) * VECS + c, inside);
                sum[p] = fma(select(vec4f(), dy[at], inside), w, sum[p]);
            }
        }
    }

#ifdef BIAS
    let b = bias[c];
#else
    let b = vec4f();
#endif
    for (var p = 0u; p < TILE_W; p++) {
        let i = u32(phase_i) + row * u32(STRIDE_H);
        let j = u32(phase_j) + (first_k + p) * u32(STRIDE_W);
        if i < IN_HEIGHT && j < IN_WIDTH {
            dx[((n * IN_HEIGHT + i) * IN_WIDTH + j) * VECS + c] = sum[p] + b;
        }
    }
}
