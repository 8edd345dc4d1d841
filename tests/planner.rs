//! Planning and recording of any network, without a GPU.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod planning;

#[path = "planner/costs.rs"]
mod costs;
#[path = "planner/faults.rs"]
mod faults;
#[path = "planner/properties.rs"]
mod properties;
#[path = "planner/refusals.rs"]
mod refusals;
