// Max pooling: the largest element of every window, the first one in row order.
//
// NaN beats every number, and of several NaNs the last one stays. With INDICES the place of the
// winner within its window, row * KERNEL_WIDTH + column, is kept for the backward pass: as one byte
// per channel (BYTES, four to a word) where that suffices. CLIPPED says that some windows stick out
// of the input; positions there lose against anything.

//
// When the planner has fused what comes before the pooling, x is normalised per channel (NORMALISE,
// as batch_norm.wgsl does it, TRAINING with the statistics of the batch) and rectified.

#import wgrad::common::{is_nan, linear_index}
#import wgrad::epilogue::rectify

const VECS: u32 = #{VECS}; // vec4s of one position
const IN_HEIGHT: u32 = #{IN_HEIGHT};
const IN_WIDTH: u32 = #{IN_WIDTH};
const OUT_HEIGHT: u32 = #{OUT_HEIGHT};
const OUT_WIDTH: u32 = #{OUT_WIDTH};
const KERNEL_HEIGHT: u32 = #{KERNEL_HEIGHT};
const KERNEL_WIDTH: u32 = #{KERNEL_WIDTH};
const STRIDE_HEIGHT: u32 = #{STRIDE_HEIGHT};
const STRIDE_WIDTH: u32 = #{STRIDE_WIDTH};
const PADDING_TOP: u32 = #{PADDING_TOP};
const PADDING_LEFT: u32 = #{PADDING_LEFT};

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
#ifdef INDICES
#ifdef BYTES
@group(0) @binding(2) var<storage, read_write> indices: array<u32>;
#else
@group(0) @binding(2) var<storage, read_write> indices: array<vec4u>;
#endif
#endif
#ifdef NORMALISE
@group(0) @binding(3) var<storage, read> weight: array<vec4f>;
@group(0) @binding(4) var<storage, read> bias: array<vec4f>;
@group(0) @binding(5) var<storage, read> mean: array<vec4f>;
#ifdef TRAINING
@group(0) @binding(6) var<storage, read> residual: array<vec4f>;
@group(0) @binding(7) var<storage, read> inverse_std: array<vec4f>;
#else
override epsilon: f32;
@group(0) @binding(6) var<storage, read> variance: array<vec4f>;
#endif
#endif

fn load(at: u32, v: u32) -> vec4f {
#ifdef NORMALISE
#ifdef TRAINING
    let normalised = ((x[at] - mean[v]) - residual[v]) * inverse_std[v];
#else
    let normalised = (x[at] - mean[v]) * inverseSqrt(variance[v] + vec4f(epsilon));
#endif
    return rectify(weight[v] * normalised + bias[v], v);
#else
    return rectify(x[at], v);
#endif
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&y) {
        return;
    }
    let channel = i % VECS;
    let pixel = i / VECS;
    let line = pixel / OUT_WIDTH;
    let sample = line / OUT_HEIGHT;
    // Rows and columns are counted from the corner of the padding, so that none is negative.
    let top = line % OUT_HEIGHT * STRIDE_HEIGHT;
    let left = pixel % OUT_WIDTH * STRIDE_WIDTH;
    let first_row = max(top, PADDING_TOP) - top;
    let first_column = max(left, PADDING_LEFT) - left;
    let corner_row = sample * IN_HEIGHT + top - PADDING_TOP;
    let corner_column = left - PADDING_LEFT;

    let first = (corner_row + first_row) * IN_WIDTH + corner_column + first_column;
    var best = load(first * VECS + channel, channel);
    var place = vec4u(first_row * KERNEL_WIDTH + first_column);
    for (var u = 0u; u < KERNEL_HEIGHT; u++) {
        for (var v = 0u; v < KERNEL_WIDTH; v++) {
#ifdef CLIPPED
            let outside = u < first_row || top + u >= PADDING_TOP + IN_HEIGHT;
            if outside || v < first_column || left + v >= PADDING_LEFT + IN_WIDTH {
                continue;
            }
#endif
            let at = ((corner_row + u) * IN_WIDTH + corner_column + v) * VECS + channel;
            let value = load(at, channel);
            let wins = is_nan(value) | (value > best);
            best = select(best, value, wins);
            place = select(place, vec4u(u * KERNEL_WIDTH + v), wins);
        }
    }
    y[i] = best;
#ifdef INDICES
#ifdef BYTES
    indices[i] = place.x | (place.y << 8u) | (place.z << 16u) | (place.w << 24u);
#else
    indices[i] = place;
#endif
#endif
}
