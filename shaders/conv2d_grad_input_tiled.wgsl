// Gradient of a dense 2-D convolution with respect to its input, for GPUs: a matrix product through
// workgroup memory. See conv2d_grad_input.wgsl for the formula and for the phases of the stride,
// through which the z axis of the grid goes, and conv2d_tiled.wgsl for the walk over slabs.
//
//   dx[m,c] = sum over taps and o of dy[m moved by the tap, o] * weight[tap,c,o]
//
// m counts the pixels of a phase over the whole batch. Both factors are read along o, so an element
// of the product is a sum of dot products of vectors. Only the taps that reach the phase are
// walked: every STEP-th from the first one, STEP = S / gcd(S, D).
//
// If pixels x channels give too few workgroups, the walk is cut into SPLITS pieces and z counts
// phase + phases * split; dx then receives SPLITS partial results for reduce_partials.wgsl.
// A linear layer is the case of a 1x1 kernel over an image of height 1 and width N, batch 1.

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
const STEP_H: i32 = #{STEP_H}; // STRIDE_H / gcd(STRIDE_H, DILATION_H)
const STEP_W: i32 = #{STEP_W};
const SPLITS: u32 = #{SPLITS};
const THREADS_M: u32 = #{THREADS_M}; // invocations of a workgroup: THREADS_M x THREADS_C
const THREADS_C: u32 = #{THREADS_C};
const THREAD_M: u32 = #{THREAD_M}; // pixels and channel vectors of one invocation
const THREAD_C: u32 = #{THREAD_C};
const TILE_K: u32 = 4;

const THREADS: u32 = THREADS_M * THREADS_C;
const TILE_M: u32 = THREADS_M * THREAD_M;
const TILE_C: u32 = THREADS_C * THREAD_C;
const PHASES: u32 = u32(STRIDE_H * STRIDE_W);
const PHASE_HEIGHT: u32 = (IN_HEIGHT + u32(STRIDE_H) - 1) / u32(STRIDE_H);
const PHASE_WIDTH: u32 = (IN_WIDTH + u32(STRIDE_W) - 1) / u32(STRIDE_W);
const PIXELS: u32 = BATCH * PHASE_HEIGHT * PHASE_WIDTH;
const TILES_C: u32 = (IN_VECS + TILE_C - 1) / TILE_C;
const SLABS: u32 = (OUT_VECS + TILE_K - 1) / TILE_K; // slabs of one tap
const SLAB_A: u32 = TILE_M * TILE_K; // vectors
const SLAB_B: u32 = TILE_C * 4 * TILE_K; // without padding
const LOADS_A: u32 = (SLAB_A + THREADS - 1) / THREADS;
const LOADS_B: u32 = (SLAB_B + THREADS - 1) / THREADS;
const ROW_B: u32 = TILE_K + 1; // one vector of padding keeps neighbours in different banks

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;
#ifdef BIAS
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
#endif

var<workgroup> slab_a: array<vec4f, SLAB_A>; // [pixel][vector of o]
var<workgroup> slab_b: array<vec4f, TILE_C * 4 * ROW_B>; // [lane][channel vector][vector of o]

// First tap along one axis that reaches a phase; K if none does.
fn first_tap(reach: i32, stride: i32, dilation: i32, kernel: i32) -> i32 {
    var u = 0;
    while u < kernel && (reach - u * dilation) % stride != 0 {
        u++;
    }
    return u;
}

fn load_a(m: u32, shift_i: i32, shift_j: i32, o: u32) -> vec4f {
    let n = m / (PHASE_WIDTH * PHASE_HEIGHT);
    let i = u32(i32(m / PHASE_WIDTH % PHASE_HEIGHT) + shift_i);
    let j = u32(i32(m % PHASE_WIDTH) + shift_j);
    let inside = m < PIXELS && i < OUT_HEIGHT && j < OUT_WIDTH && o < OUT_VECS;
    let at = ((n * OUT_HEIGHT + i) * OUT_WIDTH + j) * OUT_VECS + o;
    return select(vec4f(), dy[select(0, at, inside)], inside);
}

