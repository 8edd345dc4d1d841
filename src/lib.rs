//! Trains convolutional networks on any GPU that [wgpu] reaches (Vulkan, Metal, DX12, WebGPU)
//! with kernels written in WGSL: no CUDA, no Python, nothing to install but a driver.
//!
//! ```no_run
//! use wgrad::prelude::*;
//!
//! let (train, test) = wgrad::data::digits().split(0.8, Seed(7));
//!
//! let mut net = Network::input([1, 8, 8]);                 // per sample, NCHW
//! net.conv(16, 3).padding(1).prelu().max_pool(2)
//!    .conv(32, 3).padding(1).prelu().max_pool(2)
//!    .linear(64).prelu()
//!    .linear(10);
//!
//! let device = Device::open()?;                            // best GPU, else a CPU driver
//! let mut model = net.build(&device, Seed(42))?;           // He-initialised and uploaded
//! let run = Trainer::new(Sgd::new(0.03).momentum(0.9))
//!     .epochs(15)
//!     .batch_size(32)
//!     .fit(&mut model, &train, &test)?;
//! println!("{run}");                                       // a table of losses and accuracy
//!
//! println!("{:?}", model.evaluate(&test)?.accuracy);
//! println!("{}", model.predict(&test.image(0)?)?.top1());
//! # Ok::<(), wgrad::Error>(())
//! ```
//!
//! Data pass through five stages, each of which reads only the one before it:
//! [`graph`] (what) → [`autodiff`] (gradients) → [`plan`] (how) → [`record`] (commands) → run
//! (wgpu). [`train`] drives them; [`ops`] holds the operators, which may also come from outside
//! the crate; [`Session`] runs any graph by hand.
//!
//! [wgpu]: https://wgpu.rs

pub mod autodiff;
pub mod checkpoint;
pub mod data;
mod error;
mod fuse;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod graph;
pub mod init;
pub mod layout;
pub mod models;
pub mod onnx;
pub mod ops;
pub mod plan;
pub mod random;
pub mod record;
pub mod report;
mod run;
mod session;
pub mod shader;
pub mod shape;
pub mod train;
pub mod tune;

pub use error::{Error, Result};
pub use run::{AdapterDescription, AdapterKind, Device, DeviceOptions};
pub use session::{Session, SessionOptions};

/// What most programs need.
pub mod prelude {
    pub use crate::data::Dataset;
    pub use crate::graph::Network;
    pub use crate::init::Init;
    pub use crate::random::Seed;
    pub use crate::train::{Adam, AdamW, Loss, Model, Sgd, Trainer};
    pub use crate::{Device, Error, Result};
}

/// Compiles the examples of the README with the doctests, so that they stay true.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
