//! Training as a whole, through the public interface: against PyTorch and the references of the
//! update rules, its determinism, its errors, its memory, and whether it learns.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod support;

use wgrad_reference as reference;

#[path = "training/accumulation.rs"]
mod accumulation;
#[path = "training/augmentation.rs"]
mod augmentation;
#[path = "training/augmentation_parity.rs"]
mod augmentation_parity;
#[path = "training/averaging.rs"]
mod averaging;
#[path = "training/bindings.rs"]
mod bindings;
#[path = "training/callbacks.rs"]
mod callbacks;
#[path = "training/clipping.rs"]
mod clipping;
#[path = "training/determinism.rs"]
mod determinism;
#[path = "training/early_stopping.rs"]
mod early_stopping;
#[path = "training/errors.rs"]
mod errors;
#[path = "training/evaluation.rs"]
mod evaluation;
#[path = "training/fine_tuning.rs"]
mod fine_tuning;
#[path = "training/fixup.rs"]
mod fixup;
#[path = "training/folding.rs"]
mod folding;
#[path = "training/golden.rs"]
mod golden;
#[path = "training/golden_rules.rs"]
mod golden_rules;
#[path = "training/learning.rs"]
mod learning;
#[path = "training/mixing.rs"]
mod mixing;
#[path = "training/no_adapter.rs"]
mod no_adapter;
#[path = "training/non_finite.rs"]
mod non_finite;
#[path = "training/profile.rs"]
mod profile;
#[path = "training/quickprop.rs"]
mod quickprop;
#[path = "training/rate_search.rs"]
mod rate_search;
#[path = "training/rules.rs"]
mod rules;
#[path = "training/rules_by_squares.rs"]
mod rules_by_squares;
#[path = "training/schedules.rs"]
mod schedules;
#[path = "training/setup.rs"]
mod setup;
#[path = "training/signals.rs"]
mod signals;
#[path = "training/steady.rs"]
mod steady;
#[path = "training/streaming.rs"]
mod streaming;
#[cfg(feature = "tensorboard")]
#[path = "training/tensorboard.rs"]
mod tensorboard;
#[path = "training/tuning.rs"]
mod tuning;
