// The hyperbolic tangent.
//
// With e = exp(-2|x|), which cannot overflow, |y| = (1 - e)/(1 + e). Near zero, where 1 - e would
// cancel, the Taylor series x - x^3/3 + 2x^5/15 - 17x^7/315 + 62x^9/2835 is exact to 1e-8. The
// built-in function overflows or cancels on some drivers.

#import wgrad::common::{is_nan, linear_index}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&y) {
        return;
    }
    let e = exp(-2.0 * abs(x[i]));
    let far = sign(x[i]) * (1.0 - e) / (1.0 + e);
    let s = x[i] * x[i];
    let near = x[i]
        * (1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0)))));
    let value = select(far, near, abs(x[i]) < vec4f(0.25));
    // Drivers may clamp the exponential of NaN to a number.
    y[i] = select(value, x[i], is_nan(x[i]));
}
