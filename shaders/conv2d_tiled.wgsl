// Dense 2-D convolution, forward, for GPUs: a matrix product through workgroup memory.
//
//   y[m,o] = bias[o] + sum over k of a[m,k] * weight[k,o]
//
// m counts the N*H*W output pixels and k the kh*kw*channels filter rows in the order in which the
// filter is stored; a[m,k] is the input value under filter row k for pixel m, zero outside the
// image, and is gathered while it is loaded ("implicit GEMM").
//
// A workgroup computes TILE_M pixels x TILE_O channel vectors. It walks k in steps of TILE_K
// vectors: all invocations together copy that slab of a and of the filter to workgroup memory, then
// each multiplies its own THREAD_M x THREAD_O part. The next slab is already on its way to
// registers meanwhile. If pixels x channels give too few workgroups, the z axis of the grid cuts
// the walk into SPLITS pieces; then y receives SPLITS partial results, without bias, and
// reduce_partials.wgsl adds them and the bias.
//
// A linear layer is the case of a 1x1 kernel over an image of height 1 and width N, batch 1.

#import wgrad::epilogue::finish

const BATCH: u32 = #{BATCH};
const IN_HEIGHT: u32 = #{IN_HEIGHT};
const IN_WIDTH: u32 = #{IN_WIDTH};
const IN_VECS: u32 = #{IN_VECS}; // input channels / 4, rounded up
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
const SPLITS: u32 = #{SPLITS};
const THREADS_M: u32 = #{THREADS_M}; // invocations of a workgroup: THREADS_M x THREADS_O
const THREADS_O: u32 = #{THREADS_O};
const THREAD_M: u32 = #{THREAD_M}; // pixels and channel vectors of one invocation
const THREAD_O: u32 = #{THREAD_O};
const TILE_K: u32 = 4;

const THREADS: u32 = THREADS_M * THREADS_O;
const TILE_M: u32 = THREADS_M * THREAD_M;
const TILE_O: u32 = THREADS_O * THREAD_O;
const PIXELS: u32 = BATCH * OUT_HEIGHT * OUT_WIDTH;
const TILES_M: u32 = (PIXELS + TILE_M - 1) / TILE_M;
const TILES_O: u32 = (OUT_VECS + TILE_O - 1) / TILE_O;
const K_VECS: u32 = KERNEL_H * KERNEL_W * IN_VECS;
const STEPS: u32 = (K_VECS + TILE_K - 1) / TILE_K;
const SPLIT_STEPS: u32 = (STEPS + SPLITS - 1) / SPLITS;
const SLAB_A: u32 = TILE_M * TILE_K; // vectors
const SLAB_B: u32 = TILE_K * 4 * TILE_O;
const LOADS_A: u32 = (SLAB_A + THREADS - 1) / THREADS;
const LOADS_B: u32 = (SLAB_B + THREADS - 1) / THREADS;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
#ifdef BIAS
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
#endif

var<workgroup> slab_a: array<vec4f, SLAB_A>; // [pixel][vector of k]
var<workgroup> slab_b: array<vec4f, SLAB_B>; // [k][channel vector]

// The pixel of one load: its image's first row, and the input coordinates of filter tap (0, 0).
struct Origin { image: u32, i: i32, j: i32 }

fn origin(m: u32) -> Origin {
    let n = m / (OUT_WIDTH * OUT_HEIGHT);
    let i = i32(m / OUT_WIDTH % OUT_HEIGHT) * STRIDE_H - PADDING_H;
    let j = i32(m % OUT_WIDTH) * STRIDE_W - PADDING_W;
    // A pixel past the end lies far outside the image, so that it reads zeros.
    return Origin(n * IN_HEIGHT, select(-0x10000000, i, m < PIXELS), j);
}

