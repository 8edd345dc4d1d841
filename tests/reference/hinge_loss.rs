//! Hinge loss, one class against all others (Caffe's `HingeLoss`): `Σ_k max(0, 1 − y_k·z_k)^p`
//! with y_k = 1 for the label's class and −1 for the others, p = 1 or 2; the mean over samples.

use super::{Reduction, Tensor};

/// `y_k`.
fn side(label: u32, class: usize) -> f64 {
    if label as usize == class { 1.0 } else { -1.0 }
}

/// The loss of every sample.
pub fn per_sample(scores: &Tensor, labels: &[u32], squared: bool) -> Vec<f64> {
    let [batch, classes] = scores.dims2();
    assert_eq!(labels.len(), batch, "one label a sample");
    let power = if squared { 2 } else { 1 };
    let rows = scores.data.chunks(classes).zip(labels);
    rows.map(|(row, &label)| {
        let margins = row.iter().enumerate();
        let margins = margins.map(|(k, z)| (1.0 - side(label, k) * z).max(0.0));
        margins.map(|h| h.powi(power)).sum()
    })
    .collect()
}

/// The mean or the sum of the samples' losses.
pub fn forward(scores: &Tensor, labels: &[u32], reduction: Reduction, squared: bool) -> f64 {
    let losses = per_sample(scores, labels, squared);
    losses.iter().sum::<f64>() * reduction.scale(labels.len())
}

/// `−y_k` inside the margin, `−2·y_k·h_k` for the squared loss, 0 outside.
pub fn grad_scores(scores: &Tensor, labels: &[u32], reduction: Reduction, squared: bool) -> Tensor {
    Tensor::from_fn(&scores.shape, |index| {
        let &[n, k] = index else { unreachable!() };
        let y = side(labels[n], k);
        let h = (1.0 - y * scores.at(index)).max(0.0);
        let slope = match (h > 0.0, squared) {
            (false, _) => 0.0,
            (true, false) => 1.0,
            (true, true) => 2.0 * h,
        };
        -y * slope * reduction.scale(labels.len())
    })
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    /// Label 0: margins 1 − 0.5, 1 + 0.25, and −1 lies beyond its margin.
    #[test]
    fn values_by_hand() {
        let scores = Tensor::new(&[1, 3], vec![0.5, 0.25, -2.0]);
        assert_eq!(forward(&scores, &[0], Reduction::Sum, false), 1.75);
        assert_eq!(forward(&scores, &[0], Reduction::Sum, true), 1.8125);
        let grad = grad_scores(&scores, &[0], Reduction::Sum, false);
        assert_eq!(grad.data, [-1.0, 1.0, 0.0]);
        let grad = grad_scores(&scores, &[0], Reduction::Sum, true);
        assert_eq!(grad.data, [-1.0, 2.5, 0.0]);
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        let scores = Tensor::normal(&[4, 5], 1);
        let labels = [4, 0, 2, 2];
        for (reduction, squared) in [(Reduction::Mean, false), (Reduction::Sum, true)] {
            let grad = grad_scores(&scores, &labels, reduction, squared);
            assert_gradient("scores", &grad, &scores, |z| {
                forward(z, &labels, reduction, squared)
            });
        }
    }
}
