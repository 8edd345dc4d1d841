//! chain
/// l
pub trait Layer {}
/// n
pub struct Network;
