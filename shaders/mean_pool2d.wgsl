// Mean pooling: the average of every window.
//
// The divisor counts the elements of the window on the input, with COUNT_INCLUDE_PAD also those on
// the padding, never those beyond it. CLIPPED says that some windows stick out of the input.

#import wgrad::common::linear_index

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
const PADDED_HEIGHT: u32 = #{PADDED_HEIGHT}; // with the padding of both sides
const PADDED_WIDTH: u32 = #{PADDED_WIDTH};

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

// How many rows (or columns) of a window count; `start` is counted from the corner of the padding.
fn counted(start: u32, kernel: u32, padding: u32, input: u32, padded: u32) -> u32 {
#ifdef COUNT_INCLUDE_PAD
    return min(start + kernel, padded) - start;
#else
    return min(start + kernel, input + padding) - max(start, padding);
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
    let corner_row = sample * IN_HEIGHT + top - PADDING_TOP;
    let corner_column = left - PADDING_LEFT;

    var sum = vec4f();
    for (var u = 0u; u < KERNEL_HEIGHT; u++) {
        for (var v = 0u; v < KERNEL_WIDTH; v++) {
#ifdef CLIPPED
            let outside = top + u < PADDING_TOP || top + u >= PADDING_TOP + IN_HEIGHT;
            if outside || left + v < PADDING_LEFT || left + v >= PADDING_LEFT + IN_WIDTH {
                continue;
            }
#endif
            sum += x[((corner_row + u) * IN_WIDTH + corner_column + v) * VECS + channel];
        }
    }
#ifdef CLIPPED
    let rows = counted(top, KERNEL_HEIGHT, PADDING_TOP, IN_HEIGHT, PADDED_HEIGHT);
    let columns = counted(left, KERNEL_WIDTH, PADDING_LEFT, IN_WIDTH, PADDED_WIDTH);
    y[i] = sum / f32(rows * columns);
#else
    y[i] = sum / f32(KERNEL_HEIGHT * KERNEL_WIDTH);
#endif
}
