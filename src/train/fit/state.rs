//! A training as the loop holds it and callbacks see it.

use std::path::Path;

use super::clock::{Clock, Instant, Span};
use super::early_stopping::{Monitor, Watcher};
use crate::checkpoint;
use crate::data::Dataset;
use crate::error::Result;
use crate::report::{Epoch, History};
use crate::train::progress::Progress;
use crate::train::run::{End, Run};
use crate::train::{Evaluation, Model, Trainer, Training};

/// A training of [`Trainer::fit`] in progress, as a [`Callback`](super::Callback) sees it.
pub struct FitState<'a> {
    pub(super) trainer: &'a Trainer,
    pub(super) training: Training<'a>,
    pub(super) test: &'a Dataset,
    /// What is known already of what is left in the end.
    pub(super) run: Run,
    /// The losses of the epoch's steps, as far as they were read.
    pub(super) losses: Vec<f32>,
    /// How many of them the history has.
    pub(super) recorded: usize,
    pub(super) watcher: Option<Watcher>,
    /// The best figure of all validations, and whether the last step's is it.
    pub(super) best: f64,
    pub(super) improved: bool,
    pub(super) clock: Clock,
    /// Since when the time of the next record counts.
    pub(super) since: Instant,
    /// The step of the last checkpoint.
    pub(super) saved: Option<u64>,
    pub(super) progress: Progress,
    /// A callback wants the end.
    pub(super) stopped: bool,
}

impl std::fmt::Debug for FitState<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FitState")
            .field("training", &self.training)
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

