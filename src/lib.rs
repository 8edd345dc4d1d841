//! wgrad
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod autodiff;
pub mod data;
mod error;
pub mod graph;
pub mod init;
pub mod layout;
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

pub use error::{Error, Result};
pub use run::{AdapterDescription, AdapterKind, Device, DeviceOptions};
pub use session::{Session, SessionOptions};
