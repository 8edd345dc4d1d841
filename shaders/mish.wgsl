// Mish: y = x * t with t = tanh(softplus(x)). GRAD: dx = dy * (t + x * (1 - t^2) * logistic(x)).
//
// tanh(log n) = (n^2 - 1)/(n^2 + 1) with n = 1 + exp(x). With e = exp(-|x|), which cannot overflow,
// that is t = a / (a + 2b) for a = 1 + 2e, b = e^2 where x >= 0, and a = e^2 + 2e, b = 1 below.

#import wgrad::common::linear_index
#import wgrad::functions::exponential

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
    let e = exponential(-abs(x[i]));
    let positive = x[i] >= vec4f();
    let a = select(e * (e + 2.0), 1.0 + 2.0 * e, positive);
    let b = select(vec4f(1.0), e * e, positive);
    let sum = a + 2.0 * b;
#ifdef GRAD
    let logistic = select(e, vec4f(1.0), positive) / (1.0 + e);
    let one_minus_square = 4.0 * b * (a + b) / (sum * sum);
    dx[i] = dy[i] * (a / sum + x[i] * one_minus_square * logistic);
#else
    y[i] = x[i] * (a / sum);
#endif
}
