// The gradient of mean pooling: every element of a window gets dy / (what the mean was divided by).
//
// Gathered, so that no two invocations add to one place: every element of the input adds the shares
// of the windows that cover it, in row order.

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

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dx: array<vec4f>;

// How many rows (or columns) of a window count; `start` is counted from the corner of the padding.
fn counted(start: u32, kernel: u32, padding: u32, input: u32, padded: u32) -> u32 {
#ifdef COUNT_INCLUDE_PAD
    return min(start + kernel, padded) - start;
#else
    return min(start + kernel, input + padding) - max(start, padding);
#endif
}

// The first window along an axis that covers `position`, counted from the corner of the padding.
fn first_window(position: u32, kernel: u32, stride: u32) -> u32 {
    if position < kernel {
        return 0u;
    }
    return (position - kernel) / stride + 1u;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&dx) {
        return;
    }
    let channel = i % VECS;
    let pixel = i / VECS;
    let line = pixel / IN_WIDTH;
    let sample = line / IN_HEIGHT;
    let row = line % IN_HEIGHT + PADDING_TOP;
    let column = pixel % IN_WIDTH + PADDING_LEFT;
    let end_row = min(row / STRIDE_HEIGHT + 1u, OUT_HEIGHT);
    let end_column = min(column / STRIDE_WIDTH + 1u, OUT_WIDTH);

    var sum = vec4f();
    for (var a = first_window(row, KERNEL_HEIGHT, STRIDE_HEIGHT); a < end_row; a++) {
        let rows = counted(a * STRIDE_HEIGHT, KERNEL_HEIGHT, PADDING_TOP, IN_HEIGHT, PADDED_HEIGHT);
        for (var b = first_window(column, KERNEL_WIDTH, STRIDE_WIDTH); b < end_column; b++) {
            let columns = counted(b * STRIDE_WIDTH, KERNEL_WIDTH, PADDING_LEFT, IN_WIDTH, PADDED_WIDTH);
            let window = ((sample * OUT_HEIGHT + a) * OUT_WIDTH + b) * VECS + channel;
            sum += dy[window] / f32(rows * columns);
        }
    }
    dx[i] = sum;
}
