// Gradient of local response normalisation, second pass:
//
//   dx = dy / s^beta - factor * x * sum of terms
//
// over the elements in whose windows x lies: the window of local_response_norm.wgsl, mirrored. The
// terms come from local_response_norm_grad_terms.wgsl. Padding stays zero.

#import wgrad::common::{linear_index, power}

const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3) / 4;
const BEFORE: u32 = #{BEFORE};
const BEHIND: u32 = #{BEHIND};
override factor: f32; // 2 * alpha * beta / numbers in a window
override beta: f32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> s: array<vec4f>;
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4f>;

#ifdef WITHIN_CHANNELS
const HEIGHT: u32 = #{HEIGHT};
const WIDTH: u32 = #{WIDTH};
@group(0) @binding(4) var<storage, read> terms: array<vec4f>;

fn sum_of_terms(i: u32) -> vec4f {
    let pixel = i / VECS;
    let column = pixel % WIDTH;
    let row = pixel / WIDTH % HEIGHT;
    let origin = i - (row * WIDTH + column) * VECS; // the channels of the corner
    var sum = vec4f();
    for (var r = max(row, BEFORE) - BEFORE; r < min(row + BEHIND + 1, HEIGHT); r++) {
        for (var c = max(column, BEFORE) - BEFORE; c < min(column + BEHIND + 1, WIDTH); c++) {
            sum += terms[origin + (r * WIDTH + c) * VECS];
        }
    }
    return sum;
}
#else
@group(0) @binding(4) var<storage, read> terms: array<f32>;

fn sum_of_terms(i: u32) -> vec4f {
    let first = 4 * (i % VECS);
    let origin = 4 * i - first; // the position's first channel
    let lanes = first + vec4u(0, 1, 2, 3);
    var sum = vec4f();
    // Every channel that is in the window of one of the four.
    for (var c = max(first, BEFORE) - BEFORE; c < min(first + 4 + BEHIND, CHANNELS); c++) {
        let inside = (lanes <= vec4u(c + BEFORE)) & (vec4u(c) <= lanes + vec4u(BEHIND));
        sum += select(vec4f(), vec4f(terms[origin + c]), inside);
    }
    return sum;
}
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&dx) {
        return;
    }
    let exists = 4 * (i % VECS) + vec4u(0, 1, 2, 3) < vec4u(CHANNELS);
    let divisor = select(vec4f(1.0), s[i], exists); // s is zero in padding
    let direct = dy[i] * power(divisor, -beta);
    dx[i] = select(vec4f(), direct - factor * x[i] * sum_of_terms(i), exists);
}
