//! A training in progress: steps over a data set that lies on the device.

mod bound;
mod glimpse;
mod profile;
pub(super) mod restore;
mod saved;

use std::collections::VecDeque;
use std::ops::Range;

use self::bound::Parts;
use self::glimpse::Glimpse;
use super::diagnose::first_not_finite;
use super::mixing;
use super::model::Model;
use super::schedule::Watch;
use super::state;
use super::step::{StepGraph, commands_of_micro_batch};
use super::supply::Supply;
use super::trainer::Trainer;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::ops::choice::Choices;
use crate::ops::training::{AVERAGE_RATES, GRADIENT_NORMS, MIX_WORDS, MIXING_BUFFER, RING};
use crate::random::STATE_BUFFER;
use crate::record::Recording;
use crate::run::{Memory, Program, Submission};
use crate::tune::Tuning;

/// Norms that wait to be handed out; where nobody asks, the oldest are forgotten.
const NORMS_KEPT: usize = 1 << 16;

/// Submissions that may wait in the device's queue. More would only hold memory.
const IN_FLIGHT: usize = 8;

/// The loop of [`Trainer::fit`] taken apart, for training loops of one's own.
///
/// ```no_run
/// # use wgrad::{data::Dataset, train::{Model, Sgd, Trainer}};
/// # fn f(model: &mut Model, data: &Dataset) -> wgrad::Result<()> {
/// let trainer = Trainer::new(Sgd::new(0.1)).batch_size(32);
/// let mut training = trainer.start(model, data)?;
/// for _ in 0..100 {
///     training.step()?;
/// }
/// let losses = training.losses()?;
/// # Ok(()) }
/// ```
pub struct Training<'a> {
    model: &'a mut Model,
    data: &'a Dataset,
    trainer: &'a Trainer,
    supply: Supply,
    memory: Memory,
    program: Program,
    recording: Recording,
    /// How convolutions and products are computed.
    choices: Choices,
    tuning: Option<Tuning>,
    /// Commands of a micro-batch that is not a step's last.
    common: usize,
    batch: usize,
    /// Epochs begun.
    epoch: u32,
    /// Steps submitted.
    step: u64,
    /// Steps that the ring of learning rates knows, and whose losses were read.
    scheduled: u64,
    read: u64,
    losses: Vec<f32>,
    norms: VecDeque<f32>,
    watch: Watch,
    averaged: Option<Model>,
    in_flight: VecDeque<Submission>,
    glimpse: Option<Glimpse>,
}

impl std::fmt::Debug for Training<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Training")
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

impl<'a> Training<'a> {
    pub(super) async fn new(
        trainer: &'a Trainer,
        model: &'a mut Model,
        data: &'a Dataset,
    ) -> Result<Self> {
        model.check_data(data, &trainer.loss)?;
        trainer.check()?;
        trainer.mixing.check(data.shape())?;
        trainer.augment.check(data).map_err(Error::Invalid)?;
        let group = trainer.micro_batches;
        if data.len() < group {
            return Err(Error::Invalid(format!(
                "a step of {group} micro-batches needs as many samples, the data set has {}",
                data.len()
            )));
        }
        model.set_loss(&trainer.loss);
        let batch = trainer.batch_size.min(data.len() / group);
        let mut memory = Memory::default();
        let supply = Supply::new(&model.device, &mut memory, data, trainer, batch * group).await?;
        state::upload(model, &mut memory, trainer).await?;
        let averaged = match trainer.average {
            Some(_) => Some(model.duplicate().await?),
            None => None,
        };
        if let Some(averaged) = &averaged {
            memory.share("average.parameters", &averaged.memory, "parameters");
            memory.share("average.statistics", &averaged.memory, "statistics");
        }
        let parts = Parts {
            model,
            trainer,
            source: &supply.source,
            memory: &memory,
            batch,
        };
        let (step, tuning) = parts.tune_and_bind().await?;
        Ok(Self {
            model,
            data,
            trainer,
            supply,
            memory,
            program: step.program,
            common: commands_of_micro_batch(&step.recording),
            recording: step.recording,
            choices: step.choices,
            tuning,
            batch,
            epoch: 0,
            step: 0,
            scheduled: 0,
            read: 0,
            losses: Vec::new(),
            norms: VecDeque::new(),
            watch: Watch::default(),
            averaged,
            in_flight: VecDeque::new(),
            glimpse: None,
        })
    }

