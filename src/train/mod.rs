//! Training: models on a device, update rules, the loop over epochs.
//!
//! # Fine-tuning
//!
//! A network that was trained on much data is a good start for a task with little. Its last layer
//! is replaced ([`Network::with_classes`](crate::graph::Network::with_classes)), or several are
//! ([`Network::up_to`](crate::graph::Network::up_to)); the weights of the others are loaded; then
//! the new layer is trained alone, and at last everything at a small learning rate:
//!
//! ```no_run
//! use wgrad::checkpoint::LoadOptions;
//! use wgrad::prelude::*;
//!
//! # fn f(train: Dataset, test: Dataset) -> wgrad::Result<()> {
//! // As `resnet18` for a thousand classes, but for five.
//! let net = wgrad::models::resnet18([3, 224, 224], 1000).with_classes(5)?;
//! let mut model = net.build(&Device::open()?, Seed(1))?;
//! // Everything but the layer `fc` must be in the file, and fit. Names are torchvision's.
//! let report = model.load_with("resnet18.safetensors", &LoadOptions::new().except("fc"))?;
//! println!("{report}");
//!
//! // First the new layer: what is frozen costs no gradient.
//! model.freeze("*")?;
//! model.unfreeze("fc")?;
//! Trainer::new(Sgd::new(0.05).momentum(0.9)).epochs(3).fit(&mut model, &train, &test)?;
//!
//! // Then the later layers too, those nearer to the image more slowly.
//! model.unfreeze("layer3")?;
//! model.unfreeze("layer4")?;
//! model.set_learning_rate_factor("layer3", 0.1)?;
//! model.set_learning_rate_factor("layer4", 0.3)?;
//! Trainer::new(Sgd::new(0.01).momentum(0.9)).epochs(5).fit(&mut model, &train, &test)?;
//! # Ok(()) }
//! ```
//!
//! Patterns choose parameters: a path stands for everything below it (`layer3`, `layer3.0.conv1`),
//! `*` for any characters, dots too, and `?` for one: `*.bias`, `layer?.*.bn1`. A pattern that
//! chooses nothing is an error. From one model to another, without a file, weights go by
//! [`Model::load_from`].

mod adadelta;
mod adagrad;
mod adam;
mod diagnose;
mod evaluate;
#[cfg(feature = "onnx")]
mod export;
mod fit;
mod fold;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod groups;
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
mod rate_search;
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
mod stream;
mod supply;
#[cfg(feature = "tensorboard")]
mod tensorboard;
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
pub use rate_search::RateSearchOptions;
pub use rmsprop::RmsProp;
pub use rule::{Norms, UpdateRule};
pub use run::{End, Run};
pub use sgd::Sgd;
#[cfg(feature = "tensorboard")]
#[cfg_attr(docsrs, doc(cfg(feature = "tensorboard")))]
pub use tensorboard::TensorBoard;
pub use trainer::Trainer;
pub use training::Training;
