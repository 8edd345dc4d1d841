// An image of another size. For an axis of `input` numbers that becomes one of `output`, output
// i lies at s(i) of the input:
//
//   NEAREST        s(i) = floor(i * input / output)
//   ALIGN_CORNERS  s(i) = i * (input - 1) / (output - 1)
//   otherwise      s(i) = max(0, (i + 1/2) * input / output - 1/2)
//
// The latter two are fractions of whole numbers, computed exactly; the output is interpolated
// between the two rows and columns beside it.

#import wgrad::common::linear_index

const VECS: u32 = #{VECS}; // vec4s of one position
const IN_HEIGHT: u32 = #{IN_HEIGHT};
const IN_WIDTH: u32 = #{IN_WIDTH};
const HEIGHT: u32 = #{HEIGHT};
const WIDTH: u32 = #{WIDTH};

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

#ifndef NEAREST
// s(i) as numerator and denominator.
fn place(i: u32, input: u32, output: u32) -> vec2u {
#ifdef ALIGN_CORNERS
    return vec2u(i * (input - 1), max(output, 2u) - 1);
#else
    return vec2u(max((2 * i + 1) * input, output) - output, 2 * output);
#endif
}
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&y) {
        return;
    }
    let channel = i % VECS;
    let column = i / VECS % WIDTH;
    let line = i / VECS / WIDTH;
    let row = line % HEIGHT;
    let top = line / HEIGHT * IN_HEIGHT; // of the sample
#ifdef NEAREST
    let source = (top + row * IN_HEIGHT / HEIGHT) * IN_WIDTH + column * IN_WIDTH / WIDTH;
    y[i] = x[source * VECS + channel];
#else
    let r = place(row, IN_HEIGHT, HEIGHT);
    let c = place(column, IN_WIDTH, WIDTH);
    let upper = r.x / r.y;
    let lower = min(upper + 1, IN_HEIGHT - 1);
    let left = c.x / c.y;
    let right = min(left + 1, IN_WIDTH - 1);
    let down = f32(r.x % r.y) / f32(r.y);
    let across = f32(c.x % c.y) / f32(c.y);

    let above = (top + upper) * IN_WIDTH;
    let below = (top + lower) * IN_WIDTH;
    let above_value = (1.0 - across) * x[(above + left) * VECS + channel]
        + across * x[(above + right) * VECS + channel];
    let below_value = (1.0 - across) * x[(below + left) * VECS + channel]
        + across * x[(below + right) * VECS + channel];
    y[i] = (1.0 - down) * above_value + down * below_value;
#endif
}
