//! What the tests on the device share: the device, the comparator, the probe, the
//! operators by name.
#![allow(dead_code, reason = "every test binary uses its own part")]

pub mod compare;
pub mod errors;
pub mod gpu;
pub mod probe;
pub mod unary;
