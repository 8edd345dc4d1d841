//! What a program outside the crate can add: an operator with WGSL of its own, a gradient and a
//! learned parameter, and an update rule. Everything used here is public.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

#[path = "extension/broken.rs"]
mod broken;
#[path = "extension/learning.rs"]
mod learning;
#[path = "extension/sign_descent.rs"]
mod sign_descent;
#[path = "extension/swish.rs"]
mod swish;
#[path = "extension/swish_tests.rs"]
mod swish_tests;

#[path = "support/gpu.rs"]
mod gpu;