    /// Steps of an epoch; samples that fill no step are left for the next epoch's order.
    pub fn steps_per_epoch(&self) -> usize {
        self.data.len() / (self.batch * self.trainer.micro_batches)
    }

    /// Samples that a step computes, those of all its micro-batches.
    pub fn samples_per_step(&self) -> usize {
        self.batch * self.trainer.micro_batches
    }

    /// Steps submitted so far.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// The model under training.
    pub fn model(&self) -> &Model {
        self.model
    }

    /// The average of the weights so far, if the trainer keeps one; it follows every step.
    pub fn averaged(&self) -> Option<&Model> {
        self.averaged.as_ref()
    }

    /// Puts the average of the weights, if the trainer keeps one, in the place of the weights and
    /// running statistics themselves. Further steps begin there.
    pub fn adopt_average(&mut self) {
        if let Some(averaged) = &self.averaged {
            let memory = &self.model.memory;
            memory.copy_from(&self.model.device, &averaged.memory);
        }
    }

    /// How the step's convolutions and products are computed. Checkpoints hold this.
    pub fn choices(&self) -> &Choices {
        &self.choices
    }

    /// What [`Trainer::tune`] found out when the training started.
    pub fn tuning(&self) -> Option<&Tuning> {
        self.tuning.as_ref()
    }

    /// The dispatches of a step, the update included; its `Display` is a table.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// Submits one step: fetch the next batch, forward, backward, update; with several
    /// micro-batches each is a submission. Waits only while too many are queued.
    ///
    /// # Errors
    /// [`Error::NonFinite`] for an earlier step, when its loss is read; [`Error::DeviceLost`].
    pub fn step(&mut self) -> Result<()> {
        pollster::block_on(self.step_async())
    }

    /// The asynchronous form of [`Training::step`].
    ///
    /// # Errors
    /// As [`Training::step`].
    pub async fn step_async(&mut self) -> Result<()> {
        self.prepare_step()?;
        self.submit_first_micro_batches()?;
        self.submit(self.recording.commands.len())?;
        self.step += 1;
        self.read_when_due().await
    }

    /// All micro-batches of a step but the last.
    fn submit_first_micro_batches(&mut self) -> Result<()> {
        (1..self.trainer.micro_batches).try_for_each(|_| self.submit(self.common))
    }

    fn submit(&mut self, commands: usize) -> Result<()> {
        self.in_flight.push_back(self.program.run_first(commands)?);
        if self.in_flight.len() > IN_FLIGHT
            && let Some(oldest) = self.in_flight.pop_front()
        {
            oldest.wait(&self.model.device)?;
        }
        Ok(())
    }

    /// Reads the losses before their ring is full.
    async fn read_when_due(&mut self) -> Result<()> {
        match self.step - self.read >= (RING / 2) as u64 {
            true => self.read_losses().await,
            false => Ok(()),
        }
    }

    /// The losses of the steps since the last call, in order. Waits for the device.
    ///
    /// # Errors
    /// [`Error::NonFinite`] if a loss, gradient or batch statistic was not finite. Parameters and
    /// running statistics are then those after the last good step, and no further step changes
    /// them: the same error comes again. [`Training::unread_losses`] has the losses before it.
    pub fn losses(&mut self) -> Result<Vec<f32>> {
        pollster::block_on(self.losses_async())
    }

