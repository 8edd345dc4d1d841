//! A training as a file, and its continuation.

use std::path::Path;

use safetensors::tensor::Dtype;

use super::Training;
use super::restore::{Expected, Saved};
#[cfg(doc)]
use crate::checkpoint::CheckpointError;
use crate::checkpoint::{self, Container, Extra, Facts, TRAINING_PREFIX, Tensor};
use crate::data::Dataset;
use crate::error::Result;
use crate::graph::Role;
use crate::ops::training::{ACCUMULATED, AVERAGE_RATES, GRADIENT_NORMS, MIXING_BUFFER, RING};
use crate::random::STATE_BUFFER;
use crate::record::{Place, Range};
use crate::run::Memory;
use crate::train::identity::identify;
use crate::train::{Model, Trainer};
use crate::tune::{Key, Section};

/// What every step computes anew. All else that the kernels of a step keep in buffers of their
/// own is saved, so that an update rule's state is never forgotten.
const RECOMPUTED: [&str; 4] = ["gradients", "batch_statistics", ACCUMULATED, "norms"];

/// How convolutions and products were computed, and on which device.
const KERNELS: &str = "training/kernels";

/// What the host writes from the data set, the parameters and the position.
const WRITTEN: [&str; 9] = [
    "status",
    "schedule",
    AVERAGE_RATES,
    "losses",
    GRADIENT_NORMS,
    "factors",
    MIXING_BUFFER,
    "spans",
    "statistics_momentum",
];

impl Training<'_> {
    /// Saves all that is needed to go on: weights, running statistics, the update rule's state,
    /// the position in schedule and data. [`Trainer::resume`] continues from it, also in another
    /// process, and [`Model::load`] takes the weights from it.
    ///
    /// Waits for the device. The file is replaced whole or not at all, see [`checkpoint`].
    ///
    /// # Errors
    /// [`CheckpointError::DiskFull`], [`CheckpointError::Write`]; as [`Training::losses`] when a
    /// step before was not finite, which is never saved.
    ///
    /// [`CheckpointError::DiskFull`]: checkpoint::CheckpointError::DiskFull
    /// [`CheckpointError::Write`]: checkpoint::CheckpointError::Write
    pub fn save(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let bytes = pollster::block_on(self.to_checkpoint_async())?;
        Ok(checkpoint::replace(path.as_ref(), &bytes)?)
    }

    /// What [`Training::save`] writes, for those who keep it elsewhere than in a file.
    ///
    /// # Errors
    /// As [`Training::losses`].
    pub async fn to_checkpoint_async(&mut self) -> Result<Vec<u8>> {
        self.encode(Extra::default()).await
    }

    /// With more that goes into the file.
    pub(crate) async fn encode(&mut self, extra: Extra) -> Result<Vec<u8>> {
        self.read_losses().await?;
        let mut tensors = self.model.tensors().await?;
        for (name, len) in self.state() {
            let words = self.read_state(&name, len).await?;
            let dtype = match name == STATE_BUFFER {
                true => Dtype::U32,
                false => Dtype::F32,
            };
            let name = format!("{TRAINING_PREFIX}{name}");
            tensors.push(Tensor::words(&name, dtype, &words));
        }
        let kernels = Section::new(Key::new(self.model.device.description()), &self.choices);
        let kernels = kernels.to_json().to_string();
        tensors.push(Tensor::text(KERNELS, kernels));
        let mut facts = self.identity();
        let steps = self.steps_per_epoch() as u64;
        facts.set("step", self.step);
        facts.set("epoch", self.step / steps);
        facts.set("batch", self.step % steps);
        facts.set("plateau", self.watch.to_text());
        for (name, text) in extra.facts {
            facts.set(&name, text);
        }
        tensors.extend(extra.tensors);
        checkpoint::encode(&tensors, facts)
    }

    fn identity(&self) -> Facts {
        identify(&self.model.graph, self.trainer, self.data, self.batch)
    }

    /// Names and lengths of the buffers that carry something from one step to the next, beside
    /// parameters and running statistics.
    fn state(&self) -> Vec<(String, usize)> {
        let learned = [Role::Weight.arena(), Role::Statistic.arena()];
        let kept = self.recording.named.iter().filter(|(name, _)| {
            let name = name.as_str();
            let known = [&RECOMPUTED[..], &WRITTEN, &learned].concat();
            let constant = self.recording.data.contains_key(name);
            !known.contains(&name) && !name.starts_with("dataset.") && !constant
        });
        kept.map(|(name, &len)| (name.clone(), len)).collect()
    }

    /// The memory that holds a buffer; none for one of the program's own.
    fn shared(&self, name: &str) -> Option<&Memory> {
        let memories = [&self.memory, &self.model.memory];
        memories.into_iter().find(|m| m.get(name).is_some())
    }

    async fn read_state(&self, name: &str, len: usize) -> Result<Vec<u32>> {
        match self.shared(name) {
            Some(memory) => memory.read(&self.model.device, name, 0, len).await,
            None => self.program.read(&whole(name, len)).await,
        }
    }

    fn write_state(&self, name: &str, words: &[u32]) -> Result<()> {
        match self.shared(name) {
            Some(memory) => memory.write(&self.model.device, name, 0, words),
            None => self.program.write(&whole(name, words.len()), words),
        }
    }

    /// What a checkpoint holds of this training.
    pub(in crate::train) fn read_saved(&self, container: &Container<'_>) -> Result<Saved> {
        let expected = Expected {
            parameters: self.model.parameters(),
            identity: self.identity(),
            state: self.state(),
            micro_batches: self.trainer.micro_batches,
        };
        Saved::read(container, &expected)
    }

    /// Makes this training, which has not begun, the one that was saved.
    pub(in crate::train) async fn restore(
        &mut self,
        saved: Saved,
        container: &Container<'_>,
    ) -> Result<()> {
        self.restore_choices(container).await?;
        self.model.load_matched(&saved.weights)?;
        for (name, words) in &saved.state {
            self.write_state(name, words)?;
        }
        self.watch = saved.watch;
        self.go_to(saved.step)
    }

    /// Goes on with the kernels of the checkpoint, which are part of what makes the bits of the
    /// results; but not on another device, driver or version, where they would be others anyway.
    async fn restore_choices(&mut self, container: &Container<'_>) -> Result<()> {
        let saved = container.tensor(KERNELS);
        let saved = saved.and_then(|view| serde_json::from_slice(view.data()).ok());
        let Some(saved) = saved.and_then(|json| Section::from_json(&json).ok()) else {
            return Ok(());
        };
        let here = saved.key == Key::new(self.model.device.description());
        let choices = saved.choices();
        match here && choices != self.choices {
            true => self.rebind(choices).await,
            false => Ok(()),
        }
    }

    /// Sets the position in epochs and schedule; that on the device came with the state.
    fn go_to(&mut self, step: u64) -> Result<()> {
        let steps = self.steps_per_epoch() as u64;
        let half = (RING / 2) as u64;
        self.step = step;
        self.read = step;
        self.scheduled = step - step % half + half;
        self.write_schedule(step..self.scheduled)?;
        self.write_mixing(step..self.scheduled)?;
        let (epoch, batch) = ((step / steps) as u32, (step % steps) as u32);
        self.epoch = epoch;
        if batch > 0 {
            // Otherwise the next step writes the order of its epoch itself.
            self.write_order(epoch, batch, 0)?;
            self.epoch += 1;
        }
        Ok(())
    }
}

