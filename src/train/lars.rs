//! Layer-wise adaptive rate scaling.

use super::rule::{Norms, UpdateRule};
use crate::shader::{Shader, shader};

/// LARS (You, Gitman and Ginsburg, "Large batch training of convolutional networks", 2017): SGD
/// with momentum whose rate is measured, for each parameter, by the lengths of the parameter and
/// of its gradient. With the trust coefficient η:
///
/// `λ = η·‖w‖/(‖g‖ + decay·‖w‖)`, `v ← μ·v + lr·λ·(g + decay·w)`, `w ← w − v`
///
/// λ is 1 where one of the norms is 0. Filters and linear weights are adapted so; biases, slopes
/// and the scales and shifts of normalisations have λ = 1 unless [`Lars::adapt_all`] says
/// otherwise. The learning rate stands within the velocity, as in the paper.
///
/// ```
/// let rule = wgrad::train::Lars::new(3.0).trust_coefficient(0.001).weight_decay(5e-4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lars {
    learning_rate: f64,
    trust_coefficient: f64,
    momentum: f64,
    weight_decay: f64,
    adapt_all: bool,
}

impl Lars {
    /// LARS with this learning rate, momentum 0.9 and the trust coefficient 0.001.
    pub fn new(learning_rate: f64) -> Self {
        Self {
            learning_rate,
            trust_coefficient: 0.001,
            momentum: 0.9,
            weight_decay: 0.0,
            adapt_all: false,
        }
    }

    /// How much of a parameter's length a step may be, at the learning rate 1: η.
    #[must_use]
    pub fn trust_coefficient(mut self, coefficient: f64) -> Self {
        self.trust_coefficient = coefficient;
        self
    }

    /// The fraction of the last step that is kept, 0.9 by default.
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

    /// Whether biases, slopes and the parameters of normalisations are adapted too.
    #[must_use]
    pub fn adapt_all(mut self, adapt_all: bool) -> Self {
        self.adapt_all = adapt_all;
        self
    }
}

impl UpdateRule for Lars {
    fn name(&self) -> &'static str {
        "lars"
    }

    fn shader(&self) -> Shader {
        shader!("lars")
    }

    fn moments(&self) -> usize {
        1
    }

    fn norms(&self) -> Norms {
        if self.adapt_all {
            Norms::All
        } else {
            Norms::Weights
        }
    }

    fn constants(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("coefficient", self.trust_coefficient),
            ("momentum", self.momentum),
            ("weight_decay", self.weight_decay),
        ]
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }
}
