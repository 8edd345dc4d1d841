//! RMSProp.

use super::rule::UpdateRule;
use crate::shader::{Shader, shader};

/// RMSProp (Tieleman and Hinton 2012) in PyTorch's form: `g ← g + decay·w`,
/// `s ← α·s + (1 − α)·g²`, `v ← μ·v + g/(√s + ε)`, `w ← w − lr·v`. Centred (Graves 2013), the root
/// is of the variance `s − m²` with the running mean `m ← α·m + (1 − α)·g`.
///
/// ```
/// let rule = wgrad::train::RmsProp::new(1e-3).momentum(0.9).centered(true);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsProp {
    learning_rate: f64,
    alpha: f64,
    epsilon: f64,
    momentum: f64,
    weight_decay: f64,
    centered: bool,
}

impl RmsProp {
    /// RMSProp with this learning rate, usually 1e-2 or 1e-3.
    pub fn new(learning_rate: f64) -> Self {
        Self {
            learning_rate,
            alpha: 0.99,
            epsilon: 1e-8,
            momentum: 0.0,
            weight_decay: 0.0,
            centered: false,
        }
    }

    /// The fraction of the running square (and mean) that is kept, 0.99 by default.
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Added to the root, 1e-8 by default.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// The fraction of the last step that is kept, 0 by default.
    #[must_use]
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// L2 decay of filters and linear weights; biases, slopes and scales have none.
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }

    /// Whether to divide by the gradient's deviation, not by its root mean square.
    #[must_use]
    pub fn centered(mut self, centered: bool) -> Self {
        self.centered = centered;
        self
    }
}

impl UpdateRule for RmsProp {
    fn name(&self) -> &'static str {
        "rmsprop"
    }

    fn shader(&self) -> Shader {
        shader!("rmsprop")
    }

    fn moments(&self) -> usize {
        if self.centered { 3 } else { 2 }
    }

    fn flags(&self) -> Vec<&'static str> {
        self.centered.then_some("CENTERED").into_iter().collect()
    }

    fn constants(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("alpha", self.alpha),
            ("fresh", 1.0 - self.alpha),
            ("epsilon", self.epsilon),
            ("momentum", self.momentum),
            ("weight_decay", self.weight_decay),
        ]
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }
}
