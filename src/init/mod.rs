//! Initialisers ("fillers"): the laws that a parameter's first values are drawn from.
//!
//! ```
//! # use wgrad::{init::{Fan, Fans, Init}, random::Seed};
//! // The filters of a 3×3 convolution from 16 to 32 channels, followed by PReLU.
//! let init = Init::he().negative_slope(0.25);
//! let weights = init.sample(&[32, 16, 3, 3], Fans::of(&[32, 16, 3, 3]), Seed(42), "conv1.weight")?;
//! assert_eq!(weights.len(), 32 * 16 * 3 * 3);
//!
//! // What to expect of their spread: 2/((1 + 0.25²)·16·3·3).
//! let variance = init.variance(Fans::of(&[32, 16, 3, 3]))?;
//! assert!((variance - 2.0 / (1.0625 * 144.0)).abs() < 1e-15);
//! # Ok::<(), wgrad::init::InitError>(())
//! ```
//!
//! # Why the variance matters
//!
//! **Forward.** A unit of layer l sums n_l = K²·C products of independent weights and inputs, so
//! `Var[y_l] = n_l · Var[w_l] · E[x_l²]` for weights of mean zero. The input is the rectified
//! output of the layer before: `x_l = max(0, y_{l−1})`. Since y_{l−1} is symmetric about zero,
//! rectifying halves its mean square, `E[x_l²] = ½ Var[y_{l−1}]`, which gives
//! `Var[y_l] = ½ n_l Var[w_l] Var[y_{l−1}]`. A rectifier that passes negative values with slope a
//! keeps `½(1 + a²)` of the mean square in place of ½.
//!
//! **Backward.** An input's sensitivity sums n̂_l = K²·O products of weights and sensitivities of
//! the outputs, and the rectifier's derivative is zero for half of them:
//! `Var[δx_l] = ½ n̂_l Var[w_l] Var[δx_{l+1}]`. The form is the same with the fan-out in place of
//! the fan-in.
//!
//! **Through the network.** Over L layers the factors multiply:
//! `Var[y_L] = Var[y_1] · Π_{l=2..L} ½ n_l Var[w_l]`. Factors a little below one make the signal
//! vanish exponentially with depth, factors above one make it explode. Setting every factor to
//! one gives `Var[w_l] = 2/n_l` (He); it then matters little which of the two fans is chosen, for
//! the product of the other direction telescopes to the ratio of the first layer's C to the last
//! layer's O, or its inverse: a constant and not an exponential.
//!
//! # The laws and their sources
//!
//! LeCun, Bottou, Orr and Müller ("Efficient BackProp", 1998) ask for `1/fan_in`, so that sums
//! keep unit variance where the activation is linear. Glorot and Bengio ("Understanding the
//! difficulty of training deep feedforward neural networks", 2010) weigh the forward and the
//! backward condition alike, `2/(fan_in + fan_out)`; this is known as Xavier. He, Zhang, Ren and
//! Sun ("Delving deep into rectifiers", 2015) add the factor of the rectifier derived above. All
//! three are [`Init::Scaled`]: `variance = gain/n`, with `n` a fan.
//!
//! # Which one when
//!
//! A layer without an initialiser of its own gets the law of the first three rows that suits what
//! follows it. To choose another, give it to the layer: `Conv2d::new(16, 3).init(Init::lecun())`,
//! or in a chain `.conv(16, 3).init(...)`.
//!
//! | the layer | initialiser | because |
//! |---|---|---|
//! | before a rectifier (ReLU, PReLU, ELU, GELU and so on) | [`Init::he`] with its slope | keeps the variance of the signal from layer to layer |
//! | before tanh, sigmoid, softmax, or the last one | [`Init::xavier`] | is between what the forward and the backward pass ask for, where the activation is linear |
//! | before SELU | [`Init::lecun`] | is the variance for which SELU keeps mean 0 and variance 1 |
//! | the same where gradients matter more, or filters are few and large | [`Init::he`] with [`Fan::Out`] | keeps the variance of gradients; torchvision's ResNets do so |
//! | a residual branch without normalisation | [`Init::fixup`], its last layer [`Init::Constant`]`(0.0)` | L branches add up to the variance of one |
//! | plain, without shortcuts, more than some 50 layers | [`Init::DeltaOrthogonal`], linear layers [`Init::Orthogonal`] | keeps all singular values at 1, not only their mean |
//! | is to begin as the identity | [`Init::Dirac`] | copies its input |
//! | a transposed convolution that enlarges images | [`Init::Bilinear`] | begins as bilinear interpolation |
//! | is to begin as an average with positive weights | [`Init::PositiveUnitBall`] | sums to 1 |
//! | a network from Caffe | [`Init::caffe_xavier`], [`Init::Gaussian`], [`Init::Uniform`] | is what its description says |
//! | a transformer-like or very wide layer, to be rid of outliers | [`Init::TruncatedGaussian`] | draws nothing beyond two deviations |
//! | biases 0, scales 1, PReLU's slopes ¼ | [`Init::Constant`] | is what they begin with, unless told |
//!
//! In doubt the *signal report* ([`Trainer::signals`](crate::train::Trainer::signals)) shows on
//! one's own network and data whether signals and gradients keep their size.
//!
//! # Reproducibility
//!
//! Every draw comes from [`Philox`](crate::random::Philox) under the seed and the *name* of the
//! parameter: one seed gives the same bits on every platform, and a layer that is added or
//! removed changes no other layer's values.

