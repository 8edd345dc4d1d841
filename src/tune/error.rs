//! What can be wrong with a cache.

use std::io;
use std::path::PathBuf;

/// A cache that cannot be used. It is left as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TuneError {
    /// The file is damaged, or something else than a cache, or that of a later version.
    #[error(
        "`{}` is no cache of kernel choices that this version reads: {reason}; it is left as it \
         is, delete it or choose another path",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        reason: String,
    },
    /// The file cannot be read.
    #[error("the cache of kernel choices `{}` cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}
