// Depthwise 2-D convolution, forward: every channel has a filter of its own (groups = channels).
//
//   y[n,i,j,c] = bias[c] + sum over u,v of weight[u,v,c] * x[n, i*S + u*D - P, j*S + v*D - P, c]
//
// One invocation computes TILE_W neighbouring pixels of one channel vector. For every filter row it
// loads the COLUMNS pixels that the tile reaches once and slides the filter over them.

#import wgrad::epilogue::finish

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
const TILE_W: u32 = #{TILE_W};
const WORKGROUP: u32 = #{WORKGROUP};

const TILES_W: u32 = (OUT_WIDTH + TILE_W - 1) / TILE_W;
const COLUMNS: u32 = (TILE_W - 1) * STRIDE_W + (KERNEL_W - 1) * DILATION_W + 1;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
#ifdef BIAS
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
#endif

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    var id = gid.y * groups.x * WORKGROUP + gid.x;
    let c = id % VECS;
    id /= VECS;
    let first_j = id % TILES_W * TILE_W;
    id /= TILES_W;
    let i = id % OUT_HEIGHT;
    let n = id / OUT_HEIGHT;
    if n >= BATCH {
        return;
    }

    var sum: array<vec4f, TILE_W>;
    for (var u = 0u; u < KERNEL_H; u++) {
        // As u32, so that a negative coordinate is a large one and one comparison serves.
        let xi = u32(i32(i) * STRIDE_H + i32(u) * DILATION_H - PADDING_H);
        let row = (n * IN_HEIGHT + xi) * IN_WIDTH;
        var a: array<vec4f, COLUMNS>;
        for (var k = 0u; k < COLUMNS; k++) {
            let xj = first_j * STRIDE_W + k - u32(PADDING_W);
            let inside = xi < IN_HEIGHT && xj < IN_WIDTH;
            a[k] = select(vec4f(), x[select(0, (row + xj) * VECS + c, inside)], inside);
        }
        for (var v = 0u; v < KERNEL_W; v++) {
            let w = weight[(u * KERNEL_W + v) * VECS + c];
            for (var p = 0u; p < TILE_W; p++) {
                sum[p] = fma(a[p * STRIDE_W + v * DILATION_W], w, sum[p]);
            }
        }
    }

#ifdef BIAS
    let b = bias[c];
#else
    let b = vec4f();
#endif
    for (var p = 0u; p < TILE_W; p++) {
        let j = first_j + p;
        if j < OUT_WIDTH {
            let at = ((n * OUT_HEIGHT + i) * OUT_WIDTH + j) * VECS + c;
            y[at] = finish(sum[p] + b, at, c);
        }
    }
}
