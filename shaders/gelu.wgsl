// GELU: y = x * P(x), where P(x) = erfc(-x / sqrt(2)) / 2 is the chance of a standard normal
// variable to lie below x. GRAD: dx = dy * (P(x) + x * P'(x)).
//
// TANH: P(x) = (1 + tanh(u)) / 2 with u = sqrt(2/pi) * (x + 0.044715 x^3), which is logistic(2u).

#import wgrad::common::linear_index
#ifdef TANH
#import wgrad::functions::logistic
#else
#import wgrad::functions::{erfc, exponential}
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
#ifdef TANH
    // Beyond 16 the function has its limits in f32; the powers of x would overflow.
    let v = clamp(x[i], vec4f(-16.0), vec4f(16.0));
    let twice_u = 1.5957691216057308 * v * (1.0 + 0.044715 * v * v);
    let p = logistic(twice_u);
#else
    let tail = 0.5 * erfc(abs(x[i]) * 0.7071067811865476);
    let p = select(1.0 - tail, tail, x[i] < vec4f());
#endif
#ifdef GRAD
#ifdef TANH
    let density = p * logistic(-twice_u) * 1.5957691216057308 * (1.0 + 0.134145 * v * v);
#else
    let density = 0.3989422804014327 * exponential(-0.5 * x[i] * x[i]);
#endif
    dx[i] = dy[i] * (p + x[i] * density);
#else
    y[i] = x[i] * p;
#endif
}
