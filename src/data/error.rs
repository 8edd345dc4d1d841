//! What can be wrong with data.

use std::path::PathBuf;

use super::fault::{FailedAttempt, FileFault};

/// Why a data set was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// There is no sample, or a sample has no elements.
    #[error("a data set needs samples: found {samples} of shape {shape:?}")]
    Empty {
        /// Number of samples.
        samples: usize,
        /// Shape of one.
        shape: Vec<usize>,
    },
    /// More samples than a `u32` can number.
    #[error("{samples} samples are more than a data set can number")]
    TooMany {
        /// Number of samples.
        samples: usize,
    },
    /// The values do not fill the samples that the labels or targets call for.
    #[error(
        "{samples} samples of {what} {shape:?} take {} elements, found {found}",
        expected.map_or_else(|| "too many".to_owned(), |n| n.to_string())
    )]
    LengthMismatch {
        /// `shape` of the samples, or `target shape`.
        what: &'static str,
        /// Number of samples.
        samples: usize,
        /// Shape of one.
        shape: Vec<usize>,
        /// Elements needed; none where the product overflows.
        expected: Option<usize>,
        /// Elements given.
        found: usize,
    },
    /// A label is not one of the classes.
    #[error("sample {sample} has label {label}, but there are {classes} classes, 0 to {}", classes.saturating_sub(1))]
    LabelOutOfRange {
        /// Index of the sample.
        sample: usize,
        /// Its label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
    /// A value or target is infinite or not a number.
    #[error("sample {sample} has the {what} {value} at element {element}")]
    NonFinite {
        /// `value` or `target`.
        what: &'static str,
        /// Index of the sample.
        sample: usize,
        /// Index of the element in the flat sample or target.
        element: usize,
        /// The value.
        value: f32,
    },
    /// A sample was asked for that does not exist.
    #[error("there is no sample {index} among {len}")]
    NoSuchSample {
        /// The index asked for.
        index: usize,
        /// Number of samples.
        len: usize,
    },
    /// A normalisation has another number of channels than the samples.
    #[error(
        "a normalisation of {means} means and {stds} deviations does not fit samples of {channels} channels"
    )]
    WrongChannels {
        /// Means given.
        means: usize,
        /// Standard deviations given.
        stds: usize,
        /// Channels of a sample.
        channels: usize,
    },
    /// A normalisation that would make values infinite.
    #[error("channel {channel} cannot be normalised with mean {mean} and deviation {std}")]
    BadNormalisation {
        /// Index of the channel.
        channel: usize,
        /// Its mean.
        mean: f32,
        /// Its standard deviation.
        std: f32,
    },
    /// A factor for bytes that is zero, infinite or not a number, or that has no bytes to act on.
    #[error("{scale} cannot scale {samples}")]
    BadScale {
        /// The factor.
        scale: f32,
        /// `bytes`, `samples that are not bytes`, or `streamed samples`.
        samples: &'static str,
    },
    /// A file is missing, damaged or of another kind.
    #[error("{}: {fault}", path.display())]
    File {
        /// The file; for bytes in memory, what they should hold (`images`, `labels`).
        path: PathBuf,
        /// What is wrong with it.
        fault: FileFault,
    },
    /// A sample of a [`Source`](super::Source) could not be made.
    #[error("sample {index}: {reason}")]
    Source {
        /// Index of the sample.
        index: usize,
        /// The source's own words.
        reason: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The samples do not fit into memory.
    #[error("{samples} samples of {elements} elements do not fit into memory")]
    TooLarge {
        /// Number of samples.
        samples: usize,
        /// Elements of one.
        elements: usize,
    },
    /// A shape that images cannot be brought to.
    #[error(
        "images cannot have the shape {shape:?}; it is [channels, rows, columns] with 1, 3 or 4 \
         channels"
    )]
    ImageShape {
        /// The shape.
        shape: [usize; 3],
    },
    /// No data set that can be downloaded has this name.
    #[error("no data set `{name}` can be downloaded; there are: {known}")]
    UnknownDownload {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// No mirror gave a file.
    #[error("`{file}` could not be downloaded: {}", attempts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Download {
        /// The file's name.
        file: String,
        /// What each mirror did.
        attempts: Vec<FailedAttempt>,
    },
    /// A source gave a sample another kind or length of target than its first one has.
    #[error("sample {index} has {found}, others have {expected}")]
    MixedTargets {
        /// Index of the sample.
        index: usize,
        /// Its target, in words.
        found: String,
        /// That of the others.
        expected: String,
    },
}

impl DataError {
    /// An error of a [`Source`](super::Source) that has nothing more particular to say.
    pub fn in_sample(
        index: usize,
        reason: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Source {
            index,
            reason: reason.into(),
        }
    }

    /// `fault`, found in the file at `path`.
    pub(super) fn file(path: impl Into<PathBuf>, fault: FileFault) -> Self {
        Self::File {
            path: path.into(),
            fault,
        }
    }
}
