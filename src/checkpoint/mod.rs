//! Weights and trainings as files.
//!
//! Everything is kept as [safetensors](https://github.com/huggingface/safetensors): a JSON header
//! with names, shapes and element types, then the numbers. Parameters have their paths as names
//! (`layer1.0.conv1.weight`) and PyTorch's shapes and order, so that such a file loads into a
//! PyTorch module of the same names, and one of PyTorch's loads here.
//!
//! | to keep | write | read |
//! |---|---|---|
//! | weights and running statistics | [`Model::save`] | [`Model::load`], [`Model::load_with`] |
//! | a training that shall go on | [`Training::save`] | [`Trainer::resume`] |
//! | several of these | [`Checkpoints::save`] | [`Checkpoints::latest`] |
//!
//! A training's file is a weights' file with more in it: [`Model::load`] reads both.
//!
//! A file is written beside its final place, flushed to the disk, and then renamed: whatever
//! happens while saving, the place holds the old file or the new one, whole. Files of this crate
//! carry a checksum, which is compared when they are read.
//!
//! [`Model::save`]: crate::train::Model::save
//! [`Model::load`]: crate::train::Model::load
//! [`Model::load_with`]: crate::train::Model::load_with
//! [`Training::save`]: crate::train::Training::save
//! [`Trainer::resume`]: crate::train::Trainer::resume

mod container;
mod directory;
mod error;
mod facts;
mod file;
mod options;
#[cfg(test)]
mod tests;

pub(crate) use container::{Container, Extra, Tensor, encode};
pub use directory::Checkpoints;
pub use error::CheckpointError;
pub(crate) use facts::Facts;
pub(crate) use file::{read, replace};
pub use options::{LoadOptions, LoadReport, Misfit};

/// What begins the names of a training's own tensors, which no weights are.
pub(crate) const TRAINING_PREFIX: &str = "training/";
