//! Initialisers: laws, reproducibility, structure and errors.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "init/errors.rs"]
mod errors;
#[path = "init/golden.rs"]
mod golden;
#[path = "init/laws.rs"]
mod laws;
#[path = "init/structured.rs"]
mod structured;
