//! The loop over steps: what is due when, and what is left in the end.

mod callback;
mod clock;
mod early_stopping;
mod error;
mod every;
pub(super) mod saved;
mod settings;
mod state;
mod stop;

pub use callback::{Callback, every_steps, on_epoch_end};
pub use early_stopping::{EarlyStopping, Monitor};
pub use error::FitError;
pub use every::Every;
pub(super) use every::Length;
pub use state::FitState;
pub use stop::Stop;

use self::clock::Clock;
pub(super) use self::clock::Instant;
use self::early_stopping::Watcher;
use super::model::Model;
use super::progress::Progress;
use super::run::{End, Run};
use super::trainer::Trainer;
use super::training::Training;
use crate::data::Dataset;
use crate::error::{Error, Result};

impl Trainer {
    /// Trains, and answers `test` after each epoch, or as often as [`Trainer::validate`] says.
    ///
    /// Where [`Trainer::checkpoints`] names a folder that holds a checkpoint of this training, it
    /// goes on from there.
    ///
    /// # Errors
    /// A [`FitError`], which holds the history up to there, and becomes its [`Error`] by `?`:
    /// [`Error::Data`] for an empty data set, [`Error::Invalid`] for data that do not fit the
    /// network and settings that make no sense, [`Error::OutOfMemory`], [`Error::DeviceLost`],
    /// [`Error::Checkpoint`], [`Error::Data`] for a streamed sample that cannot be read (all steps
    /// before it are kept, in a checkpoint too where any are), and [`Error::NonFinite`] when the training diverges: the model then
    /// holds the parameters after the last good step.
    ///
    /// [`Error`]: crate::Error
    /// [`Error::Data`]: crate::Error::Data
    /// [`Error::Invalid`]: crate::Error::Invalid
    /// [`Error::OutOfMemory`]: crate::Error::OutOfMemory
    /// [`Error::DeviceLost`]: crate::Error::DeviceLost
    /// [`Error::Checkpoint`]: crate::Error::Checkpoint
    /// [`Error::NonFinite`]: crate::Error::NonFinite
    pub fn fit(&self, model: &mut Model, train: &Dataset, test: &Dataset) -> Result<Run, FitError> {
        self.fit_with(model, train, test, ())
    }

    /// As [`Trainer::fit`], with callbacks.
    ///
    /// # Errors
    /// As [`Trainer::fit`], and those of the callbacks.
    pub fn fit_with(
        &self,
        model: &mut Model,
        train: &Dataset,
        test: &Dataset,
        callback: impl Callback,
    ) -> Result<Run, FitError> {
        pollster::block_on(self.fit_with_async(model, train, test, callback))
    }

    /// The asynchronous form of [`Trainer::fit`].
    ///
    /// # Errors
    /// As [`Trainer::fit`].
    pub async fn fit_async(
        &self,
        model: &mut Model,
        train: &Dataset,
        test: &Dataset,
    ) -> Result<Run, FitError> {
        self.fit_with_async(model, train, test, ()).await
    }

    /// The asynchronous form of [`Trainer::fit_with`]. The callbacks themselves are not
    /// asynchronous.
    ///
    /// # Errors
    /// As [`Trainer::fit_with`].
    pub async fn fit_with_async(
        &self,
        model: &mut Model,
        train: &Dataset,
        test: &Dataset,
        mut callback: impl Callback,
    ) -> Result<Run, FitError> {
        let mut run = Run::new(model, self);
        run.end = End::Failed;
        let mut fit = match FitState::new(self, model, train, test, run.clone()).await {
            Ok(fit) => fit,
            Err(error) => {
                let (error, run) = (Box::new(error), Box::new(run));
                return Err(FitError { error, run });
            }
        };
        match fit.run(&mut callback).await {
            Ok(()) => Ok(fit.into_run()),
            Err(error) => {
                if matches!(error, Error::Data(_)) {
                    // The steps before a sample that cannot be read are good. Should this fail too,
                    // the first error is the one to tell.
                    let _ = fit.read_losses().await;
                    let _ = fit.save_checkpoint().await;
                }
                fit.run.end = End::Failed;
                let (error, run) = (Box::new(error), Box::new(fit.into_run()));
                Err(FitError { error, run })
            }
        }
    }
}

impl<'a> FitState<'a> {
    async fn new(
        trainer: &'a Trainer,
        model: &'a mut Model,
        train: &'a Dataset,
        test: &'a Dataset,
        run: Run,
    ) -> Result<Self> {
        model.check_data(test, &trainer.loss)?;
        let training = Training::new(trainer, model, train).await?;
        let watcher = match trainer.early_stopping {
            Some(settings) => Some(Watcher::new(settings, training.model(), &trainer.loss).await?),
            None => None,
        };
        let total = trainer.length.steps(training.steps_per_epoch() as u64);
        let mut fit = Self {
            trainer,
            training,
            test,
            run,
            losses: Vec::new(),
            recorded: 0,
            watcher,
            best: f64::INFINITY,
            improved: false,
            clock: Clock::default(),
            since: Instant::now(),
            saved: None,
            progress: Progress::new(trainer.progress, total),
            stopped: false,
        };
        fit.go_on().await?;
        if fit.steps() == 0 {
            fit.record_slopes().await?;
        }
        Ok(fit)
    }

    /// All steps, and all that is due between them.
    async fn run(&mut self, callback: &mut impl Callback) -> Result<()> {
        callback.on_start(self)?;
        self.since = Instant::now();
        self.run.end = loop {
            if let Some(end) = self.end() {
                break end;
            }
            self.step().await?;
            callback.on_step(self)?;
            self.between_steps(callback).await?;
        };
        // A step that failed is not to pass for a good end.
        self.read_losses().await?;
        if self.saved != Some(self.steps()) {
            self.save_checkpoint().await?;
        }
        self.leave_weights().await?;
        callback.on_end(self)
    }

    /// Validation, record and checkpoint, where they are due.
    async fn between_steps(&mut self, callback: &mut impl Callback) -> Result<()> {
        let (steps, steps_per_epoch) = (self.steps(), self.steps_per_epoch());
        let is_due = |every: Every| every.is_due(steps, steps_per_epoch);
        let validate = is_due(self.trainer.validate) || steps == self.total_steps();
        let epoch_ends = self.is_at_end_of_epoch();
        if validate || epoch_ends {
            self.record(validate).await?;
        }
        if validate {
            callback.on_validation(self)?;
        }
        if epoch_ends {
            callback.on_epoch_end(self)?;
        }
        let checkpoints = self.trainer.checkpoints.as_ref();
        match checkpoints.is_some_and(|(_, every)| is_due(*every) || self.improved) {
            true => self.save_checkpoint().await,
            false => Ok(()),
        }
    }
}