fn whole(name: &str, len: usize) -> Range {
    Range {
        place: Place::Named(name.to_owned()),
        offset: 0,
        len,
    }
}

impl Trainer {
    /// Continues a training that [`Training::save`] kept: on the same device and driver bit for
    /// bit as if it had not been interrupted, with the kernels that it had chosen. `model` is of the same network, `train` the same
    /// data, and the trainer has the same batch size, loss, seed and kind of rule; its learning
    /// rate and schedule may be others.
    ///
    /// ```no_run
    /// # use wgrad::{data::Dataset, train::{Model, Sgd, Trainer}};
    /// # fn f(model: &mut Model, data: &Dataset) -> wgrad::Result<()> {
    /// let trainer = Trainer::new(Sgd::new(0.1).momentum(0.9)).batch_size(32);
    /// let mut training = trainer.resume(model, data, "training.safetensors")?;
    /// while training.steps() < 1000 {
    ///     training.step()?;
    /// }
    /// training.save("training.safetensors")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`CheckpointError::Different`] and [`CheckpointError::Misfit`] when something is not the
    /// same, [`CheckpointError::NoTraining`] for a file of weights alone; then the model is as it
    /// was. Those of reading a file, as [`Model::load`]. As [`Trainer::start`].
    ///
    /// [`CheckpointError::Different`]: checkpoint::CheckpointError::Different
    /// [`CheckpointError::Misfit`]: checkpoint::CheckpointError::Misfit
    /// [`CheckpointError::NoTraining`]: checkpoint::CheckpointError::NoTraining
    pub fn resume<'a>(
        &'a self,
        model: &'a mut Model,
        train: &'a Dataset,
        path: impl AsRef<Path>,
    ) -> Result<Training<'a>> {
        let path = path.as_ref();
        let bytes = checkpoint::read(path)?;
        let container = Container::decode(&bytes, path.display().to_string())?;
        pollster::block_on(self.resume_container(model, train, &container))
    }

    /// As [`Trainer::resume`], from what [`Training::to_checkpoint_async`] gave.
    ///
    /// # Errors
    /// As [`Trainer::resume`].
    pub async fn resume_async<'a>(
        &'a self,
        model: &'a mut Model,
        train: &'a Dataset,
        bytes: &[u8],
    ) -> Result<Training<'a>> {
        let container = Container::decode(bytes, "the buffer".to_owned())?;
        self.resume_container(model, train, &container).await
    }

    async fn resume_container<'a>(
        &'a self,
        model: &'a mut Model,
        train: &'a Dataset,
        container: &Container<'_>,
    ) -> Result<Training<'a>> {
        let mut training = Training::new(self, model, train).await?;
        let saved = training.read_saved(container)?;
        training.restore(saved, container).await?;
        Ok(training)
    }
}
