//! Why a file could not be written, read or used.

use std::path::PathBuf;

use super::LoadReport;

/// Why weights or a training could not be saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// There is no such file.
    #[error("there is no file {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The system could not read it.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// No room for it. What was there before is as it was.
    #[error(
        "cannot write {}: no room for {bytes} bytes; what was there before is unchanged",
        path.display()
    )]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: usize,
    },
    /// The system could not write it. What was there before is as it was.
    #[error("cannot write {}: {source}; what was there before is unchanged", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The end of the file is missing.
    #[error("{file} is truncated: {reason}")]
    Truncated {
        /// The file's path, or `the buffer`.
        file: String,
        /// What is missing.
        reason: String,
    },
    /// The file was a good one, but its contents have changed.
    #[error("{file} is corrupted: {reason}")]
    Corrupted {
        /// The file's path, or `the buffer`.
        file: String,
        /// How that is known.
        reason: String,
    },
    /// The file is of another kind.
    #[error("{file} is not a safetensors file: {reason}")]
    Foreign {
        /// The file's path, or `the buffer`.
        file: String,
        /// What it looks like.
        reason: String,
    },
    /// Names or shapes differ from the network's. Nothing was loaded.
    #[error("{file} does not fit the network: {report}")]
    Misfit {
        /// The file's path, or `the buffer`.
        file: String,
        /// What differs.
        report: Box<LoadReport>,
    },
    /// Two tensors were given the same name by [`LoadOptions::rename`](super::LoadOptions::rename).
    #[error("{file}: both `{first}` and `{second}` would be `{name}`")]
    Ambiguous {
        /// The file's path, or `the buffer`.
        file: String,
        /// The parameter that both are for.
        name: String,
        /// The first tensor.
        first: String,
        /// The second tensor.
        second: String,
    },
    /// A pattern of [`LoadOptions::except`](super::LoadOptions::except) leaves nothing out.
    #[error("neither {file} nor the network has a parameter `{pattern}` to be left out")]
    NothingLeftOut {
        /// The file's path, or `the buffer`.
        file: String,
        /// The pattern.
        pattern: String,
    },
    /// The file holds weights, but no training that could go on.
    #[error("{file} holds weights only, no training to resume; `Model::load` reads those")]
    NoTraining {
        /// The file's path, or `the buffer`.
        file: String,
    },
    /// [`Trainer::fit`](crate::train::Trainer::fit) cannot go on: another version of this crate
    /// wrote what the checkpoint holds of the loop, such as the history. Nothing was changed.
    #[error(
        "{file} has a {what} that this version cannot read: {reason}; `Trainer::resume` goes on \
         without it"
    )]
    Unreadable {
        /// The file's path, or `the buffer`.
        file: String,
        /// What of the loop: `history`, `record of early stopping`.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The checkpoint belongs to a training of another network, data set, batch size or the like.
    /// Nothing was changed.
    #[error(
        "{file} is a checkpoint of another training, the {what} differs: {saved} there, {now} here"
    )]
    Different {
        /// The file's path, or `the buffer`.
        file: String,
        /// What differs: `network`, `batch size`.
        what: &'static str,
        /// What the checkpoint was made with.
        saved: String,
        /// What was to go on with it.
        now: String,
    },
}
