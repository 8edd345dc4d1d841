// The logistic function: y = 1 / (1 + exp(-x)).
//
// With e = exp(-|x|), which cannot overflow, it is 1/(1 + e) for x >= 0 and e/(1 + e) below.
// sigmoid(0) = 1/2, so that lanes beyond the last channel are set to zero.

#import wgrad::common::{is_nan, linear_index}

const LENGTH: u32 = #{LENGTH}; // vec4s
#ifdef CHANNELS
const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3u) / 4u; // vec4s of one position
#endif

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    let e = exp(-abs(x[i]));
    var value = select(e, vec4f(1.0), x[i] >= vec4f()) / (1.0 + e);
    // Drivers may clamp the exponential of NaN to a number.
    value = select(value, x[i], is_nan(x[i]));
#ifdef CHANNELS
    let channel = 4u * (i % VECS) + vec4u(0u, 1u, 2u, 3u);
    value = select(vec4f(), value, channel < vec4u(CHANNELS));
#endif
    y[i] = value;
}
