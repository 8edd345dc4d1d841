// Gradient of a dense 2-D convolution with respect to its filter, for GPUs: a matrix product
// through workgroup memory. See conv2d_tiled.wgsl for the walk over slabs.
//
//   dw[r,o] = sum over m of a[m,r] * dy[m,o]
//
// r counts the kh*kw*channels filter rows, four to a vector, in the order in which the filter is
// stored; m counts the N*H*W output pixels; a[m,r] is the input value under filter row r for pixel
// m, zero outside the image.
//
// A workgroup computes TILE_R vectors of rows x TILE_O channel vectors and walks the pixels TILE_M
// at a time. There are many pixels and few filter elements, so the z axis of the grid cuts the walk
// into SPLITS pieces of SPLIT_STEPS slabs; each gives a partial result in `partials`, which
// reduce_partials.wgsl adds in order. With SPLITS = 1 the only partial is the result.
// A linear layer is the case of a 1x1 kernel over an image of height 1 and width N, batch 1.

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
const THREADS_R: u32 = #{THREADS_R}; // invocations of a workgroup: THREADS_R x THREADS_O
const THREADS_O: u32 = #{THREADS_O};
const THREAD_R: u32 = #{THREAD_R}; // vectors of rows and of channels of one invocation
const THREAD_O: u32 = #{THREAD_O};
const TILE_M: u32 = 16;

const THREADS: u32 = THREADS_R * THREADS_O;
const TILE_R: u32 = THREADS_R * THREAD_R;
const TILE_O: u32 = THREADS_O * THREAD_O;
const PIXELS: u32 = BATCH * OUT_HEIGHT * OUT_WIDTH;
const ROWS: u32 = KERNEL_H * KERNEL_W * IN_VECS; // vectors of filter rows
const TILES_O: u32 = (OUT_VECS + TILE_O - 1) / TILE_O;
const STEPS: u32 = (PIXELS + TILE_M - 1) / TILE_M;
const SPLIT_STEPS: u32 = (STEPS + SPLITS - 1) / SPLITS;
const SLAB_A: u32 = TILE_M * TILE_R; // vectors
const SLAB_B: u32 = TILE_M * TILE_O;
const LOADS_A: u32 = (SLAB_A + THREADS - 1) / THREADS;
const LOADS_B: u32 = (SLAB_B + THREADS - 1) / THREADS;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

var<workgroup> slab_a: array<vec4f, SLAB_A>; // [pixel][vector of rows]
var<workgroup> slab_b: array<vec4f, SLAB_B>; // [pixel][channel vector]

fn load_a(m: u32, row: u32) -> vec4f {
    let tap = row / IN_VECS;
    let n = m / (OUT_WIDTH * OUT_HEIGHT);
    let i = u32(i32(m / OUT_WIDTH % OUT_HEIGHT) * STRIDE_H + i32(tap / KERNEL_W) * DILATION_H - PADDING_H);
    let j = u32(i32(m % OUT_WIDTH) * STRIDE_W + i32(tap % KERNEL_W) * DILATION_W - PADDING_W);
    let inside = m < PIXELS && row < ROWS && i < IN_HEIGHT && j < IN_WIDTH;
    let at = ((n * IN_HEIGHT + i) * IN_WIDTH + j) * IN_VECS + row % IN_VECS;
    return select(vec4f(), x[select(0, at, inside)], inside);
}

fn load_b(m: u32, o: u32) -> vec4f {
    let inside = m < PIXELS && o < OUT_VECS;
    return select(vec4f(), dy[select(0, m * OUT_VECS + o, inside)], inside);
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(local_invocation_index) thread: u32,
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    let tile = group.x + group.y * groups.x;
    let first_o = tile % TILES_O * TILE_O;
    let first_r = tile / TILES_O * TILE_R;
    if first_r >= ROWS {
        return;
    }
    let thread_o = thread % THREADS_O;
    let thread_r = thread / THREADS_O;

    var sum: array<array<array<vec4f, THREAD_O>, 4>, THREAD_R>;
    var next_a: array<vec4f, LOADS_A>;
    var next_b: array<vec4f, LOADS_B>;
    let first_step = group.z * SPLIT_STEPS;
    let last_step = min(first_step + SPLIT_STEPS, STEPS);
    // One round more than there are slabs: round s fetches slab s and multiplies slab s - 1.
    for (var step = first_step; step <= last_step; step++) {
        if step < last_step {
            for (var r = 0u; r < LOADS_A; r++) {
                let l = r * THREADS + thread;
                next_a[r] = load_a(step * TILE_M + l / TILE_R, first_r + l % TILE_R);
            }
            for (var r = 0u; r < LOADS_B; r++) {
                let l = r * THREADS + thread;
                next_b[r] = load_b(step * TILE_M + l / TILE_O, first_o + l % TILE_O);
            }
        }
        if step > first_step {
            for (var m = 0u; m < TILE_M; m++) {
                var d: array<vec4f, THREAD_O>;
                for (var q = 0u; q < THREAD_O; q++) {
                    d[q] = slab_b[m * TILE_O + thread_o + q * THREADS_O];
                }
                for (var p = 0u; p < THREAD_R; p++) {
                    let a = slab_a[m * TILE_R + thread_r + p * THREADS_R];
                    for (var lane = 0u; lane < 4; lane++) {
                        for (var q = 0u; q < THREAD_O; q++) {
                            sum[p][lane][q] = fma(vec4f(a[lane]), d[q], sum[p][lane][q]);
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

    for (var p = 0u; p < THREAD_R; p++) {
        let row = first_r + thread_r + p * THREADS_R;
        for (var lane = 0u; lane < 4; lane++) {
            for (var q = 0u; q < THREAD_O; q++) {
                let o = first_o + thread_o + q * THREADS_O;
                if row < ROWS && o < OUT_VECS {
                    partials[((group.z * ROWS + row) * 4 + lane) * OUT_VECS + o] = sum[p][lane][q];
                }
            }
        }
    }
}
