//! Binary cross-entropy from logits: with `q = σ(z)`, `−w·t·ln q − (1 − t)·ln(1 − q)` of every
//! element. w is the weight of positives, by channel (axis 1). The mean is over all elements, as
//! in PyTorch.

use super::{Reduction, Tensor};

/// `ln(1 + eᶻ)`, which is `−ln(1 − σ(z))`, without overflow.
fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// The weight of positives for each element of a tensor of this shape.
fn weights(shape: &[usize], by_channel: Option<&[f64]>) -> Tensor {
    Tensor::from_fn(shape, |index| match by_channel {
        Some([all]) => *all,
        Some(weights) => weights[index[1]],
        None => 1.0,
    })
}

/// The sum over all elements, or their mean.
pub fn forward(z: &Tensor, t: &Tensor, reduction: Reduction, w: Option<&[f64]>) -> f64 {
    let w = weights(&z.shape, w);
    let positive = z.zip(t, |z, t| t * softplus(-z)).dot(&w);
    let negative = z.zip(t, |z, t| (1.0 - t) * softplus(z));
    (positive + negative.data.iter().sum::<f64>()) * reduction.scale(z.data.len())
}

/// `(1 − t)·σ(z) − w·t·σ(−z)`; without weights that is `σ(z) − t`.
pub fn grad_logits(z: &Tensor, t: &Tensor, reduction: Reduction, w: Option<&[f64]>) -> Tensor {
    let w = weights(&z.shape, w);
    let positive = z.zip(t, |z, t| t * sigmoid(-z)).zip(&w, |a, w| a * w);
    let negative = z.zip(t, |z, t| (1.0 - t) * sigmoid(z));
    let scale = reduction.scale(z.data.len());
    negative.zip(&positive, |n, p| (n - p) * scale)
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    /// A logit of ln 3 is a probability of 3/4.
    #[test]
    fn values_by_hand() {
        let logits = Tensor::new(&[1, 3], vec![3f64.ln(), 3f64.ln(), 0.0]);
        let target = Tensor::new(&[1, 3], vec![1.0, 0.0, 0.5]);
        let (quarter, half) = (4f64.ln(), 2f64.ln());
        let loss = forward(&logits, &target, Reduction::Sum, None);
        let expected = (4.0 / 3.0_f64).ln() + quarter + half;
        assert!((loss - expected).abs() <= 1e-15, "{loss}");
        let doubled = forward(&logits, &target, Reduction::Sum, Some(&[2.0]));
        let expected = 2.0 * (4.0 / 3.0_f64).ln() + quarter + 1.5 * half;
        assert!((doubled - expected).abs() <= 1e-15, "{doubled}");
        let grad = grad_logits(&logits, &target, Reduction::Sum, Some(&[2.0, 1.0, 3.0]));
        for (g, expected) in grad.data.iter().zip([-0.5, 0.75, -0.5]) {
            assert!((g - expected).abs() <= 1e-15, "{g} instead of {expected}");
        }
    }

    #[test]
    fn huge_logits_stay_finite() {
        let logits = Tensor::new(&[1, 2], vec![1e4, -1e4]);
        let target = Tensor::new(&[1, 2], vec![1.0, 1.0]);
        assert_eq!(forward(&logits, &target, Reduction::Sum, None), 1e4);
        let grad = grad_logits(&logits, &target, Reduction::Sum, None);
        assert_eq!(grad.data, [0.0, -1.0]);
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        let logits = Tensor::normal(&[3, 4], 1).map(|z| 2.0 * z);
        let target = Tensor::normal(&[3, 4], 2).map(sigmoid);
        for weights in [None, Some(&[2.0][..]), Some(&[0.5, 1.0, 2.0, 4.0])] {
            for reduction in [Reduction::Mean, Reduction::Sum] {
                let grad = grad_logits(&logits, &target, reduction, weights);
                assert_gradient("logits", &grad, &logits, |z| {
                    forward(z, &target, reduction, weights)
                });
            }
        }
    }
}
