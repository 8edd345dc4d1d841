//! A training that TensorBoard can watch.

use std::path::PathBuf;

use super::fit::{Callback, FitState};
use crate::error::Result;
use crate::report::EventFile;

/// A callback that writes an [event file](EventFile) for TensorBoard (feature `tensorboard`): losses,
/// accuracy, learning rate, speed and PReLU slopes, brought up to date after every validation and
/// epoch. With the feature `png` it also has the first layer's filters, before the first step and at
/// the end.
///
/// A training that goes on from a checkpoint begins a file that has its whole history, so that
/// nothing is missing or shown twice.
///
/// ```no_run
/// use wgrad::train::{Sgd, TensorBoard, Trainer};
/// # use wgrad::{data::Dataset, train::Model};
/// # fn f(model: &mut Model, train: &Dataset, test: &Dataset) -> wgrad::Result<()> {
/// // Meanwhile: tensorboard --logdir runs
/// let watched = TensorBoard::new("runs/first");
/// Trainer::new(Sgd::new(0.1)).fit_with(model, train, test, watched)?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct TensorBoard {
    folder: PathBuf,
    /// Of the training that began last.
    events: Option<EventFile>,
}

impl TensorBoard {
    /// The folder of one run, which is made where it is missing.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            events: None,
        }
    }

    fn update(&mut self, fit: &FitState<'_>) -> Result<()> {
        let Some(events) = &mut self.events else {
            return Ok(());
        };
        events.history(fit.history())?;
        Ok(events.flush()?)
    }

    #[cfg(feature = "png")]
    fn filters(&mut self, fit: &FitState<'_>) -> Result<()> {
        if let (Some(events), Some(filters)) = (&mut self.events, fit.model().first_filters()?) {
            let picture = crate::report::plot::filters(&filters)?;
            events.picture("filters", fit.steps(), &picture)?;
        }
        Ok(())
    }
}

impl Callback for TensorBoard {
    fn on_start(&mut self, fit: &mut FitState<'_>) -> Result<()> {
        self.events = Some(EventFile::create(&self.folder)?);
        #[cfg(feature = "png")]
        self.filters(fit)?;
        self.update(fit)
    }

    fn on_validation(&mut self, fit: &mut FitState<'_>) -> Result<()> {
        self.update(fit)
    }

    fn on_epoch_end(&mut self, fit: &mut FitState<'_>) -> Result<()> {
        self.update(fit)
    }

    fn on_end(&mut self, fit: &mut FitState<'_>) -> Result<()> {
        #[cfg(feature = "png")]
        self.filters(fit)?;
        self.update(fit)
    }
}
