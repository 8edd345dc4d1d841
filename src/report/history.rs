//! The figures of each epoch, the loss of each step, and how PReLU slopes move.

use std::fmt;

use super::slopes::LayerSlopes;

/// What is known at the end of one epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Epoch {
    /// The epoch's number, from 1.
    pub epoch: u32,
    /// Optimiser steps since the start of training.
    pub step: u64,
    /// Mean loss over the epoch's batches, taken as they were trained on.
    pub train_loss: f64,
    /// Mean loss on the test set after the epoch, if there is one.
    pub test_loss: Option<f64>,
    /// Share of the test set that is classified correctly, 0 to 1; none in a regression.
    pub test_accuracy: Option<f64>,
    /// Learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Time the epoch took, in seconds, testing included.
    pub seconds: f64,
    /// Images, or other samples, that its steps trained per second, testing left out.
    pub images_per_second: f64,
}

/// The loss of one optimiser step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepLoss {
    /// The step's number, from 1.
    pub step: u64,
    /// The mean loss over its batch, before the step.
    pub loss: f32,
}

/// The epochs of one run, in order. Prints as a table.
///
/// Beside them it holds the loss of every step and, of a network with PReLUs, the slopes after
/// every epoch, where the training recorded them.
///
/// ```
/// # use wgrad::report::{Epoch, History};
/// let history: History = [Epoch {
///     epoch: 1,
///     step: 23,
///     train_loss: 1.5213,
///     test_loss: Some(0.6042),
///     test_accuracy: Some(0.8914),
///     learning_rate: 0.05,
///     seconds: 0.42,
///     images_per_second: 4321.0,
/// }]
/// .into_iter()
/// .collect();
/// assert_eq!(
///     history.to_string(),
///     "epoch      step  train loss   test loss  accuracy  learning rate   seconds  images/s\n\
///      \x20   1        23      1.5213      0.6042   89.14 %           0.05      0.42      4321\n"
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    epochs: Vec<Epoch>,
    losses: Vec<StepLoss>,
    slopes: Vec<LayerSlopes>,
}

impl History {
    /// Adds an epoch.
    pub fn push(&mut self, epoch: Epoch) {
        self.epochs.push(epoch);
    }

    /// Adds the losses of consecutive steps, of which `last_step` is the last one's number.
    ///
    /// ```
    /// # use wgrad::report::History;
    /// let mut history = History::default();
    /// history.push_losses(12, &[0.5, 0.25]);
    /// let steps: Vec<u64> = history.losses().iter().map(|step| step.step).collect();
    /// assert_eq!(steps, [11, 12]);
    /// ```
    pub fn push_losses(&mut self, last_step: u64, losses: &[f32]) {
        let first = last_step
            .saturating_sub(losses.len() as u64)
            .saturating_add(1);
        let numbered = (first..).zip(losses);
        let steps = numbered.map(|(step, &loss)| StepLoss { step, loss });
        self.losses.extend(steps);
    }

    /// Adds the PReLU slopes of a layer.
    pub fn push_slopes(&mut self, slopes: LayerSlopes) {
        self.slopes.push(slopes);
    }

    /// The losses of the steps, in the order they were added.
    #[must_use]
    pub fn losses(&self) -> &[StepLoss] {
        &self.losses
    }

    /// The PReLU slopes, in the order they were added: by epoch, then by layer.
    #[must_use]
    pub fn slopes(&self) -> &[LayerSlopes] {
        &self.slopes
    }

    /// All epochs, in the order they were added.
    #[must_use]
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// The last epoch.
    #[must_use]
    pub fn last(&self) -> Option<&Epoch> {
        self.epochs.last()
    }

    /// The epoch of the highest test accuracy or, where there is none, of the lowest test loss;
    /// the first of equals.
    #[must_use]
    pub fn best(&self) -> Option<&Epoch> {
        let highest = |score: fn(&Epoch) -> Option<f64>| {
            let scored = self
                .epochs
                .iter()
                .filter_map(|epoch| Some((epoch, score(epoch)?)));
            // `max_by` would keep the last of equals.
            scored
                .filter(|(_, score)| !score.is_nan())
                .reduce(|best, next| if next.1 > best.1 { next } else { best })
        };
        let found = highest(|epoch| epoch.test_accuracy)
            .or_else(|| highest(|epoch| epoch.test_loss.map(|loss| -loss)));
        found.map(|(epoch, _)| epoch)
    }