mod error;
mod fans;
mod law;
mod sample;
mod structured;

use std::fmt;

pub use error::InitError;
pub use fans::{Fan, Fans};
pub use sample::sample_from;

/// The shape of a law whose variance is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Distribution {
    /// Gaussian of mean zero.
    #[default]
    Normal,
    /// Uniform on `±√(3·variance)`.
    Uniform,
}

/// The factor that makes up for what an activation takes from the signal's mean square.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Gain {
    /// 1: the activation is linear, at least near zero (LeCun, Xavier).
    Linear,
    /// `2/(1 + a²)`: ReLU (a = 0), leaky ReLU, PReLU (a = 0.25 at the start).
    Rectifier {
        /// The slope a for negative values.
        negative_slope: f64,
    },
    /// Any factor, zero or above.
    Value(f64),
}

impl Gain {
    /// The factor as a number.
    #[must_use]
    pub fn value(self) -> f64 {
        match self {
            Self::Linear => 1.0,
            Self::Rectifier { negative_slope: a } => 2.0 / (1.0 + a * a),
            Self::Value(value) => value,
        }
    }
}

/// How a parameter gets its first values.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Init {
    /// Every element is this number.
    Constant(f64),
    /// Uniform on `[low, high)`, before rounding to `f32`.
    Uniform {
        /// Smallest value.
        low: f64,
        /// Upper end, not below `low`.
        high: f64,
    },
    /// Normal.
    Gaussian {
        /// Mean μ.
        mean: f64,
        /// Standard deviation σ, zero or above.
        std: f64,
    },
    /// Normal, where values further than `bound` standard deviations from the mean are drawn
    /// again.
    TruncatedGaussian {
        /// Mean μ.
        mean: f64,
        /// Standard deviation of the law before truncation, zero or above.
        std: f64,
        /// Truncation in standard deviations, at least 0.01; 2 is customary.
        bound: f64,
    },
    /// Mean zero and variance `gain/n`, where n is a fan: LeCun, Xavier, Caffe's Xavier, He.
    Scaled {
        /// The numerator.
        gain: Gain,
        /// Which fan divides it.
        fan: Fan,
        /// Normal or uniform.
        distribution: Distribution,
    },
    /// A random matrix with orthonormal rows or columns (whichever are fewer), times a gain
    /// (Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in
    /// deep linear neural networks", 2014). Filters count as `[O, I·kh·kw]`. Takes time in
    /// proportion to `min² · max` of the matrix's sides.
    Orthogonal {
        /// Factor on the matrix; √2 for ReLU.
        gain: f64,
    },
    /// Zero but for the middle tap of each filter, which holds an orthogonal `[O, I]` matrix
    /// (Xiao et al., "Dynamical isometry and a mean field theory of CNNs", 2018). Trains plain
    /// convolutional networks of thousands of layers.
    DeltaOrthogonal {
        /// Factor on the matrix.
        gain: f64,
    },
    /// Output channel i copies input channel i of its group: the identity, as long as there are
    /// enough channels.
    Dirac {
        /// The convolution's groups.
        groups: usize,
    },
    /// Bilinear interpolation, for the filters of a transposed convolution that enlarges an
    /// image (Caffe's `bilinear`). Filters must be square.
    Bilinear,
    /// Positive, and summing to one over each output's inputs (Caffe's `positive_unitball`).
    PositiveUnitBall,
}

impl Init {
    /// Normal, variance `1/fan_in` (LeCun et al. 1998).
    #[must_use]
    pub const fn lecun() -> Self {
        Self::scaled(Gain::Linear, Fan::In, Distribution::Normal)
    }

    /// Normal, variance `2/(fan_in + fan_out)` (Glorot and Bengio 2010).
    #[must_use]
    pub const fn xavier() -> Self {
        Self::scaled(Gain::Linear, Fan::Average, Distribution::Normal)
    }

    /// Uniform on `±√(6/(fan_in + fan_out))` (Glorot and Bengio 2010).
    #[must_use]
    pub const fn xavier_uniform() -> Self {
        Self::scaled(Gain::Linear, Fan::Average, Distribution::Uniform)
    }

