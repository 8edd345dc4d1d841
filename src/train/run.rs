//! What a training leaves behind.

use std::fmt;
use std::path::PathBuf;

use super::evaluate::Evaluation;
use super::model::Model;
use super::trainer::Trainer;
#[cfg(feature = "plot")]
use crate::report::Report;
use crate::report::{Epoch, Filters, History};
use crate::run::AdapterDescription;

/// Why a training ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// It took all its epochs or steps.
    #[default]
    Finished,
    /// It no longer got better, see [`Trainer::early_stopping`](super::Trainer::early_stopping).
    NoImprovement,
    /// It was asked to, by a [`Stop`](super::Stop) or by Ctrl-C.
    Stopped,
    /// A callback ended it, see [`FitState::stop`](super::FitState::stop).
    Callback,
    /// It failed, see [`FitError`](super::FitError).
    Failed,
}

/// The outcome of [`Trainer::fit`](super::Trainer::fit). Prints as a table of epochs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Run {
    /// Losses and accuracy by epoch, the loss of every step, and PReLU slopes after every epoch,
    /// those before an interruption included.
    pub history: History,
    /// The last evaluation, or that of the weights that were restored; none if there was none.
    pub evaluation: Option<Evaluation>,
    /// Why it ended.
    pub end: End,
    /// Steps since the start of the training.
    pub steps: u64,
    /// The losses of the steps behind the last record of the history, if it ended in between.
    pub unrecorded: Vec<f32>,
    /// The record of the weights that the model has been given back, where
    /// [`EarlyStopping`](super::EarlyStopping) restored the best.
    pub restored: Option<Epoch>,
    /// The steps of the checkpoint that it went on from, if it did.
    pub resumed: Option<u64>,
    /// The last checkpoint that was written or read.
    pub checkpoint: Option<PathBuf>,
    /// Seconds per training step on average, without the first epoch, which compiles kernels.
    pub step_seconds: f64,
    /// Where it ran.
    pub device: AdapterDescription,
    /// The network as a table of layers.
    pub network: String,
    /// How it was trained: names of settings, and their values in words.
    pub settings: Vec<(String, String)>,
    /// The filters of the first convolution at a good end, if there is one.
    pub filters: Option<Filters>,
}

impl Run {
    /// Before the first step.
    pub(super) fn new(model: &Model, trainer: &Trainer) -> Self {
        Self {
            history: History::default(),
            evaluation: None,
            end: End::default(),
            steps: 0,
            unrecorded: Vec::new(),
            restored: None,
            resumed: None,
            checkpoint: None,
            step_seconds: 0.0,
            device: model.device.description().clone(),
            network: model.graph.summary(),
            settings: trainer.settings(),
            filters: None,
        }
    }
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
        if let Some(step) = self.resumed {
            writeln!(f, "went on after step {step}")?;
        }
        write!(f, "{}", self.history)?;
        let how = match self.end {
            End::Finished => None,
            End::NoImprovement => Some("stopped without further improvement"),
            End::Stopped => Some("stopped on request"),
            End::Callback => Some("stopped by a callback"),
            End::Failed => Some("failed"),
        };
        if let Some(how) = how {
            writeln!(f, "{how} after step {}", self.steps)?;
        }
        if let Some(best) = self.restored {
            let (epoch, step) = (best.epoch, best.step);
            writeln!(
                f,
                "the best weights were restored: epoch {epoch}, step {step}"
            )?;
        }
        write!(f, "{:.2} ms per step", self.step_seconds * 1e3)
    }
}
