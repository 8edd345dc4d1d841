//! Logarithm of softmax over the channels of each position: `f_k = y_k − ln Σ_j e^{y_j}`.
//!
//! Shapes: `[N, C, H, W]` or `[N, F]`.

use super::Tensor;
use super::softmax::{by_position, largest};

/// `y_k − ln Σ_j e^{y_j}`.
pub fn forward(x: &Tensor) -> Tensor {
    by_position(x, x, |row, _| {
        let sum: f64 = row.iter().map(|y| (y - largest(row)).exp()).sum();
        row.iter().map(|y| y - largest(row) - sum.ln()).collect()
    })
}

/// `δ_k − e^{f_k} Σ_j δ_j`; `y` is the **output** f of the forward pass.
pub fn grad_input(y: &Tensor, grad_y: &Tensor) -> Tensor {
    by_position(y, grad_y, |f, delta| {
        let sum: f64 = delta.iter().sum();
        f.iter()
            .zip(delta)
            .map(|(f, d)| d - f.exp() * sum)
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    /// Odds of 1 : 2 : 1, once shifted by 10⁴; a certain one, and an impossible one.
    #[test]
    fn values_by_hand() {
        let ln2 = 2f64.ln();
        for shift in [0.0, 1e4, -1e4] {
            let x = Tensor::new(&[1, 3], vec![shift, shift + ln2, shift]);
            let expected = [-2.0 * ln2, -ln2, -2.0 * ln2];
            for (y, expected) in forward(&x).data.iter().zip(expected) {
                assert!((y - expected).abs() <= 1e-11, "{y} instead of {expected}");
            }
        }
        assert_eq!(
            forward(&Tensor::new(&[1, 2], vec![1e4, -1e4])).data,
            [0., -2e4]
        );
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