fn load_a(pixel: Origin, k: u32) -> vec4f {
    let tap = k / IN_VECS;
    let i = u32(pixel.i + i32(tap / KERNEL_W) * DILATION_H);
    let j = u32(pixel.j + i32(tap % KERNEL_W) * DILATION_W);
    let inside = i < IN_HEIGHT && j < IN_WIDTH && k < K_VECS;
    let at = ((pixel.image + i) * IN_WIDTH + j) * IN_VECS + k % IN_VECS;
    return select(vec4f(), x[select(0, at, inside)], inside);
}

fn load_b(row: u32, o: u32) -> vec4f {
    let inside = row < K_VECS * 4 && o < OUT_VECS;
    return select(vec4f(), weight[select(0, row * OUT_VECS + o, inside)], inside);
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(local_invocation_index) thread: u32,
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    let tile = group.x + group.y * groups.x;
    let first_o = tile % TILES_O * TILE_O;
    let first_m = tile / TILES_O * TILE_M;
    if first_m >= PIXELS {
        return;
    }
    let thread_o = thread % THREADS_O;
    let thread_m = thread / THREADS_O;

    var origins: array<Origin, LOADS_A>;
    for (var r = 0u; r < LOADS_A; r++) {
        origins[r] = origin(first_m + (r * THREADS + thread) / TILE_K);
    }

    var sum: array<array<vec4f, THREAD_O>, THREAD_M>;
    var next_a: array<vec4f, LOADS_A>;
    var next_b: array<vec4f, LOADS_B>;
    let first_step = group.z * SPLIT_STEPS;
    let last_step = min(first_step + SPLIT_STEPS, STEPS);
    // One round more than there are slabs: round s fetches slab s and multiplies slab s - 1.
    for (var step = first_step; step <= last_step; step++) {
        if step < last_step {
            for (var r = 0u; r < LOADS_A; r++) {
                next_a[r] = load_a(origins[r], step * TILE_K + (r * THREADS + thread) % TILE_K);
            }
            for (var r = 0u; r < LOADS_B; r++) {
                let l = r * THREADS + thread;
                next_b[r] = load_b(step * TILE_K * 4 + l / TILE_O, first_o + l % TILE_O);
            }
        }
        if step > first_step {
            for (var k = 0u; k < TILE_K; k++) {
                var a: array<vec4f, THREAD_M>;
                for (var p = 0u; p < THREAD_M; p++) {
                    a[p] = slab_a[(thread_m + p * THREADS_M) * TILE_K + k];
                }
                for (var lane = 0u; lane < 4; lane++) {
                    for (var q = 0u; q < THREAD_O; q++) {
                        let b = slab_b[(k * 4 + lane) * TILE_O + thread_o + q * THREADS_O];
                        for (var p = 0u; p < THREAD_M; p++) {
                            sum[p][q] = fma(vec4f(a[p][lane]), b, sum[p][q]);
                        }
                    }
                }
            }
        }
        workgroupBarrier(); // everybody has finished reading the old slab
        for (var r = 0u; r < LOADS_A; r++) {
            if r * THREADS + thread < SLAB_A {
                slab_a[r * THREADS + thread] = next_a[r];
            }
        }
        for (var r = 0u; r < LOADS_B; r++) {
            if r * THREADS + thread < SLAB_B {
                slab_b[r * THREADS + thread] = next_b[r];
            }
        }
        workgroupBarrier(); // the new slab is complete
    }

    for (var q = 0u; q < THREAD_O; q++) {
        let o = first_o + thread_o + q * THREADS_O;
        if o < OUT_VECS {
#ifdef BIAS
            let b = bias[o];
#else
            let b = vec4f();
#endif
            for (var p = 0u; p < THREAD_M; p++) {
                let m = first_m + thread_m + p * THREADS_M;
                if m < PIXELS {
                    let at = (group.z * PIXELS + m) * OUT_VECS + o;
                    y[at] = finish(sum[p][q] + b, at, o);
                }
            }
        }
    }
}
