//! Quickprop.

use super::rule::UpdateRule;
use crate::shader::{Shader, shader};

/// Quickprop (Fahlman, "An empirical study of learning speed in back-propagation networks", 1988),
/// as in Fahlman's own program: each weight by itself jumps to the minimum of the parabola through
/// its last two slopes. With the slope `s = g + decay·w`, the slope p and the change d of the step
/// before (both 0 at first), the growth factor μ and the learning rate ε:
///
/// * d = 0: the change is `−ε·s`.
/// * Otherwise p has the sign opposite to d. Where `s/p ≥ μ/(1 + μ)` the jump would be longer than
///   μ times the last one, or the parabola opens downwards: the change is `μ·d`. Elsewhere it is
///   `s/(p − s)·d`.
/// * As long as s has the sign of p, `−ε·s` is added.
///
/// Then `w ← w + change`. The rule takes slopes for exact: give it large batches, or the whole
/// data set.
///
/// ```
/// let rule = wgrad::train::Quickprop::new(0.1).growth(1.75);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quickprop {
    learning_rate: f64,
    growth: f64,
    weight_decay: f64,
}

impl Quickprop {
    /// Quickprop with this ε and the growth factor 1.75.
    pub fn new(learning_rate: f64) -> Self {
        Self {
            learning_rate,
            growth: 1.75,
            weight_decay: 0.0,
        }
    }

    /// How much longer than the last change a change may be: μ.
    #[must_use]
    pub fn growth(mut self, growth: f64) -> Self {
        self.growth = growth;
        self
    }

    /// Decay of filters and linear weights, added to the slope; Fahlman uses 1e-4.
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

impl UpdateRule for Quickprop {
    fn name(&self) -> &'static str {
        "quickprop"
    }

    fn shader(&self) -> Shader {
        shader!("quickprop")
    }

    fn moments(&self) -> usize {
        2
    }

    fn constants(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("growth", self.growth),
            ("shrink", self.growth / (1.0 + self.growth)),
            ("weight_decay", self.weight_decay),
        ]
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }
}
