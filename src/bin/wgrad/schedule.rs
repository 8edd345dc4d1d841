//! Learning-rate schedules in one word.

use std::fmt;
use std::str::FromStr;

use wgrad::train::Trainer;
use wgrad::train::schedule::{self, OneCycle, Plateau};

use crate::failure::Failure;
use crate::settings::Settings;

/// The factor at the first step of a warm-up.
const COLD: f64 = 0.1;

/// How the learning rate changes over a training.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Schedule {
    #[default]
    Constant,
    /// Down to this fraction at the last step.
    Cosine(f64),
    /// After every so many epochs, by this factor.
    Step(u32, f64),
    /// By this factor every epoch, a little at every step.
    Exponential(f64),
    OneCycle,
    /// A tenth after so many epochs without improvement.
    Plateau(u32),
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let words: Vec<&str> = word.split(':').collect();
        Ok(match words[..] {
            ["constant"] => Self::Constant,
            ["cosine"] => Self::Cosine(0.0),
            ["cosine", floor] => Self::Cosine(fraction(floor)?),
            ["step", every] => Self::Step(epochs(every)?, 0.1),
            ["step", every, factor] => Self::Step(epochs(every)?, fraction(factor)?),
            ["exponential", factor] => Self::Exponential(fraction(factor)?),
            ["one-cycle"] => Self::OneCycle,
            ["plateau"] => Self::Plateau(3),
            ["plateau", patience] => Self::Plateau(epochs(patience)?),
            _ => {
                return Err(
                    "there are: constant, cosine[:FLOOR], step:EPOCHS[:FACTOR], \
                     exponential:FACTOR, one-cycle, plateau[:EPOCHS]"
                        .to_owned(),
                );
            }
        })
    }
}

fn epochs(word: &str) -> Result<u32, String> {
    let epochs = word.parse().ok().filter(|epochs| *epochs > 0);
    epochs.ok_or_else(|| format!("`{word}` is no number of epochs above 0"))
}

fn fraction(word: &str) -> Result<f64, String> {
    let fraction = word.parse().ok();
    let fraction = fraction.filter(|fraction| (0.0..=1.0).contains(fraction));
    fraction.ok_or_else(|| format!("`{word}` is no number from 0 to 1"))
}

/// The word.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant => write!(f, "constant"),
            Self::Cosine(floor) => write!(f, "cosine:{floor}"),
            Self::Step(epochs, factor) => write!(f, "step:{epochs}:{factor}"),
            Self::Exponential(factor) => write!(f, "exponential:{factor}"),
            Self::OneCycle => write!(f, "one-cycle"),
            Self::Plateau(patience) => write!(f, "plateau:{patience}"),
        }
    }
}

/// A factor on the learning rate by step.
type Factor = Box<dyn Fn(u64) -> f64 + Send + Sync>;

impl Schedule {
    /// Has a trainer follow the schedule behind the warm-up, in epochs of so many steps.
    pub fn apply(
        self,
        trainer: Trainer,
        settings: &Settings,
        steps_per_epoch: u64,
    ) -> Result<Trainer, Failure> {
        let total = u64::from(settings.epochs) * steps_per_epoch;
        let warm_up = (settings.warm_up * steps_per_epoch as f64).round() as u64;
        if warm_up > 0 && self == Self::OneCycle {
            return Err("one-cycle has a warm-up of its own; leave --warm-up away"
                .to_owned()
                .into());
        }
        let trainer = match self {
            Self::Plateau(patience) => trainer.reduce_on_plateau(Plateau::new().patience(patience)),
            _ => trainer,
        };
        let factor = self.factor(total.saturating_sub(warm_up), steps_per_epoch);
        Ok(trainer.schedule(schedule::warm_up(warm_up, COLD, factor)))
    }

    /// Over so many steps.
    fn factor(self, steps: u64, steps_per_epoch: u64) -> Factor {
        match self {
            Self::Constant | Self::Plateau(_) => Box::new(schedule::constant(1.0)),
            Self::Cosine(floor) => Box::new(schedule::cosine(steps, floor)),
            Self::Step(epochs, factor) => {
                Box::new(schedule::step(u64::from(epochs) * steps_per_epoch, factor))
            }
            Self::Exponential(factor) => Box::new(schedule::exponential(
                factor.powf(1.0 / steps_per_epoch as f64),
            )),
            Self::OneCycle => Box::new(schedule::one_cycle(steps, OneCycle::default())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for word in [
            "constant",
            "cosine:0.01",
            "step:30:0.2",
            "exponential:0.9",
            "one-cycle",
            "plateau:5",
        ] {
            assert_eq!(word.parse::<Schedule>().unwrap().to_string(), word);
        }
        let of = |word: &str| word.parse::<Schedule>();
        assert_eq!(of("cosine"), Ok(Schedule::Cosine(0.0)));
        assert_eq!(of("step:2"), Ok(Schedule::Step(2, 0.1)));
        for word in [
            "",
            "cosine:2",
            "step",
            "step:0",
            "step:1:x",
            "exponential",
            "plateau:-1",
        ] {
            assert!(of(word).is_err(), "{word}");
        }
    }

    #[test]
    fn factors_count_in_epochs() {
        // Four epochs of ten steps.
        let at = |word: &str, step| word.parse::<Schedule>().unwrap().factor(40, 10)(step);
        let close = |found: f64, expected: f64| assert!((found - expected).abs() <= 1e-12);
        close(at("cosine:0.2", 20), 0.6);
        close(at("cosine:0.2", 40), 0.2);
        close(at("step:2", 19), 1.0);
        close(at("step:2", 20), 0.1);
        close(at("exponential:0.5", 30), 0.125);
        close(at("one-cycle", 11), 1.0);
        close(at("plateau", 33), 1.0);
    }
}
