//! Absolute error: `|ŷ − y|` of every element; the mean is over all elements, as in PyTorch.

use super::{Reduction, Tensor};

/// `Σ |prediction − target|`, or its mean over all elements.
pub fn forward(prediction: &Tensor, target: &Tensor, reduction: Reduction) -> f64 {
    let difference = prediction.zip(target, |p, t| (p - t).abs());
    difference.data.iter().sum::<f64>() * reduction.scale(prediction.data.len())
}

/// `sign(prediction − target)`, 0 for equals, divided by the number of elements for the mean.
pub fn grad_prediction(prediction: &Tensor, target: &Tensor, reduction: Reduction) -> Tensor {
    let scale = reduction.scale(prediction.data.len());
    prediction.zip(target, |p, t| {
        let sign = f64::from(i8::from(p > t) - i8::from(p < t));
        sign * scale
    })
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    #[test]
    fn values_by_hand() {
        let prediction = Tensor::new(&[2, 2], vec![1., 2., 3., 4.]);
        let target = Tensor::new(&[2, 2], vec![1., 4., 0., 3.]);
        assert_eq!(forward(&prediction, &target, Reduction::Sum), 6.0);
        assert_eq!(forward(&prediction, &target, Reduction::Mean), 1.5);
        let grad = grad_prediction(&prediction, &target, Reduction::Mean);
        assert_eq!(grad.data, [0., -0.25, 0.25, 0.25]);
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        let [prediction, target] = [1, 2].map(|seed| Tensor::normal(&[3, 4], seed));
        for reduction in [Reduction::Mean, Reduction::Sum] {
            let grad = grad_prediction(&prediction, &target, reduction);
            assert_gradient("prediction", &grad, &prediction, |p| {
                forward(p, &target, reduction)
            });
        }
    }
}
