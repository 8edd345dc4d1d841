//! What a trainer is told about the loop.

use super::{EarlyStopping, Every, Length, Stop};
use crate::checkpoint::Checkpoints;
use crate::train::Trainer;

impl Trainer {
    /// How often every sample is seen, 10 times by default. The last call of this and
    /// [`Trainer::steps`] holds.
    #[must_use]
    pub fn epochs(mut self, epochs: u32) -> Self {
        self.length = Length::Epochs(epochs);
        self
    }

    /// How many steps are taken, in place of [`Trainer::epochs`]; the last epoch may be part of
    /// one.
    #[must_use]
    pub fn steps(mut self, steps: u64) -> Self {
        self.length = Length::Steps(steps);
        self
    }

    /// When [`Trainer::fit`] answers its test data: every epoch by default. After the last step it
    /// always does. Each time adds a record to the history, and so does the end of each epoch.
    ///
    /// ```
    /// use wgrad::train::{Every, Sgd, Trainer};
    /// let trainer = Trainer::new(Sgd::new(0.1)).steps(100_000).validate(Every::Steps(2_000));
    /// ```
    #[must_use]
    pub fn validate(mut self, every: Every) -> Self {
        self.validate = every;
        self
    }

    /// Ends [`Trainer::fit`] when its test data are no longer answered better, with the best
    /// weights.
    ///
    /// ```
    /// use wgrad::train::{EarlyStopping, Sgd, Trainer};
    /// let trainer = Trainer::new(Sgd::new(0.1)).early_stopping(EarlyStopping::new().patience(3));
    /// ```
    #[must_use]
    pub fn early_stopping(mut self, settings: EarlyStopping) -> Self {
        self.early_stopping = Some(settings);
        self
    }

    /// Keeps checkpoints of [`Trainer::fit`] in a folder of their own: every so many epochs or
    /// steps, at each validation that is the best so far, and when the training ends or is stopped.
    ///
    /// If there is a checkpoint already, `fit` goes on from the last good one, on the same device and
    /// driver bit for bit as if it had not been interrupted: a program that was stopped or killed
    /// need only be started again, and one that has finished its training finds it finished. It is
    /// an error if the checkpoint is of another network, data set, batch size or the like; the
    /// number of epochs may be another.
    ///
    /// ```no_run
    /// use wgrad::checkpoint::Checkpoints;
    /// use wgrad::train::{Every, Sgd, Trainer};
    /// let trainer = Trainer::new(Sgd::new(0.1)).checkpoints("run-1", Every::Epochs(1));
    /// // Only the last one and the best, every thousand steps.
    /// let checkpoints = Checkpoints::new("run-2").keep_last(1);
    /// let trainer = Trainer::new(Sgd::new(0.1)).checkpoints(checkpoints, Every::Steps(1000));
    /// ```
    ///
    /// Which is the best, [`EarlyStopping::monitor`] says; without early stopping, the loss.
    #[must_use]
    pub fn checkpoints(mut self, folder: impl Into<Checkpoints>, every: Every) -> Self {
        self.checkpoints = Some((folder.into(), every));
        self
    }

    /// Ends [`Trainer::fit`] when this handle, or a clone of it, requests so.
    #[must_use]
    pub fn stop_on(mut self, stop: &Stop) -> Self {
        self.stop = Some(stop.clone());
        self
    }

    /// Whether [`Trainer::fit`] shows its progress on standard error, as it does by default: a bar
    /// where there is a terminal (feature `progress`), otherwise a line for every record of the
    /// history, with losses, images per second and the time left.
    #[must_use]
    pub fn progress(mut self, progress: bool) -> Self {
        self.progress = progress;
        self
    }
}
