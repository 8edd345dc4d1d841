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

/// How samples and classes count: PyTorch's options of the same names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The share of the label that all classes have in common.
    pub label_smoothing: f64,
    /// What a class counts; 1 without.
    pub class_weights: Option<Vec<f64>>,
    /// The label of samples that do not count.
    pub ignored: Option<u32>,
}

impl Options {
    fn weight(&self, class: usize) -> f64 {
        self.class_weights.as_ref().map_or(1.0, |w| w[class])
    }

    /// What is wanted of class k, times its weight: the label gets `1 − ε`, all get `ε/K`.
    /// Nothing is wanted of an ignored sample.
    fn wanted(&self, label: u32, classes: usize) -> Vec<f64> {
        let of_class = |k: usize| {
            let one_hot = if k == label as usize { 1.0 } else { 0.0 };
            let share = self.label_smoothing;
            (1.0 - share) * one_hot * self.weight(k) + share / classes as f64 * self.weight(k)
        };
        match self.ignored == Some(label) {
            true => vec![0.0; classes],
            false => (0..classes).map(of_class).collect(),
        }
    }

    /// What every sample counts in the mean.
    pub fn sample_weights(&self, labels: &[u32]) -> Vec<f64> {
        let of = |&label: &u32| match self.ignored == Some(label) {
            true => 0.0,
            false => self.weight(label as usize),
        };
        labels.iter().map(of).collect()
    }

    /// What the samples' losses are multiplied by.
    fn scale(&self, labels: &[u32], reduction: Reduction) -> f64 {
        match reduction {
            Reduction::Mean => 1.0 / self.sample_weights(labels).iter().sum::<f64>(),
            Reduction::Sum => 1.0,
        }
    }

    /// The loss of every sample, before any reduction: `−Σ_k wanted_k · log softmax(z)_k`.
    pub fn per_sample(&self, logits: &Tensor, labels: &[u32]) -> Vec<f64> {
        let [batch, classes] = logits.dims2();
        assert_eq!(labels.len(), batch, "one label a sample");
        let rows = logits.data.chunks(classes).zip(labels);
        rows.map(|(row, &label)| {
            let (shifted, sum) = shifted(row);
            let wanted = self.wanted(label, classes);
            let terms = wanted.iter().zip(&shifted);
            terms.map(|(wanted, z)| wanted * (sum.ln() - z)).sum()
        })
        .collect()
    }

    /// The weighted mean or the sum of the samples' losses.
    pub fn forward(&self, logits: &Tensor, labels: &[u32], reduction: Reduction) -> f64 {
        let total = self.per_sample(logits, labels).iter().sum::<f64>();
        total * self.scale(labels, reduction)
    }

    /// `softmax(z)_k · Σ_j wanted_j − wanted_k`, divided by the sum of weights for the mean.
    pub fn grad_logits(&self, logits: &Tensor, labels: &[u32], reduction: Reduction) -> Tensor {
        let [batch, classes] = logits.dims2();
        assert_eq!(labels.len(), batch, "one label a sample");
        let scale = self.scale(labels, reduction);
        let rows = logits.data.chunks(classes).zip(labels);
        let data = rows.flat_map(|(row, &label)| {
            let (shifted, sum) = shifted(row);
            let wanted = self.wanted(label, classes);
            let total: f64 = wanted.iter().sum();
            let of = move |(z, wanted): (&f64, &f64)| (z.exp() / sum * total - wanted) * scale;
            shifted.iter().zip(&wanted).map(of).collect::<Vec<_>>()
        });
        Tensor::new(&logits.shape, data.collect())
    }
}

/// The loss of every sample, before any reduction.
pub fn per_sample(logits: &Tensor, labels: &[u32]) -> Vec<f64> {
    Options::default().per_sample(logits, labels)
}

/// The mean or the sum of the samples' losses.
pub fn forward(logits: &Tensor, labels: &[u32], reduction: Reduction) -> f64 {
    Options::default().forward(logits, labels, reduction)
}

/// `softmax(z) − onehot(label)`, divided by N for the mean.
pub fn grad_logits(logits: &Tensor, labels: &[u32], reduction: Reduction) -> Tensor {
    Options::default().grad_logits(logits, labels, reduction)
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

    /// Probabilities 1/8, 2/8, 5/8; labels 1 and 0, of which the second is ignored.
    #[test]
    fn weighted_values_by_hand() {
        let logits = [0.0, 2f64.ln(), 5f64.ln()].repeat(2);
        let logits = Tensor::new(&[2, 3], logits);
        let options = Options {
            label_smoothing: 0.3,
            class_weights: Some(vec![4.0, 3.0, 1.0]),
            ignored: Some(0),
        };
        // 0.7·3·ln 4 + 0.1·(4·ln 8 + 3·ln 4 + ln 8/5), divided by the weight of class 1.
        let loss = 2.1 * 4f64.ln() + 0.1 * (4.0 * 8f64.ln() + 3.0 * 4f64.ln() + 1.6f64.ln());
        let found = options.forward(&logits, &[1, 0], Reduction::Mean);
        assert!((found - loss / 3.0).abs() <= 1e-15, "{found}");
        // Wanted are 0.4, 2.4 and 0.1, 2.9 in all.
        let grad = options.grad_logits(&logits, &[1, 0], Reduction::Sum);
        let expected = [
            2.9 / 8.0 - 0.4,
            5.8 / 8.0 - 2.4,
            14.5 / 8.0 - 0.1,
            0.,
            0.,
            0.,
        ];
        for (g, expected) in grad.data.iter().zip(expected) {
            assert!((g - expected).abs() <= 1e-15, "{g} instead of {expected}");
        }
    }

    #[test]
    fn weighted_gradient_agrees_with_central_differences() {
        let logits = Tensor::normal(&[4, 5], 1).map(|z| 3.0 * z);
        let options = Options {
            label_smoothing: 0.2,
            class_weights: Some(vec![0.5, 1.0, 2.0, 0.25, 3.0]),
            ignored: Some(2),
        };
        for reduction in [Reduction::Mean, Reduction::Sum] {
            let labels = [4, 0, 2, 3];
            let grad = options.grad_logits(&logits, &labels, reduction);
            assert_gradient("logits", &grad, &logits, |z| {
                options.forward(z, &labels, reduction)
            });
        }
    }
}
