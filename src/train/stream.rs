//! Data sets that are too large for the device, brought to it window by window.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::samples::Window;
use crate::data::{DataError, Dataset};
use crate::random::Seed;

/// Bytes of a window, where more than one step fits into as many. Large enough that what a window
/// costs beside its bytes is lost among its steps.
const WINDOW: u64 = 8 << 20;

/// The samples of a training, epoch by epoch.
#[derive(Clone, Debug)]
pub(super) struct Epochs {
    pub(super) data: Dataset,
    /// The seed of the orders, if they are random.
    pub(super) shuffle: Option<Seed>,
    pub(super) samples_per_step: usize,
}

impl Epochs {
    fn steps(&self) -> usize {
        self.data.len() / self.samples_per_step.max(1)
    }

    /// How many samples an epoch uses; those that fill no step are left out.
    pub(super) fn len(&self) -> usize {
        self.steps() * self.samples_per_step
    }

    /// The samples of an epoch.
    pub(super) fn order(&self, epoch: u32) -> Vec<u32> {
        let mut order = match self.shuffle {
            Some(seed) => self.data.order(seed, epoch),
            None => (0..self.data.len() as u32).collect(),
        };
        order.truncate(self.len());
        order
    }
}

/// Epochs that are cut into windows of whole steps.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    epochs: Epochs,
    /// Steps of a window, but for the last of an epoch, which may have fewer.
    steps: usize,
}

impl Cut {
    /// Cuts for a device that is to hold at most `limit` bytes of samples and answers at a time,
    /// but at least those of a step.
    pub(super) fn new(epochs: Epochs, limit: u64) -> Self {
        let step = epochs.samples_per_step as u64 * epochs.data.bytes_per_sample();
        let steps = limit.min(WINDOW) / step.max(1);
        Self {
            steps: (steps as usize).clamp(1, epochs.steps().max(1)),
            epochs,
        }
    }

    /// Samples of a window.
    pub(super) fn window_len(&self) -> usize {
        self.steps * self.epochs.samples_per_step
    }

    /// Where in its window each sample of an epoch lies.
    pub(super) fn places(&self) -> Vec<u32> {
        let in_window = |sample| (sample % self.window_len()) as u32;
        (0..self.epochs.len()).map(in_window).collect()
    }

    fn windows_per_epoch(&self) -> u64 {
        self.epochs.steps().div_ceil(self.steps).max(1) as u64
    }

    /// The window of a step, counted through all epochs.
    fn window_of(&self, step: u64) -> u64 {
        let per_epoch = self.epochs.steps().max(1) as u64;
        let (epoch, of_epoch) = (step / per_epoch, step % per_epoch);
        epoch * self.windows_per_epoch() + of_epoch / self.steps as u64
    }

    /// Gathers the samples of a window. `known` keeps the order of its epoch for the next one.
    fn gather(
        &self,
        window: u64,
        known: &mut Option<(u32, Vec<u32>)>,
    ) -> Result<Window, DataError> {
        let per_epoch = self.windows_per_epoch();
        let (epoch, of_epoch) = ((window / per_epoch) as u32, (window % per_epoch) as usize);
        if known.as_ref().is_none_or(|(of, _)| *of != epoch) {
            *known = Some((epoch, self.epochs.order(epoch)));
        }
        let order = known.as_ref().map_or(&[][..], |(_, order)| order);
        let samples = order.chunks(self.window_len().max(1)).nth(of_epoch);
        Window::gather(&self.epochs.data, samples.unwrap_or_default())
    }
}

/// The windows of a training in turn. While the device works on one, a thread gathers the next.
#[derive(Debug)]
pub(super) struct Stream {
    cut: Cut,
    /// The window on the device.
    held: Option<u64>,
    coming: Option<Coming>,
}

/// What the thread sends, of which the next is this window.
#[derive(Debug)]
struct Coming {
    window: u64,
    receiver: Receiver<Result<Window, DataError>>,
}

impl Stream {
    pub(super) fn new(cut: Cut) -> Self {
        Self {
            cut,
            held: None,
            coming: None,
        }
    }

    /// The window that a step needs; none if the device holds it. After an error the same step may
    /// be asked for again.
    pub(super) fn window_for(&mut self, step: u64) -> Result<Option<Window>, DataError> {
        let wanted = self.cut.window_of(step);
        if self.held == Some(wanted) {
            return Ok(None);
        }
        let window = self.receive(wanted)?;
        self.held = Some(wanted);
        Ok(Some(window))
    }

    fn receive(&mut self, wanted: u64) -> Result<Window, DataError> {
        let coming = self.coming.take().filter(|coming| coming.window == wanted);
        let coming = coming.or_else(|| self.gather_from(wanted));
        let received = coming.as_ref().map(|coming| coming.receiver.recv());
        match (received, coming) {
            (Some(Ok(gathered)), Some(mut coming)) => {
                coming.window += 1;
                // Behind an error nothing comes.
                self.coming = gathered.is_ok().then_some(coming);
                gathered
            }
            // There are no threads here, or a source of samples panicked in its own.
            _ => self.cut.gather(wanted, &mut None),
        }
    }

    /// Starts a thread that gathers one window after the other, each as soon as the one before it
    /// was taken. It ends when nobody takes them any more.
    fn gather_from(&self, first: u64) -> Option<Coming> {
        let (sender, receiver) = sync_channel(0);
        let cut = self.cut.clone();
        let work = move || {
            let mut order = None;
            for window in first.. {
                let gathered = cut.gather(window, &mut order);
                let failed = gathered.is_err();
                if sender.send(gathered).is_err() || failed {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("wgrad samples".to_owned());
        thread.spawn(work).ok()?;
        Some(Coming {
            window: first,
            receiver,
        })
    }
}
