//! Adadelta.

use super::rule::UpdateRule;
use crate::shader::{Shader, shader};

/// Adadelta (Zeiler 2012) in PyTorch's form: `g ← g + decay·w`, `s ← ρ·s + (1 − ρ)·g²`,
/// `d = √(u + ε)/√(s + ε) · g`, `u ← ρ·u + (1 − ρ)·d²`, `w ← w − lr·d`.
///
/// ```
/// let rule = wgrad::train::Adadelta::new(1.0).rho(0.95);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adadelta {
    learning_rate: f64,
    rho: f64,
    epsilon: f64,
    weight_decay: f64,
}

impl Adadelta {
    /// Adadelta whose steps are multiplied by this rate; the paper has 1.
    pub fn new(learning_rate: f64) -> Self {
        Self {
            learning_rate,
            rho: 0.9,
            epsilon: 1e-6,
            weight_decay: 0.0,
        }
    }

    /// The fraction of both running squares that is kept, 0.9 by default.
    #[must_use]
    pub fn rho(mut self, rho: f64) -> Self {
        self.rho = rho;
        self
    }

    /// Added below both roots, 1e-6 by default; the first steps are as long as its root.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// L2 decay of filters and linear weights; biases, slopes and scales have none.
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

impl UpdateRule for Adadelta {
    fn name(&self) -> &'static str {
        "adadelta"
    }

    fn shader(&self) -> Shader {
        shader!("adadelta")
    }

    fn moments(&self) -> usize {
        2
    }

    fn constants(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("rho", self.rho),
            ("fresh", 1.0 - self.rho),
            ("epsilon", self.epsilon),
            ("weight_decay", self.weight_decay),
        ]
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }
}
