//! Weights, trainings and networks as files: their own round trips, and PyTorch's and ONNX's.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

#[path = "support/gpu.rs"]
mod gpu;

#[path = "interchange/damaged.rs"]
mod damaged;
#[path = "interchange/fit.rs"]
mod fit;
#[path = "interchange/killed.rs"]
mod killed;
#[path = "interchange/networks.rs"]
mod networks;
#[path = "interchange/onnx.rs"]
mod onnx;
#[path = "interchange/refused.rs"]
mod refused;
#[path = "interchange/resnet.rs"]
mod resnet;
#[path = "interchange/resume.rs"]
mod resume;
#[path = "interchange/setup.rs"]
mod setup;
#[path = "interchange/weights.rs"]
mod weights;
