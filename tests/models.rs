//! The ready networks: what they are, that they can be planned, and that they learn.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

#[path = "support/gpu.rs"]
mod gpu;

#[path = "models/describe.rs"]
mod describe;
#[path = "models/learn.rs"]
mod learn;
#[path = "models/plan.rs"]
mod plan;
#[path = "models/respond.rs"]
mod respond;
