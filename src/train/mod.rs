//! Training: models on a device, update rules, the loop over epochs.

mod adadelta;
mod adagrad;
mod adam;
mod diagnose;
mod evaluate;
#[cfg(feature = "onnx")]
mod export;
mod fit;
mod fold;
mod identity;
mod lars;
mod learned;
mod loss;
mod mixing;
mod model;
mod predict;
mod predictor;
mod progress;
mod quickprop;
mod responder;
mod rmsprop;
mod rule;
mod run;
mod samples;
pub mod schedule;
mod settings;
mod sgd;
mod signals;
mod state;
mod step;
mod trainer;
mod training;
mod weights;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
pub use evaluate::Evaluation;
pub use fit::{
    Callback, EarlyStopping, Every, FitError, FitState, Monitor, Stop, every_steps, on_epoch_end,
};
pub use lars::Lars;
pub use loss::{AnswerKind, Loss, LossFunction};
pub use mixing::BatchMix;
pub use model::Model;
pub use predict::Prediction;
pub use predictor::Predictor;
pub use quickprop::Quickprop;
pub use rmsprop::RmsProp;
pub use rule::{Norms, UpdateRule};
pub use run::{End, Run};
pub use sgd::Sgd;
pub use trainer::Trainer;
pub use training::Training;
