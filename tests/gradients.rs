//! Gradients of whole networks on the device against central differences of the f64 reference.
//!
//! The parity suite holds every operator to its formula. Here is what it cannot see: that
//! automatic differentiation joins the operators rightly, that δ of values with several readers
//! are added, that memory which values share in turn is not overwritten too early, and that what
//! is found is the gradient of the *loss*, which no reference formula of a gradient states.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

#[path = "gradients/check.rs"]
mod check;
#[path = "gradients/described.rs"]
mod described;
#[path = "gradients/differences.rs"]
mod differences;
#[path = "gradients/losses.rs"]
mod losses;
#[path = "gradients/networks.rs"]
mod networks;
#[path = "gradients/random.rs"]
mod random;
mod support;

use wgrad_reference as reference;
