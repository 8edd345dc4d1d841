//! Every variant of every shader, for every backend, without a GPU.
//!
//! The variants are those that the operators ask for over the table of [`planning::cases`], on
//! every kind of adapter. A shader that Metal or DX12 would refuse fails here.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod planning;

#[path = "shaders/barriers.rs"]
mod barriers;
#[path = "shaders/coverage.rs"]
mod coverage;
#[path = "shaders/limits.rs"]
mod limits;
#[path = "shaders/translation.rs"]
mod translation;
#[path = "shaders/variants.rs"]
mod variants;
