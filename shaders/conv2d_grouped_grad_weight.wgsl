// Gradient of a grouped 2-D convolution with respect to its filter, for any number of groups.
//
//   dw[u,v,k,o] = sum over n,i,j of x[n, i*S + u*D - P, j*S + v*D - P, g*GROUP_IN + k] * dy[n,i,j,o]
//
// with g = o / GROUP_OUT. The BATCH * OUT_HEIGHT rows of dy are cut into SPLITS pieces of
// SPLIT_ROWS rows, each giving a partial result in `partials`, which reduce_partials.wgsl adds in
// order. With SPLITS = 1 the only partial is the result.
//
// One invocation computes TILE_K neighbouring k of one tap and one output channel vector. Lanes may
// lie in different groups, so x is read as scalars; ONE_GROUP says that vectors never span groups
// (GROUP_OUT is a multiple of 4).

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
const TILE_K: u32 = #{TILE_K};
const WORKGROUP: u32 = #{WORKGROUP};

const ROWS: u32 = BATCH * OUT_HEIGHT;
const TAPS: u32 = KERNEL_H * KERNEL_W;
const TILES_K: u32 = (GROUP_IN + TILE_K - 1) / TILE_K;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    var id = gid.y * groups.x * WORKGROUP + gid.x;
    let o = id % OUT_VECS;
    id /= OUT_VECS;
    let first_k = id % TILES_K * TILE_K;
    id /= TILES_K;
    let tap = id % TAPS;
    let split = id / TAPS;
    if split >= SPLITS {
        return;
    }
    let shift_i = i32(tap / KERNEL_W) * DILATION_H - PADDING_H;
    let shift_j = i32(tap % KERNEL_W) * DILATION_W - PADDING_W;
    // First input channel of each lane's group. Padding lanes take the last group: their dy is 0.
    let channel = min((o * 4 + vec4u(0, 1, 2, 3)) / GROUP_OUT, vec4u(GROUPS - 1)) * GROUP_IN;

    var sum: array<vec4f, TILE_K>;
    let last_row = min((split + 1) * SPLIT_ROWS, ROWS);
    for (var row = split * SPLIT_ROWS; row < last_row; row++) {
        let n = row / OUT_HEIGHT;
        let xi = u32(i32(row % OUT_HEIGHT) * STRIDE_H + shift_i);
        for (var j = 0u; j < OUT_WIDTH; j++) {
            let xj = u32(i32(j) * STRIDE_W + shift_j);
            let inside = xi < IN_HEIGHT && xj < IN_WIDTH;
            let pixel = select(0, ((n * IN_HEIGHT + xi) * IN_WIDTH + xj) * IN_VECS * 4, inside);
            let d = dy[(row * OUT_WIDTH + j) * OUT_VECS + o];
            for (var q = 0u; q < TILE_K; q++) {
                // A k past the end repeats the last one: loaded, never stored.
                let c = pixel + channel + min(first_k + q, GROUP_IN - 1);
#ifdef ONE_GROUP
                let a = vec4f(x[c.x]);
#else
                let a = vec4f(x[c.x], x[c.y], x[c.z], x[c.w]);
#endif
                sum[q] = fma(select(vec4f(), a, inside), d, sum[q]);
            }
        }
    }

    for (var q = 0u; q < TILE_K; q++) {
        if first_k + q < GROUP_IN {
            partials[((split * TAPS + tap) * GROUP_IN + first_k + q) * OUT_VECS + o] = sum[q];
        }
    }
}
