//! Huber's loss: with d = ŷ − y, `d²/2` where |d| ≤ δ and `δ(|d| − δ/2)` beyond. The smooth L1
//! loss is Huber's divided by its δ, there called β. The mean is over all elements, as in PyTorch.

use super::{Reduction, Tensor};

/// Where the square ends, and whether to divide by that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attributes {
    /// δ, or β of the smooth L1 loss.
    pub threshold: f64,
    /// Whether this is the smooth L1 loss.
    pub smooth_l1: bool,
}

impl Attributes {
    fn factor(&self) -> f64 {
        if self.smooth_l1 {
            1.0 / self.threshold
        } else {
            1.0
        }
    }
}

/// The sum over all elements, or their mean.
pub fn forward(p: &Tensor, t: &Tensor, reduction: Reduction, a: &Attributes) -> f64 {
    let losses = p.zip(t, |p, t| {
        let d = (p - t).abs();
        if d <= a.threshold {
            0.5 * d * d
        } else {
            a.threshold * (d - 0.5 * a.threshold)
        }
    });
    losses.data.iter().sum::<f64>() * a.factor() * reduction.scale(p.data.len())
}

/// d, held between −δ and δ.
pub fn grad_prediction(p: &Tensor, t: &Tensor, reduction: Reduction, a: &Attributes) -> Tensor {
    let scale = a.factor() * reduction.scale(p.data.len());
    p.zip(t, |p, t| (p - t).clamp(-a.threshold, a.threshold) * scale)
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    /// Differences 0, −2, 3, 1 with δ = 2: 0, 2, 4, 1/2.
    #[test]
    fn values_by_hand() {
        let prediction = Tensor::new(&[2, 2], vec![1., 2., 3., 4.]);
        let target = Tensor::new(&[2, 2], vec![1., 4., 0., 3.]);
        let huber = Attributes {
            threshold: 2.0,
            smooth_l1: false,
        };
        let smooth = Attributes {
            smooth_l1: true,
            ..huber
        };
        assert_eq!(forward(&prediction, &target, Reduction::Sum, &huber), 6.5);
        assert_eq!(forward(&prediction, &target, Reduction::Sum, &smooth), 3.25);
        let grad = grad_prediction(&prediction, &target, Reduction::Mean, &huber);
        assert_eq!(grad.data, [0., -0.5, 0.5, 0.25]);
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        let [prediction, target] = [1, 2].map(|seed| Tensor::normal(&[3, 4], seed));
        for (reduction, smooth_l1) in [(Reduction::Mean, false), (Reduction::Sum, true)] {
            let a = Attributes {
                threshold: 0.7,
                smooth_l1,
            };
            let grad = grad_prediction(&prediction, &target, reduction, &a);
            assert_gradient("prediction", &grad, &prediction, |p| {
                forward(p, &target, reduction, &a)
            });
        }
    }
}
