// Gradient of a grouped 2-D convolution with respect to its input, for any number of groups.
//
//   dx[n,i,j,c] = sum over u,v,t of weight[u,v,c mod GROUP_IN,g*GROUP_OUT + t]
//                                   * dy[n, (i + P - u*D)/S, (j + P - v*D)/S, g*GROUP_OUT + t]
//
// with g = c / GROUP_IN the group of input channel c, t running over the GROUP_OUT output channels
// of a group, and only the taps for which both divisions leave no remainder. As in
// conv2d_grad_input.wgsl the z axis of the grid goes through the S_h*S_w phases of the stride, so
// that the pixels of a workgroup share their taps.
//
// One invocation computes TILE_W pixels of a phase and one input channel vector. Lanes of a vector
// may lie in different groups, so dy and weight are read as scalars; ONE_GROUP says that vectors
// never span groups (GROUP_IN is a multiple of 4).

const BATCH: u32 = #{BATCH};
const IN_HEIGHT: u32 = #{IN_HEIGHT};
const IN_WIDTH: u32 = #{IN_WIDTH};
const IN_VECS: u32 = #{IN_VECS};
const OUT_HEIGHT: u32 = #{OUT_HEIGHT};
const OUT_WIDTH: u32 = #{OUT_WIDTH};
const OUT_VECS: u32 = #{OUT_VECS};
const GROUPS: u32 = #{GROUPS};
const GROUP_IN: u32 = #{GROUP_IN};
const GROUP_OUT: u32 = #{GROUP_OUT};
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

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
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
    let c = id % IN_VECS;
    id /= IN_VECS;
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

    let channel = c * 4 + vec4u(0, 1, 2, 3);
    let real = channel < vec4u(GROUPS * GROUP_IN); // false for padding lanes, which take the last channel
    let in_group = min(channel, vec4u(GROUPS * GROUP_IN - 1));
    let first_o = in_group / GROUP_IN * GROUP_OUT; // first output channel of each lane's group

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
            var inside: array<bool, TILE_W>;
            var pixel: array<u32, TILE_W>;
            for (var p = 0u; p < TILE_W; p++) {
                let j = first_k + p + u32(reach_j / STRIDE_W);
                inside[p] = i < OUT_HEIGHT && j < OUT_WIDTH;
                pixel[p] = select(0, ((n * OUT_HEIGHT + i) * OUT_WIDTH + j) * OUT_VECS * 4, inside[p]);
            }
            let tap = (u32(u * KERNEL_W + v) * GROUP_IN + in_group % GROUP_IN) * OUT_VECS * 4 + first_o;
            for (var t = 0u; t < GROUP_OUT; t++) {
                let w = vec4f(weight[tap.x + t], weight[tap.y + t], weight[tap.z + t], weight[tap.w + t]);
                let o = first_o + t;
                for (var p = 0u; p < TILE_W; p++) {
#ifdef ONE_GROUP
                    let d = vec4f(dy[pixel[p] + o.x]);
#else
                    let d = vec4f(dy[pixel[p] + o.x], dy[pixel[p] + o.y], dy[pixel[p] + o.z], dy[pixel[p] + o.w]);
#endif
                    sum[p] = fma(select(vec4f(), d, inside[p]), w, sum[p]);
                }
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
            dx[((n * IN_HEIGHT + i) * IN_WIDTH + j) * IN_VECS + c] = select(vec4f(), sum[p] + b, real);
        }
    }
}