    /// The asynchronous form of [`Training::losses`].
    ///
    /// # Errors
    /// As [`Training::losses`].
    pub async fn losses_async(&mut self) -> Result<Vec<f32>> {
        self.read_losses().await?;
        Ok(self.take_losses())
    }

    /// The norms of the gradients of the steps since the last call, in order, of the last 65,536 at
    /// most: over all trained parameters, before [`Trainer::clip_norm`] and after
    /// [`Trainer::clip_value`]. None where the trainer does not clip by norm. Waits for the device.
    ///
    /// # Errors
    /// As [`Training::losses`].
    pub fn gradient_norms(&mut self) -> Result<Vec<f32>> {
        pollster::block_on(self.gradient_norms_async())
    }

    /// The asynchronous form of [`Training::gradient_norms`].
    ///
    /// # Errors
    /// As [`Training::losses`].
    pub async fn gradient_norms_async(&mut self) -> Result<Vec<f32>> {
        self.read_losses().await?;
        Ok(std::mem::take(&mut self.norms).into())
    }

    /// The losses that were fetched from the device but not yet handed out. After an error these
    /// are the losses of the good steps before it.
    pub fn unread_losses(&self) -> &[f32] {
        &self.losses
    }

    /// Hands out the losses that were fetched.
    pub(super) fn take_losses(&mut self) -> Vec<f32> {
        std::mem::take(&mut self.losses)
    }

    /// Steps that are known to be good, since their losses were read.
    pub(super) fn good_steps(&self) -> u64 {
        self.read
    }

    /// The learning rate of a step: the rule's, by the schedule and by what
    /// [`Training::observe`] has left of it so far.
    pub fn learning_rate(&self, step: u64) -> f64 {
        self.trainer.rule.learning_rate() * (self.trainer.schedule)(step) * self.watch.factor
    }

    /// Takes the validation loss of an epoch into account, if the trainer reduces the learning
    /// rate on a plateau. The coming steps follow.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] and others of the device.
    pub fn observe(&mut self, validation_loss: f64) -> Result<()> {
        let Some(plateau) = &self.trainer.plateau else {
            return Ok(());
        };
        let before = self.watch.factor;
        self.watch.observe(plateau, validation_loss);
        match self.watch.factor == before {
            true => Ok(()),
            false => self.write_schedule(self.step..self.scheduled),
        }
    }

    /// What the host writes before a step: at the start of an epoch its order, now and then
    /// learning rates. Nothing is written twice if no step follows.
    fn prepare_step(&mut self) -> Result<()> {
        if self.step == u64::from(self.epoch) * self.steps_per_epoch() as u64 {
            self.write_order(self.epoch, 0, 0)?;
            self.epoch += 1;
        }
        if self.step == self.scheduled {
            self.scheduled += (RING / 2) as u64;
            self.write_schedule(self.step..self.scheduled)?;
            self.write_mixing(self.step..self.scheduled)?;
        }
        let device = &self.model.device;
        self.supply.bring(device, &self.memory, self.step)?;
        let rate = self.learning_rate(self.step);
        if !rate.is_finite() {
            let step = self.step;
            let reason = format!("the learning rate of step {step} is {rate}");
            return Err(Error::Invalid(reason));
        }
        Ok(())
    }

    /// Makes a micro-batch of a step of an epoch the next one that the device fetches.
    fn write_order(&self, epoch: u32, step: u32, micro_batch: u32) -> Result<()> {
        let device = &self.model.device;
        let order = self.supply.order(epoch);
        self.memory.write(device, "dataset.order", 0, &order)?;
        // The second word counts the micro-batches of the epoch.
        let count = step * self.trainer.micro_batches as u32 + micro_batch;
        self.memory.write(device, STATE_BUFFER, 1, &[count])
    }

