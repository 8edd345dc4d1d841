//! What a training leaves behind.

use std::fmt;

use super::evaluate::Evaluation;
#[cfg(feature = "plot")]
use crate::report::Report;
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

#[cfg(feature = "plot")]
impl Run {
    /// The run as a report, to be written as one HTML page.
    ///
    /// ```no_run
    /// # fn f(run: &wgrad::train::Run) -> wgrad::Result<()> {
    /// run.report("digits").save("digits.html")?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn report(&self, title: &str) -> Report<'_> {
        let mut report = Report::new(title, &self.history)
            .fact("device", self.device.to_string())
            .fact(
                "time per step",
                format!("{:.2} ms", self.step_seconds * 1e3),
            )
            .network(&self.network);
        for (name, value) in &self.settings {
            report = report.fact(name, value);
        }
        if let Some(confusion) = self.evaluation.as_ref().and_then(|e| e.confusion.as_ref()) {
            report = report.confusion(confusion);
        }
        match &self.filters {
            Some(filters) => report.filters(filters),
            None => report,
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "trained on {}", self.device)?;
        write!(f, "{}", self.history)?;
        write!(f, "{:.2} ms per step", self.step_seconds * 1e3)
    }
}
