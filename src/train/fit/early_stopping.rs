//! Ending a training that no longer gets better, and the weights it was best with.

use crate::error::{Error, Result};
use crate::report::Epoch;
use crate::train::{Evaluation, Loss, Model};

/// The figure of a validation that tells whether a training gets better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Monitor {
    /// The loss; less is better.
    #[default]
    Loss,
    /// The accuracy; more is better. Only where the loss has one: of classes, or of yes and no.
    Accuracy,
}

impl Monitor {
    /// As a number that is less where the model is better; NaN if there is none.
    pub(super) fn figure(self, evaluation: &Evaluation) -> f64 {
        match self {
            Self::Loss => evaluation.loss,
            Self::Accuracy => evaluation.accuracy.map_or(f64::NAN, |accuracy| -accuracy),
        }
    }
}

/// When a training that no longer gets better ends, and whether it ends with its best weights, for
/// [`Trainer::early_stopping`](crate::train::Trainer::early_stopping).
///
/// ```
/// use wgrad::train::{EarlyStopping, Monitor, Sgd, Trainer};
///
/// let trainer = Trainer::new(Sgd::new(0.1))
///     .epochs(200)
///     .early_stopping(EarlyStopping::new().monitor(Monitor::Accuracy).patience(10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EarlyStopping {
    monitor: Monitor,
    patience: u32,
    min_delta: f64,
    restore_best: bool,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self {
            monitor: Monitor::Loss,
            patience: 5,
            min_delta: 0.0,
            restore_best: true,
        }
    }
}

impl EarlyStopping {
    /// Stops after 5 validations without a lower loss, and restores the best weights.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is watched, the loss by default.
    #[must_use]
    pub fn monitor(mut self, monitor: Monitor) -> Self {
        self.monitor = monitor;
        self
    }

    /// The training ends after this many validations in a row without improvement, 5 by default.
    /// (0 counts as 1; [`u32::MAX`] never ends it, for those who only want the best weights.)
    #[must_use]
    pub fn patience(mut self, validations: u32) -> Self {
        self.patience = validations.max(1);
        self
    }

    /// A figure must be better than the best by more than this to count as an improvement, 0 by
    /// default. Accuracies are fractions: 0.01 is one per cent.
    #[must_use]
    pub fn min_delta(mut self, difference: f64) -> Self {
        self.min_delta = difference;
        self
    }

    /// Whether the training ends with the weights and running statistics of its best validation,
    /// as it does by default; they are kept on the device meanwhile. Also a training that runs to
    /// its end, but not one that is stopped on request, which may go on.
    #[must_use]
    pub fn restore_best(mut self, restore: bool) -> Self {
        self.restore_best = restore;
        self
    }

    pub(in crate::train) fn watches(&self) -> Monitor {
        self.monitor
    }
}

/// The validations of a training seen with an [`EarlyStopping`].
#[derive(Debug)]
pub(super) struct Watcher {
    settings: EarlyStopping,
    /// What the next figure must lie below to count.
    pub(super) reference: f64,
    /// Validations in a row that did not count.
    pub(super) bad: u32,
    pub(super) best: Option<Best>,
    /// Has the best weights, once there are any.
    pub(super) weights: Option<Model>,
}

/// The best validation. Its weights are kept whether or not it counted as an improvement.
#[derive(Clone, Debug)]
pub(super) struct Best {
    pub(super) figure: f64,
    pub(super) record: Epoch,
    /// Not there if it was made before a training was interrupted.
    pub(super) evaluation: Option<Evaluation>,
}

impl Watcher {
    /// Takes the memory for the best weights of a model, if they are wanted.
    pub(super) async fn new(settings: EarlyStopping, model: &Model, loss: &Loss) -> Result<Self> {
        if settings.monitor == Monitor::Accuracy && !loss.has_accuracy() {
            return Err(Error::Invalid(format!(
                "early stopping cannot watch the accuracy: {} has none",
                loss.name()
            )));
        }
        if settings.min_delta.is_nan() || settings.min_delta < 0.0 {
            return Err(Error::Invalid(format!(
                "an improvement cannot be less than {}",
                settings.min_delta
            )));
        }
        let weights = match settings.restore_best {
            true => Some(model.duplicate().await?),
            false => None,
        };
        Ok(Self {
            settings,
            reference: f64::INFINITY,
            bad: 0,
            best: None,
            weights,
        })
    }

    /// Takes a validation of a model into account.
    pub(super) fn observe(&mut self, model: &Model, record: Epoch, evaluation: &Evaluation) {
        let figure = self.settings.monitor.figure(evaluation);
        if self.is_best(figure) {
            if let Some(weights) = &self.weights {
                weights.memory.copy_from(&model.device, &model.memory);
            }
            self.best = Some(Best {
                figure,
                record,
                evaluation: Some(evaluation.clone()),
            });
        }
        self.count(figure);
    }

    /// A figure that is no number is never the best.
    fn is_best(&self, figure: f64) -> bool {
        let best = self.best.as_ref().map_or(f64::INFINITY, |best| best.figure);
        figure < best || (self.best.is_none() && figure == f64::INFINITY)
    }

    fn count(&mut self, figure: f64) {
        if figure < self.reference - self.settings.min_delta {
            (self.reference, self.bad) = (figure, 0);
        } else {
            self.bad = self.bad.saturating_add(1);
        }
    }

    /// Whether the training is to end.
    pub(super) fn is_over(&self) -> bool {
        self.bad >= self.settings.patience && self.settings.patience < u32::MAX
    }

    /// Gives the model its best weights and running statistics back; nothing if none are kept.
    pub(super) fn restore(&self, model: &Model) -> Option<&Best> {
        let (best, weights) = (self.best.as_ref()?, self.weights.as_ref()?);
        model.memory.copy_from(&model.device, &weights.memory);
        Some(best)
    }
}
