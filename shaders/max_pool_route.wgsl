// Where max pooling sends the gradient: to the element that won each window.
//
//   routed[i] = sum over the windows that i won of dy[window]
//
// Pooling keeps the place of the winner within its window, row * KERNEL_WIDTH + column, as one byte
// per channel (BYTES, four to a word) where that suffices. DISJOINT says that no two windows
// overlap, TILED that they also cover the image; kernels then go through the windows, each of which
// is loaded once for all its elements. MASKED adds the gradient of a ReLU before the pooling: where
// the largest element is not above zero, nothing passes.

#define_import_path wgrad::max_pool_route

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
#ifdef MASKED
@group(0) @binding(2) var<storage, read> pooled: array<vec4f>;
#endif

// The channels' winners in a window.
fn winner_of(window: u32) -> vec4u {
#ifdef BYTES
    return (vec4u(indices[window]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u);
#else
    return indices[window];
#endif
}

fn delta_of(window: u32) -> vec4f {
    var delta = dy[window];
#ifdef MASKED
    delta = select(vec4f(), delta, pooled[window] > vec4f());
#endif
    return delta;
}

#ifdef TILED
const AREA: u32 = KERNEL_HEIGHT * KERNEL_WIDTH;

// Where in the image the first element of a window lies.
fn corner_of(window: u32) -> u32 {
    let pixel = window / VECS;
    let line = pixel / OUT_WIDTH; // of all samples
    let column = pixel % OUT_WIDTH * KERNEL_WIDTH;
    return (line * KERNEL_HEIGHT * IN_WIDTH + column) * VECS + window % VECS;
}

// Where from there the element at `place` lies.
fn distance_to(place: u32) -> u32 {
    return (place / KERNEL_WIDTH * IN_WIDTH + place % KERNEL_WIDTH) * VECS;
}
#else
// The first window along an axis that covers `position`, counted from the corner of the padding.
fn first_window(position: u32, kernel: u32, stride: u32) -> u32 {
    if position < kernel {
        return 0u;
    }
    return (position - kernel) / stride + 1u;
}

// dy of a window where the element at `place` won it.
fn won(window: u32, place: u32) -> vec4f {
    return select(vec4f(), delta_of(window), winner_of(window) == vec4u(place));
}

// The gradient of vec4 `i` of the image.
fn routed(i: u32) -> vec4f {
    let channel = i % VECS;
    let pixel = i / VECS;
    let line = pixel / IN_WIDTH;
    let sample = line / IN_HEIGHT;
    let row = line % IN_HEIGHT + PADDING_TOP;
    let column = pixel % IN_WIDTH + PADDING_LEFT;
#ifdef DISJOINT
    let a = row / STRIDE_HEIGHT;
    let b = column / STRIDE_WIDTH;
    let u = row % STRIDE_HEIGHT;
    let v = column % STRIDE_WIDTH;
    // Between windows further apart than they are wide, and behind the last, nothing arrives.
    let covered = a < OUT_HEIGHT && b < OUT_WIDTH && u < KERNEL_HEIGHT && v < KERNEL_WIDTH;
    let window = ((sample * OUT_HEIGHT + a) * OUT_WIDTH + b) * VECS + channel;
    let sum = won(select(0, window, covered), u * KERNEL_WIDTH + v);
    return select(vec4f(), sum, covered);
#else
    let end_row = min(row / STRIDE_HEIGHT + 1u, OUT_HEIGHT);
    let end_column = min(column / STRIDE_WIDTH + 1u, OUT_WIDTH);
    var sum = vec4f();
    for (var a = first_window(row, KERNEL_HEIGHT, STRIDE_HEIGHT); a < end_row; a++) {
        let u = row - a * STRIDE_HEIGHT;
        for (var b = first_window(column, KERNEL_WIDTH, STRIDE_WIDTH); b < end_column; b++) {
            let v = column - b * STRIDE_WIDTH;
            let window = ((sample * OUT_HEIGHT + a) * OUT_WIDTH + b) * VECS + channel;
            sum += won(window, u * KERNEL_WIDTH + v);
        }
    }
    return sum;
#endif
}
#endif
