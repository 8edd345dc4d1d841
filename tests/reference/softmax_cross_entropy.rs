//! Softmax and cross-entropy in one, from logits: `L_n = log Σ_k e^{z_k} − z_label`.
//!
//! Shapes: logits `[N, K]`, one class index a sample.

use super::{Reduction, Tensor};

/// `z − max z` of one row, and `Σ_k e^{z_k − max z}`.
///
/// The largest logit is taken out before anything else, so that the largest
/// exponential is 1: finite for logits of ±10⁴ and beyond, and no digits are
/// lost by adding a small logarithm to a large logit.
fn shifted(row: &[f64]) -> (Vec<f64>, f64) {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shifted: Vec<f64> = row.iter().map(|z| z - largest).collect();
    let sum = shifted.iter().map(|z| z.exp()).sum();
    (shifted, sum)
}

/// The loss of every sample, before any reduction.
pub fn per_sample(logits: &Tensor, labels: &[u32]) -> Vec<f64> {
    let [batch, classes] = logits.dims2();
    assert_eq!(labels.len(), batch, "one label a sample");
    let rows = logits.data.chunks(classes).zip(labels);
    rows.map(|(row, &label)| {
        let (shifted, sum) = shifted(row);
        sum.ln() - shifted[label as usize]
    })
    .collect()
}

/// The mean or the sum of the samples' losses.
pub fn forward(logits: &Tensor, labels: &[u32], reduction: Reduction) -> f64 {
    per_sample(logits, labels).iter().sum::<f64>() * reduction.scale(labels.len())
}

/// `softmax(z) − onehot(label)`, divided by N for the mean.
pub fn grad_logits(logits: &Tensor, labels: &[u32], reduction: Reduction) -> Tensor {
    let [batch, classes] = logits.dims2();
    assert_eq!(labels.len(), batch, "one label a sample");
    Tensor::from_fn(&logits.shape, |index| {
        let &[n, k] = index else { unreachable!() };
        let row = &logits.data[n * classes..(n + 1) * classes];
        let (shifted, sum) = shifted(row);
        let softmax = shifted[k].exp() / sum;
        let target = if labels[n] as usize == k { 1.0 } else { 0.0 };
        (softmax - target) * reduction.scale(batch)
    })
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    /// Logits ln 1, ln 2, ln 5 are probabilities 1/8, 2/8, 5/8.
    #[test]
    fn values_by_hand() {
        let logits = Tensor::new(&[1, 3], vec![0.0, 2f64.ln(), 5f64.ln()]);
        assert!((forward(&logits, &[1], Reduction::Sum) - 4f64.ln()).abs() <= 1e-15);
        let grad = grad_logits(&logits, &[1], Reduction::Sum);
        for (g, expected) in grad.data.iter().zip([0.125, -0.75, 0.625]) {
            assert!((g - expected).abs() <= 1e-15, "{g} instead of {expected}");
        }
    }

    /// Right by 20000: no loss. Wrong by 20000: a loss of 20000.
    #[test]
    fn huge_logits_stay_finite() {
        let logits = Tensor::new(&[2, 2], vec![1e4, -1e4, 1e4, -1e4]);
        assert_eq!(per_sample(&logits, &[0, 1]), [0.0, 2e4]);
        assert_eq!(
            grad_logits(&logits, &[0, 1], Reduction::Mean).data,
            [0., 0., 0.5, -0.5]
        );
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        let logits = Tensor::normal(&[4, 5], 1).map(|z| 3.0 * z);
        for reduction in [Reduction::Mean, Reduction::Sum] {
            let labels = [4, 0, 2, 2];
            let grad = grad_logits(&logits, &labels, reduction);
            assert_gradient("logits", &grad, &logits, |z| forward(z, &labels, reduction));
        }
    }
}
