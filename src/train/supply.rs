//! The samples of a training on their way to its steps: all of them on the device, or window by
//! window.

use super::samples::{Source, Window};
use super::stream::{Cut, Epochs, Stream};
use super::trainer::Trainer;
use crate::data::Dataset;
use crate::error::Result;
use crate::run::{Device, Memory};

/// Where the steps of a training find their samples.
#[derive(Debug)]
pub(super) struct Supply {
    pub(super) source: Source,
    epochs: Epochs,
    /// Where not all samples lie on the device: where each one of an epoch does, and whence they
    /// come.
    streamed: Option<(Vec<u32>, Stream)>,
}

impl Supply {
    /// Takes memory on the device, and fills it if that is done once for all.
    pub(super) async fn new(
        device: &Device,
        memory: &mut Memory,
        data: &Dataset,
        trainer: &Trainer,
        samples_per_step: usize,
    ) -> Result<Self> {
        let epochs = Epochs {
            data: data.clone(),
            shuffle: trainer.shuffle.then_some(trainer.seed),
            samples_per_step,
        };
        let limit = trainer
            .resident_limit
            .min(device.profile().max_binding_size);
        let fits = data.is_in_memory() && data.bytes() <= limit;
        let cut = (!fits).then(|| Cut::new(epochs.clone(), limit));
        let held = cut.as_ref().map_or(data.len(), Cut::window_len);
        let mut source = Source::create(device, memory, data, held, epochs.len()).await?;
        if fits {
            let all: Vec<u32> = (0..held as u32).collect();
            source.write(device, memory, &Window::gather(data, &all)?)?;
        }
        source.augment = trainer.augment;
        Ok(Self {
            source,
            epochs,
            streamed: cut.map(|cut| (cut.places(), Stream::new(cut))),
        })
    }

    /// Where on the device the samples of an epoch lie when their steps come.
    pub(super) fn order(&self, epoch: u32) -> Vec<u32> {
        match &self.streamed {
            Some((places, _)) => places.clone(),
            None => self.epochs.order(epoch),
        }
    }

    /// Sees to it that the device holds the samples of a step, behind all that was submitted.
    pub(super) fn bring(&mut self, device: &Device, memory: &Memory, step: u64) -> Result<()> {
        let Some((_, stream)) = &mut self.streamed else {
            return Ok(());
        };
        match stream.window_for(step)? {
            Some(window) => self.source.write(device, memory, &window),
            None => Ok(()),
        }
    }
}
