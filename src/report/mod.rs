//! What training came to: the figures of each epoch, which classes are mistaken for which, and
//! curves to look at.
//!
//! ```
//! # use wgrad::report::{Epoch, History};
//! let mut history = History::default();
//! history.push(Epoch { epoch: 1, step: 23, train_loss: 1.52, seconds: 0.4, ..Epoch::default() });
//! println!("{history}");
//! assert_eq!(history.epochs().len(), 1);
//! ```

mod confusion;
mod history;
#[cfg(feature = "plot")]
#[cfg_attr(docsrs, doc(cfg(feature = "plot")))]
pub mod plot;
#[cfg(feature = "plot")]
mod plot_signals;
mod signals;

use std::path::PathBuf;

pub use confusion::Confusion;
pub use history::{Epoch, History};
pub use signals::{LayerSignal, Moments, Signals};

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
    /// A history without a finite loss has no curve.
    #[error("the history of {epochs} epochs has no finite loss to draw")]
    NothingToDraw {
        /// Number of epochs recorded.
        epochs: usize,
    },
    /// The drawing library refused.
    #[error("cannot draw the curves: {0}")]
    Draw(String),
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}
