//! What a training leaves behind.

use std::fmt;

use super::evaluate::Evaluation;
use crate::report::History;
use crate::run::AdapterDescription;

/// The outcome of [`Trainer::fit`](super::Trainer::fit). Prints as a table of epochs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Run {
    /// Losses and accuracy by epoch.
    pub history: History,
    /// The evaluation after the last epoch; none if there was no epoch.
    pub evaluation: Option<Evaluation>,
    /// Seconds per training step on average, without the first epoch, which compiles kernels.
    pub step_seconds: f64,
    /// Where it ran.
    pub device: AdapterDescription,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "trained on {}", self.device)?;
        write!(f, "{}", self.history)?;
        write!(f, "{:.2} ms per step", self.step_seconds * 1e3)
    }
}
