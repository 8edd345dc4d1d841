//! Every operator on the device against the f64 reference in its textbook form.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod ops;
mod support;

use wgrad_reference as reference;
