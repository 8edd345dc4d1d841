// Local response normalisation: y = x / s^beta, s = k + scale * sum of x^2 over a window.
//
// The window has BEFORE channels before the element's own and BEHIND behind it, or, with
// WITHIN_CHANNELS, as many rows and columns of its channel. What lies outside is zero. DIVISOR says
// that s is wanted too. Padding stays zero.

#import wgrad::common::{linear_index, power}

const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3) / 4;
const BEFORE: u32 = #{BEFORE};
const BEHIND: u32 = #{BEHIND};
override k: f32;
override scale: f32; // alpha / numbers in a window
override beta: f32;

@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
#ifdef DIVISOR
@group(0) @binding(1) var<storage, read_write> s: array<vec4f>;
#endif

#ifdef WITHIN_CHANNELS
const HEIGHT: u32 = #{HEIGHT};
const WIDTH: u32 = #{WIDTH};
@group(0) @binding(2) var<storage, read> x: array<vec4f>;

fn element(i: u32) -> vec4f {
    return x[i];
}

fn sum_of_squares(i: u32) -> vec4f {
    let pixel = i / VECS;
    let column = pixel % WIDTH;
    let row = pixel / WIDTH % HEIGHT;
    let origin = i - (row * WIDTH + column) * VECS; // the channels of the corner
    var sum = vec4f();
    for (var r = max(row, BEFORE) - BEFORE; r < min(row + BEHIND + 1, HEIGHT); r++) {
        for (var c = max(column, BEFORE) - BEFORE; c < min(column + BEHIND + 1, WIDTH); c++) {
            let value = x[origin + (r * WIDTH + c) * VECS];
            sum += value * value;
        }
    }
    return sum;
}
#else
@group(0) @binding(2) var<storage, read> x: array<f32>;

fn element(i: u32) -> vec4f {
    return vec4f(x[4 * i], x[4 * i + 1], x[4 * i + 2], x[4 * i + 3]);
}

fn sum_of_squares(i: u32) -> vec4f {
    let first = 4 * (i % VECS);
    let origin = 4 * i - first; // the position's first channel
    let lanes = first + vec4u(0, 1, 2, 3);
    var sum = vec4f();
    // Every channel that is in the window of one of the four.
    for (var c = max(first, BEFORE) - BEFORE; c < min(first + 4 + BEHIND, CHANNELS); c++) {
        let value = x[origin + c];
        let inside = (lanes <= vec4u(c + BEFORE)) & (vec4u(c) <= lanes + vec4u(BEHIND));
        sum += select(vec4f(), vec4f(value * value), inside);
    }
    return sum;
}
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&y) {
        return;
    }
    let divisor = vec4f(k) + scale * sum_of_squares(i);
    y[i] = element(i) * power(divisor, -beta); // k > 0, so that padding is 0 * a number
#ifdef DIVISOR
    let exists = 4 * (i % VECS) + vec4u(0, 1, 2, 3) < vec4u(CHANNELS);
    s[i] = select(vec4f(), divisor, exists);
#endif
}
