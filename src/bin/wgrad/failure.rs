//! Why a command ended early.

use std::io;
use std::path::Path;

use wgrad::Error;
use wgrad::checkpoint::CheckpointError;

/// Why a command ended early.
#[derive(Debug)]
pub enum Failure {
    /// With a message that says what to do.
    Told(String),
    /// Nobody reads the output any more.
    OutputClosed,
}

impl Failure {
    /// A file or folder that the system does not let one use; `what` is a verb.
    pub fn file(what: &str, path: &Path, error: &io::Error) -> Self {
        Self::Told(format!("cannot {what} `{}`: {error}", path.display()))
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Told(message)
    }
}

/// Of standard output. Errors of files are made by [`Failure::file`].
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::Told(format!("cannot write to standard output: {error}")),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let advice = match &error {
            Error::NonFinite { .. } => "; try a smaller --rate, with another --out",
            Error::OutOfMemory { .. } => "; try a smaller --batch or another --model",
            Error::Layer { .. } => "; the images do not fit the network, try another --model",
            Error::Checkpoint(
                CheckpointError::Truncated { .. }
                | CheckpointError::Corrupted { .. }
                | CheckpointError::Foreign { .. }
                | CheckpointError::Unreadable { .. }
                | CheckpointError::Different { .. },
            ) => "; put back a good one, or train with another --out",
            _ => "",
        };
        Self::Told(format!("{error}{advice}"))
    }
}

impl From<wgrad::data::DataError> for Failure {
    fn from(error: wgrad::data::DataError) -> Self {
        Error::from(error).into()
    }
}

impl From<wgrad::report::ReportError> for Failure {
    fn from(error: wgrad::report::ReportError) -> Self {
        Error::from(error).into()
    }
}