fn load_b(tap: u32, c: u32, lane: u32, o: u32) -> vec4f {
    let inside = c < IN_VECS && o < OUT_VECS;
    let at = ((tap * IN_VECS + c) * 4 + lane) * OUT_VECS + o;
    return select(vec4f(), weight[select(0, at, inside)], inside);
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(local_invocation_index) thread: u32,
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    let tile = group.x + group.y * groups.x;
    let first_c = tile % TILES_C * TILE_C;
    let first_m = tile / TILES_C * TILE_M;
    if first_m >= PIXELS {
        return;
    }
    let thread_c = thread % THREADS_C;
    let thread_m = thread / THREADS_C;
    let phase_i = i32(group.z % PHASES) / STRIDE_W;
    let phase_j = i32(group.z % PHASES) % STRIDE_W;
    let split = group.z / PHASES;

    let first_u = first_tap(phase_i + PADDING_H, STRIDE_H, DILATION_H, KERNEL_H);
    let first_v = first_tap(phase_j + PADDING_W, STRIDE_W, DILATION_W, KERNEL_W);
    let taps_u = u32((KERNEL_H - first_u + STEP_H - 1) / STEP_H);
    let taps_v = u32((KERNEL_W - first_v + STEP_W - 1) / STEP_W);
    let steps = taps_u * taps_v * SLABS;
    let split_steps = (steps + SPLITS - 1) / SPLITS;

    var sum: array<array<vec4f, THREAD_C>, THREAD_M>;
    var next_a: array<vec4f, LOADS_A>;
    var next_b: array<vec4f, LOADS_B>;
    let first_step = split * split_steps;
    let last_step = min(first_step + split_steps, steps);
    // One round more than there are slabs: round s fetches slab s and multiplies slab s - 1.
    for (var step = first_step; step <= last_step; step++) {
        if step < last_step {
            let u = first_u + i32(step / SLABS / taps_v) * STEP_H;
            let v = first_v + i32(step / SLABS % taps_v) * STEP_W;
            let shift_i = (phase_i + PADDING_H - u * DILATION_H) / STRIDE_H;
            let shift_j = (phase_j + PADDING_W - v * DILATION_W) / STRIDE_W;
            let tap = u32(u * KERNEL_W + v);
            let first_o = step % SLABS * TILE_K;
            for (var r = 0u; r < LOADS_A; r++) {
                let l = r * THREADS + thread;
                next_a[r] = load_a(first_m + l / TILE_K, shift_i, shift_j, first_o + l % TILE_K);
            }
            for (var r = 0u; r < LOADS_B; r++) {
                let l = r * THREADS + thread;
                let row = l / TILE_K;
                next_b[r] = load_b(tap, first_c + row % TILE_C, row / TILE_C % 4, first_o + l % TILE_K);
            }
        }
        if step > first_step {
            for (var k = 0u; k < TILE_K; k++) {
                var d: array<vec4f, THREAD_M>;
                for (var p = 0u; p < THREAD_M; p++) {
                    d[p] = slab_a[(thread_m + p * THREADS_M) * TILE_K + k];
                }
                for (var q = 0u; q < THREAD_C; q++) {
                    var w: array<vec4f, 4>;
                    for (var lane = 0u; lane < 4; lane++) {
                        w[lane] = slab_b[(lane * TILE_C + thread_c + q * THREADS_C) * ROW_B + k];
                    }
                    for (var p = 0u; p < THREAD_M; p++) {
                        sum[p][q] += vec4f(dot(d[p], w[0]), dot(d[p], w[1]), dot(d[p], w[2]), dot(d[p], w[3]));
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
            let l = r * THREADS + thread;
            if l < SLAB_B {
                slab_b[l / TILE_K * ROW_B + l % TILE_K] = next_b[r];
            }
        }
        workgroupBarrier(); // the new slab is complete
    }

    for (var q = 0u; q < THREAD_C; q++) {
        let c = first_c + thread_c + q * THREADS_C;
        if c < IN_VECS {
#ifdef BIAS
            let b = bias[c];
#else
            let b = vec4f();
#endif
            for (var p = 0u; p < THREAD_M; p++) {
                let m = first_m + thread_m + p * THREADS_M;
                let i = u32(phase_i) + m / PHASE_WIDTH % PHASE_HEIGHT * u32(STRIDE_H);
                let j = u32(phase_j) + m % PHASE_WIDTH * u32(STRIDE_W);
                let n = split * BATCH + m / (PHASE_WIDTH * PHASE_HEIGHT);
                if m < PIXELS && i < IN_HEIGHT && j < IN_WIDTH {
                    dx[((n * IN_HEIGHT + i) * IN_WIDTH + j) * IN_VECS + c] = sum[p][q] + b;
                }
            }
        }
    }
}