impl FitState<'_> {
    /// The training itself.
    pub fn training(&self) -> &Training<'_> {
        &self.training
    }

    /// The model that validations are of: the average of the weights where
    /// [`Trainer::average`] keeps one, otherwise the model under training.
    pub fn model(&self) -> &Model {
        self.training.averaged().unwrap_or(self.training.model())
    }

    /// Steps since the start of the training.
    pub fn steps(&self) -> u64 {
        self.training.steps()
    }

    /// All steps of the training, unless something ends it earlier.
    pub fn total_steps(&self) -> u64 {
        self.trainer.length.steps(self.steps_per_epoch())
    }

    /// The epoch of the last step, from 1; 0 before the first.
    pub fn epoch(&self) -> u32 {
        self.steps().div_ceil(self.steps_per_epoch()) as u32
    }

    /// The figures so far.
    pub fn history(&self) -> &History {
        &self.run.history
    }

    /// The last validation.
    pub fn evaluation(&self) -> Option<&Evaluation> {
        self.run.evaluation.as_ref()
    }

    /// The losses of the epoch's steps so far. At the end of an epoch they are there already;
    /// before it this waits for the device.
    ///
    /// # Errors
    /// As [`Training::losses`].
    pub fn losses(&mut self) -> Result<&[f32]> {
        pollster::block_on(self.read_losses())?;
        Ok(&self.losses)
    }

    /// The mean loss of the steps since the last record of the history, without waiting for the
    /// device: it lags some ten steps behind. `None` while there is no news since the last call.
    ///
    /// # Errors
    /// [`Error::DeviceLost`](crate::Error::DeviceLost).
    pub fn running_loss(&mut self) -> Result<Option<f64>> {
        pollster::block_on(self.glimpse())
    }

    /// As [`Training::gradient_norms`].
    ///
    /// # Errors
    /// As [`Training::losses`].
    pub fn gradient_norms(&mut self) -> Result<Vec<f32>> {
        self.training.gradient_norms()
    }

    /// Saves the training: [`Trainer::resume`] goes on with it.
    ///
    /// # Errors
    /// As [`Training::save`].
    pub fn save(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let bytes = pollster::block_on(self.encode(None))?;
        Ok(checkpoint::replace(path.as_ref(), &bytes)?)
    }

    /// Ends the training after the step it is at, with its record if one is due.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    pub(super) fn steps_per_epoch(&self) -> u64 {
        self.training.steps_per_epoch() as u64
    }

    pub(super) fn is_at_end_of_epoch(&self) -> bool {
        self.steps().is_multiple_of(self.steps_per_epoch())
    }

    /// Why the training ends here, if it does.
    pub(super) fn end(&self) -> Option<End> {
        let stop = self.trainer.stop.as_ref();
        if self.steps() >= self.total_steps() {
            Some(End::Finished)
        } else if self.watcher.as_ref().is_some_and(Watcher::is_over) {
            Some(End::NoImprovement)
        } else if self.stopped {
            Some(End::Callback)
        } else if stop.is_some_and(|stop| stop.is_requested()) {
            Some(End::Stopped)
        } else {
            None
        }
    }

    pub(super) async fn step(&mut self) -> Result<()> {
        if self.is_at_end_of_epoch() {
            self.losses.clear();
            self.recorded = 0;
        }
        self.improved = false;
        self.clock.start(self.steps());
        self.training.step_async().await?;
        self.progress.step();
        match self.progress.is_due() {
            true => self.show_progress().await,
            false => Ok(()),
        }
    }

    /// Shows what is known of the steps since the last record, as soon as it is.
    async fn show_progress(&mut self) -> Result<()> {
        if let Some(loss) = self.glimpse().await? {
            let lap = self.clock.lap(self.training.computed_steps());
            let speed = self.images_per_second(lap);
            self.progress
                .update(self.epoch(), self.steps(), loss, speed);
        }
        Ok(())
    }

    fn images_per_second(&self, lap: Span) -> f64 {
        let images = lap.steps * self.training.samples_per_step() as u64;
        images as f64 / lap.seconds.max(f64::MIN_POSITIVE)
    }

    /// The mean loss since the last record, if there is news of it.
    async fn glimpse(&mut self) -> Result<Option<f64>> {
        let Some(newest) = self.training.glimpse().await? else {
            return Ok(None);
        };
        let known = self.losses.get(self.recorded..).unwrap_or_default();
        let all = [known, self.training.unread_losses(), &newest].concat();
        Ok(Some(mean(&all)))
    }

    pub(super) async fn read_losses(&mut self) -> Result<()> {
        if self.training.good_steps() < self.steps() || !self.training.unread_losses().is_empty() {
            self.losses.extend(self.training.losses_async().await?);
        }
        Ok(())
    }

    /// Waits for the device and adds a record to the history, with a validation or without.
    pub(super) async fn record(&mut self, validate: bool) -> Result<()> {
        self.read_losses().await?;
        self.clock.pause(self.steps());
        let lap = self.clock.take_lap();
        let images_per_second = self.images_per_second(lap);
        let learning_rate = self.training.learning_rate(self.steps().saturating_sub(1));
        let validation = match validate {
            true => Some(self.model().evaluate_async(self.test).await?),
            false => None,
        };
        let record = Epoch {
            epoch: self.epoch(),
            step: self.steps(),
            train_loss: mean(&self.losses[self.recorded..]),
            test_loss: validation.as_ref().map(|validation| validation.loss),
            test_accuracy: validation.as_ref().and_then(|v| v.accuracy),
            learning_rate,
            seconds: self.since.elapsed().as_secs_f64(),
            images_per_second,
        };
        self.since = Instant::now();
        let losses = &self.losses[self.recorded..];
        self.run.history.push_losses(record.step, losses);
        self.record_slopes().await?;
        self.recorded = self.losses.len();
        self.progress.record(&record);
        self.run.history.push(record);
        match validation {
            Some(validation) => self.observe(record, validation),
            None => Ok(()),
        }
    }

    /// Adds the PReLU slopes to the history.
    pub(super) async fn record_slopes(&mut self) -> Result<()> {
        let slopes = self.model().slopes_at(self.epoch(), self.steps()).await?;
        let history = &mut self.run.history;
        slopes
            .into_iter()
            .for_each(|layer| history.push_slopes(layer));
        Ok(())
    }

    /// Hands a validation to all that follow them.
    fn observe(&mut self, record: Epoch, validation: Evaluation) -> Result<()> {
        self.training.observe(validation.loss)?;
        let figure = self.monitor().figure(&validation);
        if figure < self.best {
            (self.best, self.improved) = (figure, true);
        }
        let model = self.training.averaged().unwrap_or(self.training.model());
        if let Some(watcher) = &mut self.watcher {
            watcher.observe(model, record, &validation);
        }
        self.run.evaluation = Some(validation);
        Ok(())
    }

    /// By which validations and checkpoints are compared.
    pub(super) fn monitor(&self) -> Monitor {
        let settings = self.trainer.early_stopping.as_ref();
        settings.map_or(Monitor::Loss, |settings| settings.watches())
    }

    /// Leaves in the model what the training gives, after the last step.
    pub(super) async fn leave_weights(&mut self) -> Result<()> {
        self.training.adopt_average();
        let best = match (&self.watcher, self.run.end) {
            // A training that was interrupted may go on; it keeps its last weights.
            (Some(watcher), End::Finished | End::NoImprovement | End::Callback) => {
                watcher.restore(self.training.model())
            }
            _ => None,
        };
        if let Some(best) = best {
            self.run.restored = Some(best.record);
            self.run.evaluation = best.evaluation.clone();
        }
        let validated = self.run.history.last().is_some() && self.run.end != End::Stopped;
        if self.run.evaluation.is_none() && validated {
            // The one that belongs to these weights was made before an interruption.
            self.run.evaluation = Some(self.training.model().evaluate_async(self.test).await?);
        }
        self.run.filters = self.training.model().first_filters_async().await?;
        Ok(())
    }

    /// What is left, with the losses that no record has.
    pub(super) fn into_run(mut self) -> Run {
        let unread = self.training.unread_losses();
        let known = self.losses.get(self.recorded..).unwrap_or_default();
        self.run.unrecorded = [known, unread].concat();
        self.run.steps = match self.run.end {
            End::Failed => self.training.good_steps(),
            _ => self.training.steps(),
        };
        self.run.step_seconds = self.clock.step_seconds();
        self.run
    }
}

fn mean(losses: &[f32]) -> f64 {
    losses.iter().map(|&l| f64::from(l)).sum::<f64>() / losses.len().max(1) as f64
}
