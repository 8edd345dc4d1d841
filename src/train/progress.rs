//! The progress of a training on standard error: a bar where there is a terminal, otherwise a line
//! for every record of the history, and now and then one between them.

use std::io::IsTerminal;
use std::time::Duration;

use super::fit::Instant;
use crate::report::Epoch;

/// Between two looks at the running loss, for the bar and for lines.
const BAR: Duration = Duration::from_millis(200);
const LINES: Duration = Duration::from_secs(30);

/// Shows how far a training is, or nothing.
pub(super) struct Progress {
    wanted: bool,
    total: u64,
    /// Steps that were taken when it began, and since when it runs.
    first: u64,
    begun: Instant,
    /// When it last showed something.
    shown: Instant,
    /// The last validation in words.
    validation: String,
    terminal: bool,
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
            shown: Instant::now(),
            validation: String::new(),
            terminal: std::io::stderr().is_terminal(),
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

    /// Whether it is time to show the running loss.
    pub(super) fn is_due(&self) -> bool {
        let pause = if self.has_bar() { BAR } else { LINES };
        self.wanted && self.shown.elapsed() >= pause
    }

    /// Shows the mean loss of an epoch so far.
    pub(super) fn update(&mut self, epoch: u32, step: u64, loss: f64, images_per_second: f64) {
        // A line stands beside that of the validation; a bar has only itself.
        let validation = if self.has_bar() {
            &*self.validation
        } else {
            ""
        };
        let figures = figures(loss, validation, images_per_second);
        self.show(epoch, step, &figures);
    }

    /// Shows a record.
    pub(super) fn record(&mut self, record: &Epoch) {
        self.validation = validation(record);
        let loss = record.train_loss;
        let figures = figures(loss, &self.validation, record.images_per_second);
        self.show(record.epoch, record.step, &figures);
    }

    fn show(&mut self, epoch: u32, step: u64, figures: &str) {
        if !self.wanted {
            return;
        }
        self.shown = Instant::now();
        #[cfg(feature = "progress")]
        if let Some(bar) = &self.bar {
            bar.set_message(format!("epoch {epoch}: {figures}"));
        }
        if self.has_bar() {
            return;
        }
        let steps = step.saturating_sub(self.first).max(1) as f64;
        let left = self.total.saturating_sub(step) as f64;
        let left = self.begun.elapsed().as_secs_f64() / steps * left;
        let total = self.total;
        eprintln!("epoch {epoch}, step {step}/{total}: {figures}, {left:.0} s left");
    }

    fn has_bar(&self) -> bool {
        cfg!(feature = "progress") && self.terminal
    }
}

fn figures(loss: f64, validation: &str, images_per_second: f64) -> String {
    format!("loss {loss:.4}{validation}, {images_per_second:.0} images/s")
}

fn validation(record: &Epoch) -> String {
    let loss = record.test_loss;
    let loss = loss.map_or(String::new(), |loss| format!(", test loss {loss:.4}"));
    let accuracy = record.test_accuracy;
    let accuracy = accuracy.map_or(String::new(), |a| format!(", accuracy {:.2} %", 100.0 * a));
    loss + &accuracy
}

/// indicatif itself draws nothing where there is no terminal. Two lines, so that 80 columns hold all;
/// what is wider is cut off.
#[cfg(feature = "progress")]
fn bar(wanted: bool, total: u64) -> Option<indicatif::ProgressBar> {
    use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

    let left = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let left = state.eta();
        // Nothing is known yet of a training that has just begun.
        if !left.is_zero() {
            let _ = write!(out, ", {:#} left", HumanDuration(left));
        }
    };
    wanted.then(|| {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        let template = "{bar:30.cyan/blue} step {pos}/{len}{left}\n{wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("left", left));
        }
        bar.set_message("the first step compiles the kernels");
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
        let words = |record: &Epoch, speed| figures(record.train_loss, &validation(record), speed);
        assert_eq!(words(&record, 1234.6), expected);
        let bare = Epoch {
            test_loss: None,
            test_accuracy: None,
            ..record
        };
        assert_eq!(words(&bare, 0.0), "loss 0.2500, 0 images/s");
    }
}
