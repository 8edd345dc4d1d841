//! Logistic function: `σ(y) = 1/(1 + e⁻ʸ)`.

use super::Tensor;

/// `σ(y)` of every element. For `y < 0` as `eʸ/(1 + eʸ)`: the exponential of a
/// positive number would overflow.
pub fn forward(x: &Tensor) -> Tensor {
    x.map(|y| {
        if y >= 0.0 {
            1.0 / (1.0 + (-y).exp())
        } else {
            y.exp() / (1.0 + y.exp())
        }
    })
}

/// `δ·f(1 − f)`; `y` is the **output** f of the forward pass.
pub fn grad_input(y: &Tensor, grad_y: &Tensor) -> Tensor {
    y.zip(grad_y, |f, delta| delta * f * (1.0 - f))
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    /// σ(0) = 1/2, σ(ln 3) = 3/4, σ(−ln 3) = 1/4, and no overflow far out.
    #[test]
    fn values_by_hand() {
        let x = Tensor::new(&[5], vec![0., 3f64.ln(), -3f64.ln(), 1e4, -1e4]);
        for (y, expected) in forward(&x).data.iter().zip([0.5, 0.75, 0.25, 1.0, 0.0]) {
            assert!((y - expected).abs() <= 1e-15, "{y} instead of {expected}");
        }
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        let (x, delta) = (
            Tensor::normal(&[2, 3, 4, 5], 1),
            Tensor::normal(&[2, 3, 4, 5], 2),
        );
        let grad = grad_input(&forward(&x), &delta);
        assert_gradient("input", &grad, &x, |x| forward(x).dot(&delta));
    }
}
