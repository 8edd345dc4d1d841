//! Adam and AdamW.

use super::rule::UpdateRule;
use crate::shader::{Shader, shader};

/// The numbers that both variants share.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Moments {
    learning_rate: f64,
    betas: [f64; 2],
    epsilon: f64,
    weight_decay: f64,
}

impl Moments {
    fn constants(&self, decoupled: bool) -> Vec<(&'static str, f64)> {
        let [beta1, beta2] = self.betas;
        vec![
            ("beta1", beta1),
            ("beta2", beta2),
            ("fresh1", 1.0 - beta1),
            ("fresh2", 1.0 - beta2),
            ("epsilon", self.epsilon),
            ("weight_decay", self.weight_decay),
            ("decoupled", f64::from(u8::from(decoupled))),
        ]
    }

    /// The corrections for moments that start from zero: `1/c₁` and `1/√c₂`, `cᵢ = 1 − βᵢᵗ`.
    fn coefficients(&self, step: u64) -> [f64; 3] {
        let corrected = |beta: f64| 1.0 - beta.powf(step as f64 + 1.0);
        let [c1, c2] = self.betas.map(corrected);
        [1.0 / c1, 1.0 / c2.sqrt(), 0.0]
    }
}

/// The builder methods and the rule, for a type around [`Moments`].
macro_rules! variant {
    ($name:ident, $stem:literal, decoupled: $decoupled:literal) => {
        impl $name {
            /// The fractions of the running mean and of the running square that are kept,
            /// 0.9 and 0.999 by default.
            #[must_use]
            pub fn betas(mut self, betas: [f64; 2]) -> Self {
                self.0.betas = betas;
                self
            }

            /// Added to the root of the square, 1e-8 by default.
            #[must_use]
            pub fn epsilon(mut self, epsilon: f64) -> Self {
                self.0.epsilon = epsilon;
                self
            }

            /// Decay of filters and linear weights; biases, slopes and scales have none.
            #[must_use]
            pub fn weight_decay(mut self, weight_decay: f64) -> Self {
                self.0.weight_decay = weight_decay;
                self
            }
        }

        impl UpdateRule for $name {
            fn name(&self) -> &'static str {
                $stem
            }

            fn shader(&self) -> Shader {
                shader!("adam")
            }

            fn moments(&self) -> usize {
                2
            }

            fn constants(&self) -> Vec<(&'static str, f64)> {
                self.0.constants($decoupled)
            }

            fn learning_rate(&self) -> f64 {
                self.0.learning_rate
            }

            fn coefficients(&self, step: u64) -> [f64; 3] {
                self.0.coefficients(step)
            }
        }
    };
}

/// Adam (Kingma and Ba 2015): steps in units of the gradient's running root mean square. Weight
/// decay, 0 by default, is added to the gradient.
///
/// ```
/// let rule = wgrad::train::Adam::new(1e-3).betas([0.9, 0.99]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam(Moments);

impl Adam {
    /// Adam with this learning rate, usually 1e-3.
    pub fn new(learning_rate: f64) -> Self {
        Self(Moments {
            learning_rate,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            weight_decay: 0.0,
        })
    }
}

variant!(Adam, "adam", decoupled: false);

/// Adam whose weight decay, 0.01 by default, acts on the weights directly (Loshchilov and Hutter
/// 2019).
///
/// ```
/// let rule = wgrad::train::AdamW::new(1e-3).weight_decay(0.05);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW(Moments);

impl AdamW {
    /// AdamW with this learning rate, usually 1e-3.
    pub fn new(learning_rate: f64) -> Self {
        let Adam(moments) = Adam::new(learning_rate).weight_decay(0.01);
        Self(moments)
    }
}

variant!(AdamW, "adamw", decoupled: true);
