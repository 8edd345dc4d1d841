#define_import_path wgrad::rows

// What kernels share that look at all channels of a position together: at a row of vec4s. One
// invocation takes a row, or with WIDE a workgroup of 64, in which invocation l takes the vec4s
// l, l + 64, ... Maxima and sums are put together in a fixed order.

#ifdef WIDE
const STRIDE: u32 = 64u; // vec4s from one of an invocation to its next
var<workgroup> shared_values: array<f32, 64>;
#else
const STRIDE: u32 = 1u;
#endif

// Which lanes of vec4 v of a row are channels, not padding.
fn exist(v: u32, channels: u32) -> vec4<bool> {
    return vec4u(4u * v) + vec4u(0u, 1u, 2u, 3u) < vec4u(channels);
}

// The largest value of all invocations of a row.
fn max_of_row(value: f32, lane: u32) -> f32 {
#ifdef WIDE
    shared_values[lane] = value;
    for (var width = 32u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            shared_values[lane] = max(shared_values[lane], shared_values[lane + width]);
        }
    }
    workgroupBarrier();
    return shared_values[0];
#else
    return value;
#endif
}

// The sum over all invocations of a row.
fn sum_of_row(value: f32, lane: u32) -> f32 {
#ifdef WIDE
    workgroupBarrier(); // nobody still reads a result before
    shared_values[lane] = value;
    for (var width = 32u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            shared_values[lane] += shared_values[lane + width];
        }
    }
    workgroupBarrier();
    return shared_values[0];
#else
    return value;
#endif
}
