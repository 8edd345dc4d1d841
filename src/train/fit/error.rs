//! A training that failed.

use std::fmt;

use crate::error::Error;
use crate::train::Run;

/// Why [`Trainer::fit`](crate::train::Trainer::fit) failed, and what there was until then.
///
/// It becomes an [`Error`] where one is wanted, as by `?`.
///
/// ```no_run
/// # use wgrad::{data::Dataset, train::{Model, Sgd, Trainer}};
/// # fn f(trainer: &Trainer, model: &mut Model, train: &Dataset, test: &Dataset) {
/// if let Err(failure) = trainer.fit(model, train, test) {
///     println!("{failure}, after these epochs:\n{}", failure.run.history);
///     println!("the losses since then: {:?}", failure.run.unrecorded);
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct FitError {
    /// What went wrong.
    pub error: Box<Error>,
    /// The training up to there. The model holds the weights after the last good step.
    pub run: Box<Run>,
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for FitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl From<FitError> for Error {
    fn from(failure: FitError) -> Self {
        *failure.error
    }
}
