// Softplus: y = log(1 + exp(beta * x)) / beta, as max(0, x) + log(1 + exp(-|beta * x|)) / beta,
// which cannot overflow. GRAD: dx = dy * logistic(beta * x).
// softplus(0) > 0, so that lanes beyond the last channel are set to zero.

#import wgrad::common::{is_nan, linear_index}
#import wgrad::functions::{exponential, log_of_1_plus, logistic}

#ifdef CHANNELS
const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3u) / 4u; // vec4s of one position
#endif
override beta: f32;

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
    dx[i] = dy[i] * logistic(beta * x[i]);
#else
    var value = max(x[i], vec4f()) + log_of_1_plus(exponential(-abs(beta * x[i]))) / beta;
    // The maximum of NaN and 0 may be 0.
    value = select(value, x[i], is_nan(x[i]));
#ifdef CHANNELS
    let channel = 4u * (i % VECS) + vec4u(0u, 1u, 2u, 3u);
    value = select(vec4f(), value, channel < vec4u(CHANNELS));
#endif
    y[i] = value;
#endif
}
