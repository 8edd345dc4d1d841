//! How long training steps take, without what lies between them.

pub(in crate::train) use crate::run::Instant;

/// Some steps and the time they took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    pub(super) seconds: f64,
    pub(super) steps: u64,
}

impl Span {
    fn add(&mut self, more: Self) {
        self.seconds += more.seconds;
        self.steps += more.steps;
    }
}

/// Adds up the time of steps, from one record of the history to the next.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Since when it runs, and the steps that had been taken then.
    running: Option<(Instant, u64)>,
    /// Since the last record.
    lap: Span,
    /// Up to the first record: it compiles kernels, and counts only if there is no other.
    first: Option<Span>,
    others: Span,
}

impl Clock {
    /// Before a step, after so many.
    pub(super) fn start(&mut self, steps: u64) {
        self.running.get_or_insert_with(|| (Instant::now(), steps));
    }

    /// When the device has computed so many steps.
    pub(super) fn pause(&mut self, steps: u64) {
        if let Some((since, before)) = self.running.take() {
            self.lap.add(Span {
                seconds: since.elapsed().as_secs_f64(),
                steps: steps - before,
            });
        }
    }

    /// The steps since the last record so far, of which the device has computed so many in all.
    pub(super) fn lap(&self, steps: u64) -> Span {
        let mut lap = self.lap;
        if let Some((since, before)) = self.running {
            lap.add(Span {
                seconds: since.elapsed().as_secs_f64(),
                steps: steps.saturating_sub(before),
            });
        }
        lap
    }

    /// The steps since the last record. The clock is paused.
    pub(super) fn take_lap(&mut self) -> Span {
        let lap = std::mem::take(&mut self.lap);
        match self.first {
            None => self.first = Some(lap),
            Some(_) => self.others.add(lap),
        }
        lap
    }

    /// Seconds per step on average; 0 without any.
    pub(super) fn step_seconds(&self) -> f64 {
        let mut span = self.others;
        if span.steps == 0 {
            span = self.first.unwrap_or_default();
            span.add(self.lap);
        }
        span.seconds / span.steps.max(1) as f64
    }
}
