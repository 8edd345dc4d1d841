//! Every operator on the device against the f64 reference in its textbook form.

mod ops;
mod reference;
mod support;
