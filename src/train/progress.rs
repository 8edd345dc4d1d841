//! The progress of a training on standard error: a bar where there is a terminal, otherwise a line
//! for every record of the history.

use std::io::IsTerminal;

use super::fit::Instant;
use crate::report::Epoch;

/// Shows how far a training is, or nothing.
pub(super) struct Progress {
    wanted: bool,
    total: u64,
    /// Steps that were taken when it began, and since when it runs.
    first: u64,
    begun: Instant,
    #[cfg(feature = "progress")]
    bar: Option<indicatif::ProgressBar>,
}

impl Progress {
    pub(super) fn new(wanted: bool, total: u64) -> Self {
        Self {
            wanted,
            total,
            first: 0,
            begun: Instant::now(),
            #[cfg(feature = "progress")]
            bar: bar(wanted, total),
        }
    }

    /// Begins behind steps that an earlier run took.
    pub(super) fn go_to(&mut self, steps: u64) {
        self.first = steps;
        #[cfg(feature = "progress")]
        if let Some(bar) = &self.bar {
            bar.set_position(steps);
            bar.reset_eta();
        }
    }

    pub(super) fn step(&mut self) {
        #[cfg(feature = "progress")]
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// Shows a record, with the images trained per second since the one before.
    pub(super) fn record(&mut self, record: &Epoch, images_per_second: f64) {
        if !self.wanted {
            return;
        }
        let figures = figures(record, images_per_second);
        #[cfg(feature = "progress")]
        if let Some(bar) = &self.bar {
            bar.set_message(figures.clone());
        }
        if self.has_bar() {
            return;
        }
        let steps = record.step.saturating_sub(self.first).max(1) as f64;
        let left = self.total.saturating_sub(record.step) as f64;
        let left = self.begun.elapsed().as_secs_f64() / steps * left;
        let (epoch, step, total) = (record.epoch, record.step, self.total);
        eprintln!("epoch {epoch}, step {step}/{total}: {figures}, {left:.0} s left");
    }

    fn has_bar(&self) -> bool {
        cfg!(feature = "progress") && std::io::stderr().is_terminal()
    }
}

fn figures(record: &Epoch, images_per_second: f64) -> String {
    let test = record
        .test_loss
        .map_or(String::new(), |loss| format!(", test loss {loss:.4}"));
    let accuracy = record
        .test_accuracy
        .map_or(String::new(), |a| format!(", accuracy {:.2} %", 100.0 * a));
    let loss = record.train_loss;
    format!("loss {loss:.4}{test}{accuracy}, {images_per_second:.0} images/s")
}

/// indicatif itself draws nothing where there is no terminal.
#[cfg(feature = "progress")]
fn bar(wanted: bool, total: u64) -> Option<indicatif::ProgressBar> {
    use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

    wanted.then(|| {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        let template = "{bar:30.cyan/blue} step {pos}/{len}  {eta} left  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar
    })
}

#[cfg(feature = "progress")]
impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_in_words() {
        let record = Epoch {
            train_loss: 0.25,
            test_loss: Some(0.5),
            test_accuracy: Some(0.75),
            ..Epoch::default()
        };
        let expected = "loss 0.2500, test loss 0.5000, accuracy 75.00 %, 1235 images/s";
        assert_eq!(figures(&record, 1234.6), expected);
        let bare = Epoch {
            test_loss: None,
            test_accuracy: None,
            ..record
        };
        assert_eq!(figures(&bare, 0.0), "loss 0.2500, 0 images/s");
    }
}
