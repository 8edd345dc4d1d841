//! Hyperbolic tangent: `f(y) = (eʸ − e⁻ʸ)/(eʸ + e⁻ʸ)`.

use super::Tensor;

/// `tanh(y)` of every element.
pub fn forward(x: &Tensor) -> Tensor {
    x.map(f64::tanh)
}

/// `δ·(1 − f²)`; `y` is the **output** f of the forward pass.
pub fn grad_input(y: &Tensor, grad_y: &Tensor) -> Tensor {
    y.zip(grad_y, |f, delta| delta * (1.0 - f * f))
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    /// tanh(ln 2) = (2 − ½)/(2 + ½) = 3/5.
    #[test]
    fn values_by_hand() {
        let x = Tensor::new(&[4], vec![0., 2f64.ln(), 1e4, -1e4]);
        for (y, expected) in forward(&x).data.iter().zip([0.0, 0.6, 1.0, -1.0]) {
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
