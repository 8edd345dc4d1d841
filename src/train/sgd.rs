//! Stochastic gradient descent.

use super::rule::UpdateRule;
use crate::shader::{Shader, shader};

/// Stochastic gradient descent with momentum, in PyTorch's form: `g ← g + decay·w`,
/// `v ← μ·v + (1 − dampening)·g` (at the first step `v = g`), `w ← w − lr·v`, or with Nesterov's
/// look-ahead `w ← w − lr·(g + μ·v)` (Sutskever et al. 2013).
///
/// ```
/// use wgrad::train::Sgd;
///
/// let rule = Sgd::new(0.05).momentum(0.9).nesterov(true).weight_decay(1e-4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    learning_rate: f64,
    momentum: f64,
    dampening: f64,
    weight_decay: f64,
    nesterov: bool,
}

impl Sgd {
    /// Plain gradient descent with this learning rate.
    pub fn new(learning_rate: f64) -> Self {
        Self {
            learning_rate,
            momentum: 0.0,
            dampening: 0.0,
            weight_decay: 0.0,
            nesterov: false,
        }
    }

    /// The fraction of the last step that is kept, usually 0.9.
    #[must_use]
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// Takes this fraction from the gradient that enters the momentum; without momentum, none.
    #[must_use]
    pub fn dampening(mut self, dampening: f64) -> Self {
        self.dampening = dampening;
        self
    }

    /// L2 decay of filters and linear weights; biases, slopes and scales have none.
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }

    /// Whether to look ahead.
    #[must_use]
    pub fn nesterov(mut self, nesterov: bool) -> Self {
        self.nesterov = nesterov;
        self
    }
}

impl UpdateRule for Sgd {
    fn name(&self) -> &'static str {
        "sgd"
    }

    fn shader(&self) -> Shader {
        shader!("sgd")
    }

    fn moments(&self) -> usize {
        usize::from(self.momentum != 0.0)
    }

    fn flags(&self) -> Vec<&'static str> {
        let momentum = self.momentum != 0.0;
        momentum.then_some("MOMENTUM").into_iter().collect()
    }

    fn constants(&self) -> Vec<(&'static str, f64)> {
        let mut constants = vec![("weight_decay", self.weight_decay)];
        // Without momentum nothing is kept, and so nothing is dampened.
        if self.momentum != 0.0 {
            constants.extend([
                ("momentum", self.momentum),
                ("dampening", self.dampening),
                ("nesterov", f64::from(u8::from(self.nesterov))),
            ]);
        }
        constants
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }
}
