//! Squared error ("Euclidean" loss): `(ŷ − y)²` of every element.
//!
//! The mean is over **all** elements, batch and features alike, as in PyTorch;
//! Caffe's would be the sum over 2N.

use super::{Reduction, Tensor};

/// `Σ (prediction − target)²`, or its mean over all elements.
pub fn forward(prediction: &Tensor, target: &Tensor, reduction: Reduction) -> f64 {
    let difference = prediction.zip(target, |p, t| p - t);
    difference.dot(&difference) * reduction.scale(prediction.data.len())
}

/// `2·(prediction − target)`, divided by the number of elements for the mean.
pub fn grad_prediction(prediction: &Tensor, target: &Tensor, reduction: Reduction) -> Tensor {
    let scale = reduction.scale(prediction.data.len());
    prediction.zip(target, |p, t| 2.0 * (p - t) * scale)
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    #[test]
    fn values_by_hand() {
        let prediction = Tensor::new(&[2, 2], vec![1., 2., 3., 4.]);
        let target = Tensor::new(&[2, 2], vec![1., 4., 0., 3.]);
        assert_eq!(forward(&prediction, &target, Reduction::Sum), 14.0);
        assert_eq!(forward(&prediction, &target, Reduction::Mean), 3.5);
        let grad = grad_prediction(&prediction, &target, Reduction::Mean);
        assert_eq!(grad.data, [0., -1., 1.5, 0.5]);
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
