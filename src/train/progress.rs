//! A progress bar where there is a terminal.

use crate::report::Epoch;

/// Shows the progress of a training on standard error, or nothing.
pub(super) struct Progress {
    #[cfg(feature = "progress")]
    bar: Option<indicatif::ProgressBar>,
}

#[cfg(feature = "progress")]
impl Progress {
    pub(super) fn new(wanted: bool, total: u64) -> Self {
        use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
        // indicatif itself draws nothing where there is no terminal.
        let bar = wanted.then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            let template = "{bar:40.cyan/blue} step {pos}/{len}  {per_sec}  {eta} left  {msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        Self { bar }
    }

    pub(super) fn go_to(&mut self, steps: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(steps);
        }
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
}

#[cfg(feature = "progress")]
impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(not(feature = "progress"))]
impl Progress {
    pub(super) fn new(_: bool, _: u64) -> Self {
        Self {}
    }

    pub(super) fn go_to(&mut self, _: u64) {}

    pub(super) fn step(&mut self) {}

    pub(super) fn epoch(&mut self, _: &Epoch) {}
}