    /// Time of all epochs together, in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }
}

impl FromIterator<Epoch> for History {
    fn from_iter<I: IntoIterator<Item = Epoch>>(epochs: I) -> Self {
        Self {
            epochs: epochs.into_iter().collect(),
            ..Self::default()
        }
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "epoch      step  train loss   test loss  accuracy  learning rate   seconds  images/s"
        )?;
        self.epochs
            .iter()
            .try_for_each(|epoch| writeln!(f, "{epoch}"))
    }
}

/// One row of the table, without the heading.
impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        write!(
            f,
            "{:>5}  {:>8}  {:>10}  {:>10}  {:>8}  {:>13}  {:>8.2}  {:>8.0}",
            self.epoch,
            self.step,
            loss(self.train_loss),
            or_dash(self.test_loss.map(loss)),
            or_dash(
                self.test_accuracy
                    .map(|share| format!("{:.2} %", 100.0 * share))
            ),
            significant(self.learning_rate),
            self.seconds,
            self.images_per_second,
        )
    }
}

/// Four decimals, or an exponent where they would show nothing or too much.
pub(super) fn loss(value: f64) -> String {
    if value == 0.0 || !value.is_finite() || (0.001..10_000.0).contains(&value.abs()) {
        format!("{value:.4}")
    } else {
        format!("{value:.3e}")
    }
}

/// Four significant digits without trailing zeros.
pub(super) fn significant(value: f64) -> String {
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    if rounded == 0.0 || (1e-5..1e6).contains(&rounded.abs()) {
        rounded.to_string()
    } else {
        format!("{rounded:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_as_wide_as_the_heading() {
        let full = Epoch {
            epoch: 12,
            step: 123_456,
            train_loss: 0.000_123,
            test_loss: Some(1e6),
            test_accuracy: Some(1.0),
            learning_rate: 0.000_1 / 3.0,
            seconds: 3661.5,
            images_per_second: 12.4,
        };
        let bare = Epoch {
            test_loss: None,
            test_accuracy: None,
            train_loss: f64::NAN,
            ..full
        };
        let history: History = [full, bare].into_iter().collect();
        let expected = "\
epoch      step  train loss   test loss  accuracy  learning rate   seconds  images/s
   12    123456    1.230e-4     1.000e6  100.00 %     0.00003333   3661.50        12
   12    123456         NaN           -         -     0.00003333   3661.50        12
";
        assert_eq!(history.to_string(), expected);
        assert_eq!(history.seconds(), 7323.0);
    }

    #[test]
    fn learning_rates_are_short() {
        let cases = [
            (0.1, "0.1"),
            (0.05, "0.05"),
            (1.0 / 3.0, "0.3333"),
            (2.5e-9, "2.5e-9"),
            (0.0, "0"),
        ];
        for (value, expected) in cases {
            assert_eq!(significant(value), expected);
        }
    }

    #[test]
    fn best_prefers_accuracy_then_loss_and_the_first_of_equals() {
        let epoch = |epoch, test_loss, test_accuracy| Epoch {
            epoch,
            test_loss,
            test_accuracy,
            ..Epoch::default()
        };
        let best = |epochs: &[Epoch]| {
            epochs
                .iter()
                .copied()
                .collect::<History>()
                .best()
                .map(|e| e.epoch)
        };
        assert_eq!(best(&[]), None);
        assert_eq!(best(&[epoch(1, None, None)]), None);
        let classified = [
            epoch(1, Some(0.1), Some(0.5)),
            epoch(2, Some(0.9), Some(0.9)),
            epoch(3, None, Some(0.9)),
        ];
        assert_eq!(best(&classified), Some(2));
        let regression = [
            epoch(1, Some(f64::NAN), None),
            epoch(2, Some(0.2), None),
            epoch(3, Some(0.3), None),
        ];
        assert_eq!(best(&regression), Some(2));
    }
}
