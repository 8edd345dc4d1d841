//! Data sets: samples, what they should be answered with, how to read and split them.
//!
//! ```
//! # use wgrad::{data, random::Seed};
//! let (train, test) = data::digits().split(0.8, Seed(7));
//! assert_eq!((train.len(), test.len()), (1438, 359));
//! assert_eq!(train.shape(), [1, 8, 8]);
//!
//! // Both with the training set's mean and deviation: the test set must not inform its own.
//! let train = train.normalised();
//! let test = test.normalised_like(&train)?;
//! let first = test.image(0)?;
//! assert_eq!(first.values().len(), 64);
//! # Ok::<(), data::DataError>(())
//! ```
//!
//! Where samples come from:
//!
//! | from | call | feature |
//! |---|---|---|
//! | arrays in memory | [`Dataset::images_u8`], [`Dataset::from_f32`], [`Dataset::regression`] | |
//! | arrays of `ndarray` | `Dataset::from_ndarray` | `ndarray` |
//! | MNIST's idx files, gzipped or not | [`idx_folder`], [`idx_files`], [`idx()`] | |
//! | CIFAR-10 and CIFAR-100, binary version | [`cifar_folder`], [`cifar()`] | |
//! | PNG and JPEG files, a folder a class | `ImageFolder` | `images` |
//! | tables of comma-separated values | `Csv` | `csv` |
//! | well-known sets, by name | `Download` | `download` |
//! | anything else, sample by sample | [`Source`], [`Loading`] | |
//!
//! A data set is checked when it is made: a label beyond the classes, a value that is not a
//! number or a missing pixel is reported with its place, not met as a NaN an hour later.
//! Images of bytes stay bytes, a quarter of the memory, until they are used. A set that memory cannot
//! hold is read again whenever it is used ([`Loading::stream`]).

mod access;
#[cfg(feature = "ndarray")]
mod arrays;
mod augment;
mod cifar;
mod class_names;
mod dataset;
mod digits;
#[cfg(feature = "download")]
mod download;
mod error;
mod fault;
mod file;
mod idx;
#[cfg(feature = "images")]
mod images;
mod loading;
mod moments;
mod normalisation;
#[cfg(test)]
mod robustness;
mod sample;
mod source;
mod split;
mod stored;
mod streamed;
#[cfg(feature = "csv")]
mod table;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub(crate) use augment::STREAM as AUGMENT_STREAM;
pub use augment::{Augment, Augmentation, ErasedBox, Erasing, Fill};
pub use cifar::{Cifar, cifar, cifar_folder};
pub use dataset::{Dataset, Samples};
pub use digits::digits;
#[cfg(feature = "download")]
pub use download::{Download, Known};
pub use error::DataError;
pub use fault::{FailedAttempt, FetchFault, FileFault};
pub use idx::{idx, idx_files, idx_folder};
#[cfg(feature = "images")]
pub use images::{Fit, ImageFolder, image_file};
pub use loading::{Loaded, Loading};
pub use normalisation::Normalisation;
pub use sample::{Classes, Sample, Target, Targets};
pub use source::{Element, Source};
pub use streamed::Streamed;
#[cfg(feature = "csv")]
pub use table::{Column, Csv};
