//! Softmax over the channels of each position: `f_k = e^{y_k}/Σ_j e^{y_j}`.
//!
//! Shapes: `[N, C, H, W]` or `[N, F]`. Source: Bridle 1990.

use super::Tensor;

/// Calls `row` with the channels of each position of `x` and of `other`, and gathers what it gives.
pub fn by_position(x: &Tensor, other: &Tensor, row: impl Fn(&[f64], &[f64]) -> Vec<f64>) -> Tensor {
    let (x_rows, other) = (x.by_channel(), other.by_channel());
    let &[batch, channels, positions] = x_rows.shape.as_slice() else {
        unreachable!()
    };
    let mut result = Tensor::zeros(&x_rows.shape);
    for n in 0..batch {
        for p in 0..positions {
            let channels_of =
                |t: &Tensor| (0..channels).map(|c| t.at(&[n, c, p])).collect::<Vec<_>>();
            let values = row(&channels_of(&x_rows), &channels_of(&other));
            for (c, value) in values.into_iter().enumerate() {
                *result.at_mut(&[n, c, p]) = value;
            }
        }
    }
    result.reshaped(&x.shape)
}

/// The largest number, which is taken out so that no exponential overflows.
pub fn largest(row: &[f64]) -> f64 {
    row.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// `e^{y_k}/Σ_j e^{y_j}`.
pub fn forward(x: &Tensor) -> Tensor {
    by_position(x, x, |row, _| {
        let powers: Vec<f64> = row.iter().map(|y| (y - largest(row)).exp()).collect();
        let sum: f64 = powers.iter().sum();
        powers.iter().map(|power| power / sum).collect()
    })
}

/// `f_k(δ_k − Σ_j f_j δ_j)`; `y` is the **output** f of the forward pass.
pub fn grad_input(y: &Tensor, grad_y: &Tensor) -> Tensor {
    by_position(y, grad_y, |f, delta| {
        let mean: f64 = f.iter().zip(delta).map(|(f, d)| f * d).sum();
        f.iter().zip(delta).map(|(f, d)| f * (d - mean)).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    /// Odds of 1 : 2 : 1, once shifted by 10⁴; two positions of one channel.
    #[test]
    fn values_by_hand() {
        let ln2 = 2f64.ln();
        for shift in [0.0, 1e4, -1e4] {
            let x = Tensor::new(&[1, 3], vec![shift, shift + ln2, shift]);
            for (y, expected) in forward(&x).data.iter().zip([0.25, 0.5, 0.25]) {
                assert!((y - expected).abs() <= 1e-12, "{y} instead of {expected}");
            }
        }
        assert_eq!(
            forward(&Tensor::new(&[1, 1, 1, 2], vec![3., 4.])).data,
            [1., 1.]
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
