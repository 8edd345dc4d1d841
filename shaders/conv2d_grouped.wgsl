// Grouped 2-D convolution, forward, for any number of groups.
//
//   y[n,i,j,o] = bias[o] + sum over u,v,k of weight[u,v,k,o] * x[n, i*S + u*D - P, j*S + v*D - P, g*GROUP_IN + k]
//
// with g = o / GROUP_OUT the group of output channel o and k running over the GROUP_IN input
// channels of a group. A vector of four output channels may span groups, so x is read as scalars,
// one for each lane; ONE_GROUP says that vectors never span groups (GROUP_OUT is a multiple of 4),
// and then one scalar serves the four lanes.
//
// One invocation computes TILE_W neighbouring pixels of one output channel vector.

#import wgrad::epilogue::finish

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
const TILE_W: u32 = #{TILE_W};
const WORKGROUP: u32 = #{WORKGROUP};

const TILES_W: u32 = (OUT_WIDTH + TILE_W - 1) / TILE_W;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
#ifdef BIAS
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
#endif

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    var id = gid.y * groups.x * WORKGROUP + gid.x;
    let o = id % OUT_VECS;
    id /= OUT_VECS;
    let first_j = id % TILES_W * TILE_W;
    id /= TILES_W;
    let i = id % OUT_HEIGHT;
    let n = id / OUT_HEIGHT;
    if n >= BATCH {
        return;
    }
    // First input channel of each lane's group. Padding lanes take the last group: their weights are 0.
    let channel = min((o * 4 + vec4u(0, 1, 2, 3)) / GROUP_OUT, vec4u(GROUPS - 1)) * GROUP_IN;

    var sum: array<vec4f, TILE_W>;
    for (var u = 0u; u < KERNEL_H; u++) {
        let xi = u32(i32(i) * STRIDE_H + i32(u) * DILATION_H - PADDING_H);
        for (var v = 0u; v < KERNEL_W; v++) {
            var inside: array<bool, TILE_W>;
            var pixel: array<u32, TILE_W>;
            for (var p = 0u; p < TILE_W; p++) {
                let xj = u32(i32(first_j + p) * STRIDE_W + i32(v) * DILATION_W - PADDING_W);
                inside[p] = xi < IN_HEIGHT && xj < IN_WIDTH;
                pixel[p] = select(0, ((n * IN_HEIGHT + xi) * IN_WIDTH + xj) * IN_VECS * 4, inside[p]);
            }
            for (var k = 0u; k < GROUP_IN; k++) {
                let w = weight[((u * KERNEL_W + v) * GROUP_IN + k) * OUT_VECS + o];
                let c = channel + k;
                for (var p = 0u; p < TILE_W; p++) {
#ifdef ONE_GROUP
                    let a = vec4f(x[pixel[p] + c.x]);
#else
                    let a = vec4f(x[pixel[p] + c.x], x[pixel[p] + c.y], x[pixel[p] + c.z], x[pixel[p] + c.w]);
#endif
                    sum[p] = fma(select(vec4f(), a, inside[p]), w, sum[p]);
                }
            }
        }
    }

#ifdef BIAS
    let b = bias[o];
#else
    let b = vec4f();
#endif
    for (var p = 0u; p < TILE_W; p++) {
        let j = first_j + p;
        if j < OUT_WIDTH {
            let at = ((n * OUT_HEIGHT + i) * OUT_WIDTH + j) * OUT_VECS + o;
            y[at] = finish(sum[p] + b, at, o);
        }
    }
}
