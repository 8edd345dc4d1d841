//! The only folder that names wgpu: adapters, pipelines, memory, submission, read-back.

mod device;
mod first_use;
mod memory;
mod pipeline;
mod profile;
mod program;
mod recorder;
mod trusted;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use std::time::Instant;
#[cfg(target_arch = "wasm32")]
pub(crate) use web_time::Instant;

pub use device::{AdapterDescription, AdapterKind, Device, DeviceOptions};
pub(crate) use memory::{Memory, ReadBack};
pub(crate) use program::{Program, ProgramOptions, Submission};
