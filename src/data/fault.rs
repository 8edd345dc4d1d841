//! What can be wrong with files, here and elsewhere.

use std::io;
use std::path::PathBuf;

use super::DataError;

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileFault {
    /// The system does not let it be read; [`io::ErrorKind::NotFound`] for a missing one.
    #[error("cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The system does not let it be written.
    #[error("cannot be written: {0}")]
    Write(#[source] io::Error),
    /// The gzip stream is cut short or damaged.
    #[error("broken gzip stream: {0}")]
    Gzip(#[source] io::Error),
    /// It begins otherwise than files of its format do.
    #[error("not in {format} format: begins with {found:?}, not with {expected:?}")]
    Magic {
        /// The format.
        format: &'static str,
        /// The bytes such a file begins with.
        expected: Vec<u8>,
        /// The bytes this file begins with.
        found: Vec<u8>,
    },
    /// It ends too early.
    #[error("ends after {found} bytes, where {expected} were announced")]
    Truncated {
        /// Bytes needed (decompressed); `u64::MAX` if more than can be counted.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// Something follows the announced contents.
    #[error("goes on after the {expected} bytes that were announced")]
    Trailing {
        /// Bytes announced (decompressed).
        expected: u64,
    },
    /// Labels and images are not equally many.
    #[error("holds {labels} labels, but {} holds {images} images", image_file.display())]
    CountMismatch {
        /// Number of labels.
        labels: usize,
        /// Number of images.
        images: usize,
        /// The file of images.
        image_file: PathBuf,
    },
    /// A line of a table cannot be used.
    #[error("line {line}: {reason}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// The samples of a table have one class, and none were set beforehand.
    #[error(
        "has samples of one class only, `{class}`; two are needed, or `Csv::classes` names all"
    )]
    OneClass {
        /// That class.
        class: String,
    },
    /// A table lacks a column.
    #[error("has no column {column}; there are: {known}")]
    Column {
        /// The column's name or number.
        column: String,
        /// The columns that exist.
        known: String,
    },
    /// An image cannot be decoded.
    #[error("cannot be decoded: {reason}")]
    Image {
        /// The decoder's words.
        reason: String,
    },
    /// A folder of images has one class or none.
    #[error("needs a folder for each of at least two classes, found {found}")]
    TooFewClasses {
        /// Folders found.
        found: usize,
    },
    /// A class's folder has no image.
    #[error("holds no image (png, jpg, jpeg)")]
    NoImages,
    /// A folder is named as no class is.
    #[error("is none of the classes {known}")]
    UnknownClass {
        /// The classes.
        known: String,
    },
    /// A class's name is not Unicode.
    #[error("has a name that is not Unicode")]
    Name,
    /// Folders lie too deep in each other, perhaps in a circle of links.
    #[error("lies too deep")]
    TooDeep,
    /// The contents do not make a data set.
    #[error("{0}")]
    Refused(#[source] Box<DataError>),
}

impl From<DataError> for FileFault {
    fn from(error: DataError) -> Self {
        Self::Refused(Box::new(error))
    }
}

/// Why a mirror's copy of a file was not taken.
#[derive(Debug, thiserror::Error)]
#[error("{url}: {fault}")]
pub struct FailedAttempt {
    /// What was asked for.
    pub url: String,
    /// What came of it.
    pub fault: FetchFault,
}

/// What is wrong with an answer to a download.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchFault {
    /// The server cannot be reached, or the connection broke. What had arrived is kept, and the
    /// next attempt goes on from there.
    #[error("{0}")]
    Connection(String),
    /// The server answered with an error.
    #[error("HTTP status {0}")]
    Status(u16),
    /// The file is longer or shorter than it should be.
    #[error("{found} bytes, {expected} expected")]
    Size {
        /// The published size.
        expected: u64,
        /// Bytes received, counted to one more than expected.
        found: u64,
    },
    /// The file is another one, or damaged.
    #[error("SHA-256 {found}, {expected} expected")]
    Checksum {
        /// The published checksum, in hexadecimal digits.
        expected: String,
        /// That of the file.
        found: String,
    },
}
