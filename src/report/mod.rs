//! What training came to: the figures of each epoch, which classes are mistaken for which, and
//! pictures to look at.
//!
//! ```
//! # use wgrad::report::{Epoch, History};
//! let mut history = History::default();
//! history.push(Epoch { epoch: 1, step: 23, train_loss: 1.52, seconds: 0.4, ..Epoch::default() });
//! println!("{history}");
//! assert_eq!(history.epochs().len(), 1);
//! ```

mod confusion;
mod csv;
mod file;
mod filters;
mod history;
#[cfg(feature = "plot")]
mod html;
mod json_lines;
#[cfg(feature = "plot")]
#[cfg_attr(docsrs, doc(cfg(feature = "plot")))]
pub mod plot;
mod rate_search;
mod signals;
mod slopes;
#[cfg(feature = "tensorboard")]
mod tensorboard;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use confusion::Confusion;
pub use filters::Filters;
pub use history::{Epoch, History, StepLoss};
#[cfg(feature = "plot")]
#[cfg_attr(docsrs, doc(cfg(feature = "plot")))]
pub use html::Report;
pub use rate_search::{RatePoint, RateSearch};
pub use signals::{LayerSignal, Moments, Signals};
pub use slopes::LayerSlopes;
#[cfg(feature = "tensorboard")]
#[cfg_attr(docsrs, doc(cfg(feature = "tensorboard")))]
pub use tensorboard::EventFile;

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A truth or prediction is not one of the classes.
    #[error("label {label} is not one of {classes} classes")]
    LabelOutOfRange {
        /// The label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
    /// There is not one prediction for each truth.
    #[error("{truths} truths and {predictions} predictions cannot be compared")]
    LengthMismatch {
        /// Number of true labels.
        truths: usize,
        /// Number of predicted labels.
        predictions: usize,
    },
    /// Filters of another number of weights than their shape has.
    #[error("filters of shape {shape:?} have other than {weights} weights")]
    Filters {
        /// The shape: outputs, inputs, rows, columns.
        shape: [usize; 4],
        /// Number of weights given.
        weights: usize,
    },
    /// There is nothing that could be drawn, such as a history without a finite loss.
    #[error("there is nothing to draw: {0}")]
    NothingToDraw(String),
    /// The drawing library refused.
    #[error("cannot draw: {0}")]
    Draw(String),
    /// A history does not read as one.
    #[error("{name}, line {line}: {reason}")]
    Malformed {
        /// The file, where there is one.
        name: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl ReportError {
    fn malformed(line: usize, reason: String) -> Self {
        let name = "history".to_owned();
        Self::Malformed { name, line, reason }
    }

    /// Says which file is malformed.
    fn of_file(self, path: &Path) -> Self {
        match self {
            Self::Malformed { line, reason, .. } => {
                let name = path.display().to_string();
                Self::Malformed { name, line, reason }
            }
            other => other,
        }
    }
}
