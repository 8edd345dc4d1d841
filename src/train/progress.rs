//! A progress bar where there is a terminal.

use crate::report::Epoch;

/// Shows the progress of a training on standard error, or nothing.
pub(super) struct Progress {
    #[cfg(feature = "progress")]
    bar: Option<indicatif::ProgressBar>,
}

#[cfg(feature = "progress")]
impl Progress {
    pub(super) fn new(wanted: bool, epochs: u32, steps: usize) -> Self {
        use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
        // indicatif itself draws nothing where there is no terminal.
        let bar = wanted.then(|| {
            let total = u64::from(epochs) * steps as u64;
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            let template = "{bar:40.cyan/blue} step {pos}/{len}  {per_sec}  {eta} left  {msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        Self { bar }
    }

    pub(super) fn step(&mut self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    pub(super) fn epoch(&mut self, epoch: &Epoch) {
        if let Some(bar) = &self.bar {
            let accuracy = epoch.test_accuracy.map_or(String::new(), |a| {
                format!(", test accuracy {:.2} %", 100.0 * a)
            });
            bar.set_message(format!("loss {:.4}{accuracy}", epoch.train_loss));
        }
    }

    pub(super) fn finish(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(not(feature = "progress"))]
impl Progress {
    pub(super) fn new(_: bool, _: u32, _: usize) -> Self {
        Self {}
    }

    pub(super) fn step(&mut self) {}

    pub(super) fn epoch(&mut self, _: &Epoch) {}

    pub(super) fn finish(&mut self) {}
}
