//! Gradients by central differences: the witness that needs no calculus.
//!
//! `∂f/∂x_i ≈ (f(x + h·e_i) − f(x − h·e_i)) / 2h`. The error is about
//! `h²·f‴/6` from the formula plus `ε·|f|/h` from rounding; with f64's
//! ε ≈ 1e-16 and h = 1e-5 both are near 1e-10 for values of order one.

use super::Tensor;

/// The h above.
pub const STEP: f64 = 1e-5;

/// How far a gradient may lie from its central difference, relative to the
/// gradient's own size: a hundred times the error expected above, and far
/// below what any wrong index or missing factor would cause.
pub const TOLERANCE: f64 = 1e-7;

/// The gradient of the scalar function `f` at the point `at`.
pub fn gradient(at: &Tensor, f: impl Fn(&Tensor) -> f64) -> Tensor {
    let mut point = at.clone();
    let mut gradient = Tensor::zeros(&at.shape);
    for element in 0..at.data.len() {
        point.data[element] = at.data[element] + STEP;
        let above = f(&point);
        point.data[element] = at.data[element] - STEP;
        let below = f(&point);
        point.data[element] = at.data[element];
        gradient.data[element] = (above - below) / (2.0 * STEP);
    }
    gradient
}

/// Panics unless `analytic` is the gradient of `f` at `at`, element by element.
///
/// An analytic gradient of all zeros is refused too: such a case would pass
/// for an operator that does nothing.
pub fn assert_gradient(name: &str, analytic: &Tensor, at: &Tensor, f: impl Fn(&Tensor) -> f64) {
    assert_eq!(analytic.shape, at.shape, "{name}: shape of the gradient");
    let numeric = gradient(at, f);
    let mean_square = numeric.dot(&numeric) / numeric.data.len() as f64;
    assert!(
        mean_square > 0.0,
        "{name}: the gradient vanishes everywhere; choose another case"
    );
    for (element, (&a, &b)) in analytic.data.iter().zip(&numeric.data).enumerate() {
        let allowed = TOLERANCE * (mean_square.sqrt() + b.abs());
        let close = (a - b).abs() <= allowed;
        assert!(
            close,
            "{name}: element {element} is {a}, by central differences {b}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cubic(x: &Tensor) -> f64 {
        x.data[0].powi(3) + 2.0 * x.data[0] * x.data[1]
    }

    #[test]
    fn agrees_with_calculus() {
        let at = Tensor::new(&[2], vec![1.5, -0.5]);
        let by_hand = Tensor::new(&[2], vec![3.0 * 1.5 * 1.5 - 1.0, 3.0]);
        assert_gradient("cubic", &by_hand, &at, cubic);
    }

    #[test]
    #[should_panic(expected = "element 1")]
    fn a_slightly_wrong_gradient_is_caught() {
        let at = Tensor::new(&[2], vec![1.5, -0.5]);
        assert_gradient(
            "cubic",
            &Tensor::new(&[2], vec![5.75, 3.000_002]),
            &at,
            cubic,
        );
    }

    #[test]
    #[should_panic(expected = "element 0")]
    fn nan_is_caught() {
        let at = Tensor::new(&[2], vec![1.5, -0.5]);
        assert_gradient("cubic", &Tensor::new(&[2], vec![f64::NAN, 3.0]), &at, cubic);
    }
}
