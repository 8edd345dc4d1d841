#define_import_path wgrad::functions

// Functions of a number, for every lane, that neither cancel nor overflow where their value does
// not, so that they are as good as the driver's `exp` and `log`. NaN stays NaN: drivers may make a
// number of the exponential of NaN.

#import wgrad::common::is_nan

fn exponential(x: vec4f) -> vec4f {
    return select(exp(x), x, is_nan(x));
}

// exp(x) - 1. Near zero, where the difference would cancel, the Taylor series, exact to 1e-8.
fn exp_minus_1(x: vec4f) -> vec4f {
    let tail = 1.0 + x / 5.0 * (1.0 + x / 6.0 * (1.0 + x / 7.0 * (1.0 + x / 8.0)));
    let near = x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * tail)));
    return select(exponential(x) - 1.0, near, abs(x) < vec4f(0.5));
}

// log(1 + u) for u >= 0. Near 0 a rounded 1 + u would lose u, and WGSL's `log` is only good to
// 2^-21; there the series 2 (s + s^3/3 + s^5/5 + ...) with s = u / (2 + u) <= 1/3.
fn log_of_1_plus(u: vec4f) -> vec4f {
    let s = u / (2.0 + u);
    let q = s * s;
    let tail = 1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q * (1.0 / 15.0)));
    let near = 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * tail))));
    let value = select(log(1.0 + u), near, u <= vec4f(1.0));
    return select(value, u, is_nan(u));
}

// The logistic function 1/(1 + exp(-x)): with e = exp(-|x|), which cannot overflow, it is
// 1/(1 + e) for x >= 0 and e/(1 + e) below.
fn logistic(x: vec4f) -> vec4f {
    let e = exponential(-abs(x));
    return select(e, vec4f(1.0), x >= vec4f()) / (1.0 + e);
}

// The complementary error function erfc(z) for z >= 0, by a polynomial in t = 1/(1 + z/2) in the
// exponent. Its relative error is below 1.2e-7 everywhere, rounding apart (Press, Teukolsky,
// Vetterling and Flannery, "Numerical recipes", section 6.2).
fn erfc(z: vec4f) -> vec4f {
    let t = 1.0 / (1.0 + 0.5 * z);
    let last = 1.48851587 + t * (-0.82215223 + t * 0.17087277);
    let tail = -0.18628806 + t * (0.27886807 + t * (-1.13520398 + t * last));
    let p = 1.00002368 + t * (0.37409196 + t * (0.09678418 + t * tail));
    return t * exponential(-z * z - 1.26551223 + t * p);
}
