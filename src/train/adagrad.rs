//! Adagrad.

use super::rule::UpdateRule;
use crate::shader::{Shader, shader};

/// Adagrad (Duchi, Hazan and Singer 2011) in PyTorch's form: `g ← g + decay·w`, `s ← s + g²`,
/// `w ← w − lr/(1 + t·lr_decay) · g/(√s + ε)`, with the steps t counted from 0.
///
/// ```
/// let rule = wgrad::train::Adagrad::new(0.01).initial_accumulator(0.1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adagrad {
    learning_rate: f64,
    learning_rate_decay: f64,
    initial_accumulator: f64,
    epsilon: f64,
    weight_decay: f64,
}

impl Adagrad {
    /// Adagrad with this learning rate, usually 0.01.
    pub fn new(learning_rate: f64) -> Self {
        Self {
            learning_rate,
            learning_rate_decay: 0.0,
            initial_accumulator: 0.0,
            epsilon: 1e-10,
            weight_decay: 0.0,
        }
    }

    /// How fast the learning rate falls by itself, as `1/(1 + t·decay)`; 0 by default.
    #[must_use]
    pub fn learning_rate_decay(mut self, decay: f64) -> Self {
        self.learning_rate_decay = decay;
        self
    }

    /// What the sum of squares starts from, 0 by default.
    #[must_use]
    pub fn initial_accumulator(mut self, value: f64) -> Self {
        self.initial_accumulator = value;
        self
    }

    /// Added to the root, 1e-10 by default.
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

impl UpdateRule for Adagrad {
    fn name(&self) -> &'static str {
        "adagrad"
    }

    fn shader(&self) -> Shader {
        shader!("adagrad")
    }

    fn moments(&self) -> usize {
        1
    }

    fn constants(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("initial", self.initial_accumulator),
            ("epsilon", self.epsilon),
            ("weight_decay", self.weight_decay),
        ]
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn coefficients(&self, step: u64) -> [f64; 3] {
        [
            1.0 / (1.0 + step as f64 * self.learning_rate_decay),
            0.0,
            0.0,
        ]
    }
}
