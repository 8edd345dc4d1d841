// The gradient of max pooling: dy goes unchanged to the element that won its window.
//
// Gathered, so that no two invocations add to one place: every element of the input asks the
// windows that cover it whether it was the winner, in row order.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s of the input
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

#ifdef BYTES
@group(0) @binding(0) var<storage, read> indices: array<u32>; // a byte per channel
#else
@group(0) @binding(0) var<storage, read> indices: array<vec4u>;
#endif
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;

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
    if i >= LENGTH {
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
        let u = row - a * STRIDE_HEIGHT;
        for (var b = first_window(column, KERNEL_WIDTH, STRIDE_WIDTH); b < end_column; b++) {
            let v = column - b * STRIDE_WIDTH;
            let window = ((sample * OUT_HEIGHT + a) * OUT_WIDTH + b) * VECS + channel;
#ifdef BYTES
            let winner = (vec4u(indices[window]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u);
#else
            let winner = indices[window];
#endif
            sum += select(vec4f(), dy[window], winner == vec4u(u * KERNEL_WIDTH + v));
        }
    }
    dx[i] = sum;
}
