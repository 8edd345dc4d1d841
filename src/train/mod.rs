//! Training: models on a device, update rules, the loop over epochs.

mod adam;
mod diagnose;
mod evaluate;
#[cfg(feature = "onnx")]
mod export;
mod identity;
mod model;
mod predict;
mod progress;
mod rule;
mod run;
mod samples;
mod sgd;
mod step;
mod trainer;
mod training;
mod weights;

pub use adam::{Adam, AdamW};
pub use evaluate::Evaluation;
pub use model::Model;
pub use predict::Prediction;
pub use rule::UpdateRule;
pub use run::Run;
pub use sgd::Sgd;
pub use step::Loss;
pub use trainer::Trainer;
pub use training::Training;
