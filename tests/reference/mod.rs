//! CPU references: every operator once more, in `f64` and plain loops.
//!
//! The kernels in `shaders/` are written to be fast; these are written to be
//! believed. Each file bears the stem of one operator and states its formula
//! the way a textbook does, with no trick of layout: shapes are PyTorch's
//! (`[N, C, H, W]` activations, `[N, F]` features, `[O, C/G, kh, kw]` filters,
//! `[out, in]` linear weights), all batch included, row-major.
//!
//! Why believe them? Three independent witnesses, all in this tree:
//! * numbers worked by hand, in each file's tests;
//! * central differences ([`finite_difference`]) for every gradient;
//! * PyTorch's own values and whole training runs (`pytorch*.rs`,
//!   `training.rs`), read from `tests/golden/`.
//!
//! Arguments that make no sense panic: a reference is only called by tests.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a reference is only called by tests, and fails by panicking"
)]

mod tensor;
pub use tensor::Tensor;

pub mod finite_difference;
pub mod philox;
pub mod pool_window;

pub mod adaptive_max_pool2d;
pub mod adaptive_mean_pool2d;
pub mod add;
pub mod augment;
pub mod batch_norm;
pub mod binary_cross_entropy;
pub mod channel_dropout;
pub mod concat;
pub mod conv2d;
pub mod conv_transpose2d;
pub mod dropout;
pub mod global_mean_pool;
pub mod group_norm;
pub mod hinge_loss;
pub mod huber_loss;
pub mod l1_loss;
pub mod leaky_relu;
pub mod linear;
pub mod local_response_norm;
pub mod log_softmax;
pub mod max_pool2d;
pub mod mean_pool2d;
pub mod mse;
pub mod multiply;
pub mod prelu;
pub mod relu;
pub mod reshape;
pub mod rrelu;
pub mod scale_shift;
pub mod sigmoid;
pub mod slice;
pub mod softmax;
pub mod softmax_cross_entropy;
pub mod stochastic_depth;
pub mod tanh;
pub mod unary;
pub mod upsample;
pub mod zero_pad;

pub mod adadelta;
pub mod adagrad;
pub mod adam;
pub mod adamw;
pub mod lars;
pub mod quickprop;
pub mod rmsprop;
pub mod sgd;
pub mod small_network;

#[cfg(test)]
mod pytorch;
#[cfg(test)]
mod pytorch_activations;
#[cfg(test)]
mod pytorch_losses;
#[cfg(test)]
mod pytorch_rules;
#[cfg(test)]
mod pytorch_structure;
#[cfg(test)]
mod pytorch_windows;
#[cfg(test)]
mod training;

/// How a loss over N samples becomes one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// The average; the default everywhere.
    Mean,
    /// The plain sum.
    Sum,
}

impl Reduction {
    /// What the sum of `count` terms is multiplied by: 1/count or 1.
    pub fn scale(self, count: usize) -> f64 {
        match self {
            Reduction::Mean => 1.0 / count as f64,
            Reduction::Sum => 1.0,
        }
    }
}

/// What a parameter's group multiplies the update rule's settings by (Caffe's
/// `lr_mult` and `decay_mult`). A slope or a bias has `weight_decay: 0.0`, a
/// frozen parameter `learning_rate: 0.0`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factors {
    /// Multiplies the learning rate.
    pub learning_rate: f64,
    /// Multiplies the weight decay.
    pub weight_decay: f64,
}

impl Default for Factors {
    fn default() -> Self {
        Factors {
            learning_rate: 1.0,
            weight_decay: 1.0,
        }
    }
}
