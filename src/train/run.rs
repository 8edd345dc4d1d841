//! What a training leaves behind.

use std::fmt;

use super::evaluate::Evaluation;
use crate::report::{Filters, History};
use crate::run::AdapterDescription;

/// The outcome of [`Trainer::fit`](super::Trainer::fit). Prints as a table of epochs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Run {
    /// Losses and accuracy by epoch, the loss of every step, and PReLU slopes after every epoch.
    pub history: History,
    /// The evaluation after the last epoch; none if there was no epoch.
    pub evaluation: Option<Evaluation>,
    /// Seconds per training step on average, without the first epoch, which compiles kernels.
    pub step_seconds: f64,
    /// Where it ran.
    pub device: AdapterDescription,
    /// The network as a table of layers.
    pub network: String,
    /// How it was trained: names of settings, and their values in words.
    pub settings: Vec<(String, String)>,
    /// The filters of the first convolution at the end, if there is one.
    pub filters: Option<Filters>,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "trained on {}", self.device)?;
        write!(f, "{}", self.history)?;
        write!(f, "{:.2} ms per step", self.step_seconds * 1e3)
    }
}
