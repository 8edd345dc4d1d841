// Hard-sigmoid: y = min(max(0, x + 3), 6) / 6. GRAD: dx = dy / 6 where -3 < x < 3, else 0.
// hard_sigmoid(0) = 1/2, so that lanes beyond the last channel are set to zero.

#import wgrad::common::{is_nan, linear_index}

#ifdef CHANNELS
const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3u) / 4u; // vec4s of one position
#endif

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
#ifdef GRAD
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;
#else
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&x) {
        return;
    }
#ifdef GRAD
    dx[i] = select(vec4f(), dy[i] / 6.0, abs(x[i]) < vec4f(3.0));
#else
    var value = clamp(x[i] + 3.0, vec4f(), vec4f(6.0)) / 6.0;
    // NaN between bounds may become a bound.
    value = select(value, x[i], is_nan(x[i]));
#ifdef CHANNELS
    let channel = 4u * (i % VECS) + vec4u(0u, 1u, 2u, 3u);
    value = select(vec4f(), value, channel < vec4u(CHANNELS));
#endif
    y[i] = value;
#endif
}
