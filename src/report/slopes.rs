//! The slopes of a PReLU layer at one moment of a training.

/// The learned slopes of one PReLU layer after an epoch.
///
/// ```
/// # use wgrad::report::LayerSlopes;
/// let slopes = LayerSlopes {
///     epoch: 1,
///     step: 44,
///     layer: "prelu1".to_owned(),
///     slopes: vec![0.25, 0.5],
/// };
/// assert_eq!(slopes.mean(), Some(0.375));
/// assert_eq!(slopes.range(), Some((0.25, 0.5)));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerSlopes {
    /// The epoch after which they were read; 0 before the first.
    pub epoch: u32,
    /// Optimiser steps taken by then.
    pub step: u64,
    /// The layer's path.
    pub layer: String,
    /// A slope per channel, or a single one that all channels share.
    pub slopes: Vec<f32>,
}

impl LayerSlopes {
    /// Their mean; none without slopes.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let sum: f64 = self.slopes.iter().map(|&slope| f64::from(slope)).sum();
        (!self.slopes.is_empty()).then(|| sum / self.slopes.len() as f64)
    }

    /// The smallest and the largest; none without slopes. NaN is neither, unless all are.
    #[must_use]
    pub fn range(&self) -> Option<(f32, f32)> {
        let slopes = || self.slopes.iter().copied();
        Some((slopes().reduce(f32::min)?, slopes().reduce(f32::max)?))
    }
}
