//! A learning rate that falls when the validation loss does no longer.

/// Multiplies the learning rate by a factor when the validation loss has not fallen for more than
/// `patience` epochs, as PyTorch's `ReduceLROnPlateau`.
///
/// ```
/// use wgrad::train::{Sgd, Trainer, schedule::Plateau};
///
/// let trainer = Trainer::new(Sgd::new(0.1))
///     .reduce_on_plateau(Plateau::new().factor(0.5).patience(3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    factor: f64,
    patience: u32,
    threshold: f64,
    absolute: bool,
    cooldown: u32,
    floor: f64,
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            absolute: false,
            cooldown: 0,
            floor: 0.0,
        }
    }
}

impl Plateau {
    /// A tenth of the rate after 10 epochs without improvement by more than 0.01 %.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the rate is multiplied by, 0.1 by default.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Epochs without improvement that are put up with, 10 by default; the next one reduces.
    #[must_use]
    pub fn patience(mut self, epochs: u32) -> Self {
        self.patience = epochs;
        self
    }

    /// The fraction of the best loss by which a loss must lie below it to count as an
    /// improvement, 1e-4 by default.
    #[must_use]
    pub fn threshold(mut self, fraction: f64) -> Self {
        (self.threshold, self.absolute) = (fraction, false);
        self
    }

    /// As [`Plateau::threshold`], as a difference of losses.
    #[must_use]
    pub fn absolute_threshold(mut self, difference: f64) -> Self {
        (self.threshold, self.absolute) = (difference, true);
        self
    }

    /// Epochs after a reduction that are not counted, 0 by default.
    #[must_use]
    pub fn cooldown(mut self, epochs: u32) -> Self {
        self.cooldown = epochs;
        self
    }

    /// The least that all reductions together leave of the rate, 0 by default.
    #[must_use]
    pub fn floor(mut self, floor: f64) -> Self {
        self.floor = floor;
        self
    }
}

/// The losses of a training seen with a [`Plateau`]: all that must be kept to go on later.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Watch {
    /// The factor on the learning rate, all reductions together.
    pub(crate) factor: f64,
    /// The lowest loss that counted.
    pub(crate) best: f64,
    /// Epochs since then, or since the last reduction.
    pub(crate) bad: u32,
    /// Epochs that are still not counted.
    pub(crate) rest: u32,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            factor: 1.0,
            best: f64::INFINITY,
            bad: 0,
            rest: 0,
        }
    }
}

impl Watch {
    /// As a text, every bit kept, for checkpoints.
    pub(crate) fn to_text(self) -> String {
        let (factor, best) = (self.factor.to_bits(), self.best.to_bits());
        format!("{factor:x} {best:x} {} {}", self.bad, self.rest)
    }

    /// What [`Watch::to_text`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut bits = || {
            u64::from_str_radix(words.next()?, 16)
                .ok()
                .map(f64::from_bits)
        };
        let (factor, best) = (bits()?, bits()?);
        let mut count = || words.next()?.parse().ok();
        Some(Self {
            factor,
            best,
            bad: count()?,
            rest: count()?,
        })
    }

    /// Takes an epoch's validation loss into account. A loss that is no number is no improvement.
    pub(crate) fn observe(&mut self, plateau: &Plateau, loss: f64) {
        let bound = match plateau.absolute {
            true => self.best - plateau.threshold,
            false => self.best * (1.0 - plateau.threshold),
        };
        if loss < bound {
            (self.best, self.bad) = (loss, 0);
        } else {
            self.bad = self.bad.saturating_add(1);
        }
        if self.rest > 0 {
            (self.rest, self.bad) = (self.rest - 1, 0);
        }
        if self.bad > plateau.patience {
            let reduced = (self.factor * plateau.factor).max(plateau.floor);
            self.factor = reduced.min(self.factor);
            (self.rest, self.bad) = (plateau.cooldown, 0);
        }
    }
}
