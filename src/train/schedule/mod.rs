//! Learning-rate schedules: functions of the step, counted from 0, that give a factor on the
//! learning rate, for [`Trainer::schedule`](super::Trainer::schedule).
//!
//! ```
//! use wgrad::train::{Sgd, Trainer, schedule};
//!
//! // Up to the full rate in 500 steps, then down along a cosine to a hundredth of it.
//! let trainer = Trainer::new(Sgd::new(0.1))
//!     .schedule(schedule::warm_up(500, 0.1, schedule::cosine(10_000, 0.01)));
//! ```
//!
//! Steps are updates, not epochs. Any closure from `u64` to `f64` is a schedule too, and so these
//! can be combined at will:
//!
//! ```
//! use wgrad::train::schedule;
//!
//! let (fall, waves) = (schedule::exponential(0.999), schedule::cosine_restarts(100, 1, 0.5));
//! let both = move |step: u64| fall(step) * waves(step);
//! assert_eq!(both(0), 1.0);
//! ```
//!
//! [`Plateau`] is none of these, since it follows the losses:
//! [`Trainer::reduce_on_plateau`](super::Trainer::reduce_on_plateau) takes it.

mod plateau;

use std::f64::consts::PI;

pub use plateau::Plateau;
pub(crate) use plateau::Watch;

/// This factor at every step.
pub fn constant(factor: f64) -> impl Fn(u64) -> f64 + Send + Sync + 'static {
    move |_| factor
}

/// `gamma^⌊step/every⌋`: `gamma` times the rate after every so many steps (an `every` of 0 counts
/// as 1).
pub fn step(every: u64, gamma: f64) -> impl Fn(u64) -> f64 + Send + Sync + 'static {
    move |step| gamma.powf((step / every.max(1)) as f64)
}

/// `gamma` times the rate from each of these steps on.
pub fn multi_step(
    milestones: impl Into<Vec<u64>>,
    gamma: f64,
) -> impl Fn(u64) -> f64 + Send + Sync + 'static {
    let milestones = milestones.into();
    move |step| {
        let passed = milestones.iter().filter(|m| **m <= step).count();
        gamma.powf(passed as f64)
    }
}

/// `gamma^step`.
pub fn exponential(gamma: f64) -> impl Fn(u64) -> f64 + Send + Sync + 'static {
    move |step| gamma.powf(step as f64)
}

/// `(1 + gamma·step)^−power`, Caffe's `inv`.
pub fn inverse(gamma: f64, power: f64) -> impl Fn(u64) -> f64 + Send + Sync + 'static {
    move |step| (1.0 + gamma * step as f64).powf(-power)
}

/// `(1 − step/steps)^power`, Caffe's `poly`; 0 after `steps`.
pub fn polynomial(steps: u64, power: f64) -> impl Fn(u64) -> f64 + Send + Sync + 'static {
    move |step| (1.0 - part(step as f64, steps as f64)).powf(power)
}

/// Half a wave from 1 to `floor`, which it reaches after `steps` and keeps:
/// `floor + (1 − floor)·(1 + cos(π·step/steps))/2`.
pub fn cosine(steps: u64, floor: f64) -> impl Fn(u64) -> f64 + Send + Sync + 'static {
    move |step| eased(1.0, floor, part(step as f64, steps as f64))
}

/// Cosines with warm restarts (Loshchilov and Hutter, "SGDR", 2017): from 1 towards `floor` in
/// `period` steps, then again from 1, each period `multiplier` times as long as the one before.
/// (A `period` or `multiplier` of 0 counts as 1.)
pub fn cosine_restarts(
    period: u64,
    multiplier: u64,
    floor: f64,
) -> impl Fn(u64) -> f64 + Send + Sync + 'static {
    move |step| {
        let mut period = period.max(1);
        let mut since = step;
        match multiplier {
            0 | 1 => since %= period,
            // At most 64 turns: the period at least doubles.
            _ => {
                while since >= period {
                    since -= period;
                    period = period.saturating_mul(multiplier);
                }
            }
        }
        eased(1.0, floor, since as f64 / period as f64)
    }
}

/// Linearly from `from` to 1 in `steps`, and then by `then`, whose steps count from there.
pub fn warm_up(
    steps: u64,
    from: f64,
    then: impl Fn(u64) -> f64 + Send + Sync + 'static,
) -> impl Fn(u64) -> f64 + Send + Sync + 'static {
    move |step| match step.checked_sub(steps) {
        Some(later) => then(later),
        None => from + (1.0 - from) * step as f64 / steps as f64,
    }
}

/// The shape of [`one_cycle`]; the default is PyTorch's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycle {
    /// The fraction of the steps in which the rate rises, 0.3.
    pub rise: f64,
    /// The factor at the first step, 1/25.
    pub start: f64,
    /// The factor at the last step, 1/250,000.
    pub end: f64,
    /// Whether the rate rises and falls along straight lines, not along cosines.
    pub linear: bool,
}

impl Default for OneCycle {
    fn default() -> Self {
        Self {
            rise: 0.3,
            start: 1.0 / 25.0,
            end: 1.0 / 250_000.0,
            linear: false,
        }
    }
}

/// Up to the full rate and down again, far below where it began (Smith and Topin,
/// "Super-convergence", 2018), in `steps`; the last factor is kept after them.
///
/// ```
/// use wgrad::train::schedule::{OneCycle, one_cycle};
///
/// let cycle = one_cycle(100, OneCycle { rise: 0.21, start: 0.25, ..OneCycle::default() });
/// assert_eq!((cycle(0), cycle(20)), (0.25, 1.0));
/// ```
pub fn one_cycle(steps: u64, shape: OneCycle) -> impl Fn(u64) -> f64 + Send + Sync + 'static {
    let last = steps as f64 - 1.0;
    let top = shape.rise * steps as f64 - 1.0;
    move |step| {
        let step = step as f64;
        let (from, to, progress) = match step <= top {
            true => (shape.start, 1.0, part(step, top)),
            false => (1.0, shape.end, part(step - top, last - top)),
        };
        match shape.linear {
            true => from + (to - from) * progress,
            false => eased(from, to, progress),
        }
    }
}

/// How much of the way is gone, from 0 to 1; all of it where there is none.
fn part(step: f64, steps: f64) -> f64 {
    match steps > 0.0 {
        true => (step / steps).clamp(0.0, 1.0),
        false => 1.0,
    }
}

/// From one value to the other along half a cosine.
fn eased(from: f64, to: f64, progress: f64) -> f64 {
    to + (from - to) * 0.5 * (1.0 + (PI * progress).cos())
}