    /// Writes the learning rates of coming steps, and the rates at which averages move, into their
    /// rings. The steps lie in one half of them.
    fn write_schedule(&self, steps: Range<u64>) -> Result<()> {
        let (device, first) = (&self.model.device, (steps.start % RING as u64) as usize);
        let entries: Vec<f32> = steps
            .clone()
            .flat_map(|step| {
                let [a, b, c] = self.trainer.rule.coefficients(step);
                [self.learning_rate(step), a, b, c].map(|x| x as f32)
            })
            .collect();
        self.memory.write(device, "schedule", 4 * first, &entries)?;
        let Some(decay) = self.trainer.average else {
            return Ok(());
        };
        let rate = |step: u64| (1.0 - decay) / (1.0 - decay.powf(step as f64 + 1.0));
        let rates: Vec<f32> = steps.map(|step| rate(step) as f32).collect();
        self.memory.write(device, AVERAGE_RATES, first, &rates)
    }

    /// Writes how the batches of some steps are mixed, if they are, into their ring. The steps lie
    /// in one half of it.
    fn write_mixing(&self, steps: Range<u64>) -> Result<()> {
        if !self.trainer.mixing.is_on() {
            return Ok(());
        }
        let group = self.trainer.micro_batches as u64;
        let batches = steps.start * group..steps.end * group;
        let ring = mixing::ring(self.trainer) as u64;
        let offset = MIX_WORDS * (batches.start % ring) as usize;
        let shape = self.data.shape();
        let mixes = batches.filter_map(|batch| self.trainer.mix_of_batch(batch, shape));
        let words: Vec<f32> = mixes.flat_map(|mix| mix.words()).collect();
        let device = &self.model.device;
        self.memory.write(device, MIXING_BUFFER, offset, &words)
    }

    async fn read_losses(&mut self) -> Result<()> {
        match self.fetch_losses().await? {
            Some((step, micro_batch)) => Err(self.diagnose(step, micro_batch).await?),
            None => Ok(()),
        }
    }

    /// Reads the losses of the good steps. The first step that was not finite, if there is one, and
    /// its micro-batch.
    pub(super) async fn fetch_losses(&mut self) -> Result<Option<(u64, u32)>> {
        let device = &self.model.device;
        let status: Vec<u32> = self.memory.read(device, "status", 0, 3).await?;
        self.in_flight.clear();
        self.glimpse = None;
        let failed = (status[0] != 0).then_some((u64::from(status[1]), status[2]));
        let end = failed.map_or(self.step, |(step, _)| step);
        let unread = (self.read..end).map(|step| (step % RING as u64) as usize);
        let ring: Vec<f32> = self.memory.read(device, "losses", 0, RING).await?;
        self.losses.extend(unread.clone().map(|i| ring[i]));
        if self.trainer.clip_norm.is_some() {
            let ring: Vec<f32> = self.memory.read(device, GRADIENT_NORMS, 0, RING).await?;
            self.norms.extend(unread.map(|i| ring[i]));
            let old = self.norms.len().saturating_sub(NORMS_KEPT);
            self.norms.drain(..old);
        }
        self.read = end;
        Ok(failed)
    }

    /// Repeats the failed micro-batch, with all values kept, to find where it went wrong.
    pub(super) async fn diagnose(&mut self, step: u64, micro_batch: u32) -> Result<Error> {
        // Steps of a later window or epoch may have been queued behind it.
        self.supply.bring(&self.model.device, &self.memory, step)?;
        let steps = self.steps_per_epoch() as u64;
        let (epoch, of_epoch) = ((step / steps) as u32, (step % steps) as u32);
        self.write_order(epoch, of_epoch, micro_batch)?;
        self.write_mixing(step..step + 1)?;
        let graph = StepGraph::new(self.model, self.trainer, &self.supply.source)?;
        let shared = [&self.model.memory, &self.memory];
        let (layer, what) = first_not_finite(self.model, &graph, &shared, self.batch).await?;
        Ok(Error::NonFinite { step, layer, what })
    }
}