    /// Uniform on `±√(3/n)`, with n chosen by Caffe's `variance_norm` (whose default is
    /// [`Fan::In`]).
    #[must_use]
    pub const fn caffe_xavier(variance_norm: Fan) -> Self {
        Self::scaled(Gain::Linear, variance_norm, Distribution::Uniform)
    }

    /// Normal, variance `2/fan_in` (He et al. 2015), also known as MSRA and Kaiming.
    ///
    /// ```
    /// # use wgrad::init::{Fan, Fans, Init};
    /// let fans = Fans::conv(64, 32, 3, 3, 1);
    /// assert_eq!(Init::he().variance(fans)?, 2.0 / 288.0);
    /// assert_eq!(Init::he().mode(Fan::Out).variance(fans)?, 2.0 / 576.0);
    /// // With the slope of a linear unit the rectifier's factor is gone.
    /// assert_eq!(Init::he().negative_slope(1.0).variance(fans)?, 1.0 / 288.0);
    /// # Ok::<(), wgrad::init::InitError>(())
    /// ```
    #[must_use]
    pub const fn he() -> Self {
        Self::scaled(
            Gain::Rectifier {
                negative_slope: 0.0,
            },
            Fan::In,
            Distribution::Normal,
        )
    }

    /// Uniform on `±√(6/fan_in)`: the variance of [`Init::he`].
    #[must_use]
    pub const fn he_uniform() -> Self {
        Self::scaled(
            Gain::Rectifier {
                negative_slope: 0.0,
            },
            Fan::In,
            Distribution::Uniform,
        )
    }

    /// He's law shrunk for residual networks without normalisation: variance
    /// `2/fan_in · L^(−1/(m−1))` for L residual branches of m ≥ 2 layers each (Zhang, Dauphin and
    /// Ma, "Fixup initialization", 2019). Each branch's last layer and the classifier then start
    /// from [`Init::Constant`]`(0.0)`.
    #[must_use]
    pub fn fixup(branches: usize, layers_per_branch: usize) -> Self {
        let shrink = law::inverse_root(branches, layers_per_branch.saturating_sub(1));
        Self::scaled(Gain::Value(2.0 * shrink), Fan::In, Distribution::Normal)
    }

    const fn scaled(gain: Gain, fan: Fan, distribution: Distribution) -> Self {
        Self::Scaled {
            gain,
            fan,
            distribution,
        }
    }

    /// Chooses the fan that divides the variance. Initialisers that read no fan are unchanged.
    #[must_use]
    pub fn mode(mut self, mode: Fan) -> Self {
        if let Self::Scaled { fan, .. } = &mut self {
            *fan = mode;
        }
        self
    }

    /// Fits the gain to a rectifier whose slope for negative values is `slope`:
    /// `2/(1 + slope²)`. Initialisers that read no fan are unchanged.
    #[must_use]
    pub fn negative_slope(mut self, slope: f64) -> Self {
        if let Self::Scaled { gain, .. } = &mut self {
            *gain = Gain::Rectifier {
                negative_slope: slope,
            };
        }
        self
    }

    /// Draws from a uniform law of the same variance. Initialisers that read no fan are
    /// unchanged.
    #[must_use]
    pub fn uniform(mut self) -> Self {
        if let Self::Scaled { distribution, .. } = &mut self {
            *distribution = Distribution::Uniform;
        }
        self
    }
}

impl Default for Init {
    /// [`Init::he`].
    fn default() -> Self {
        Self::he()
    }
}

/// One line for tables: `normal, variance 2/fan_in`.
impl fmt::Display for Init {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(value) => write!(f, "constant {value}"),
            Self::Uniform { low, high } => write!(f, "uniform on {low}..{high}"),
            Self::Gaussian { mean, std } => write!(f, "normal, mean {mean}, std {std}"),
            Self::TruncatedGaussian { mean, std, bound } => {
                write!(f, "normal, mean {mean}, std {std}, within {bound} std")
            }
            Self::Scaled {
                gain,
                fan,
                distribution,
            } => {
                let law = match distribution {
                    Distribution::Normal => "normal",
                    Distribution::Uniform => "uniform",
                };
                write!(f, "{law}, variance {}/{fan}", gain.value())
            }
            Self::Orthogonal { gain } => write!(f, "orthogonal, gain {gain}"),
            Self::DeltaOrthogonal { gain } => write!(f, "delta-orthogonal, gain {gain}"),
            Self::Dirac { groups } => write!(f, "identity in {groups} groups"),
            Self::Bilinear => f.write_str("bilinear"),
            Self::PositiveUnitBall => f.write_str("positive unit ball"),
        }
    }
}
