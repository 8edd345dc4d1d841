//! A training in progress: steps over a data set that lies on the device.

mod saved;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::diagnose::first_not_finite;
use super::model::{Model, arena_len};
use super::rule::UpdateRule;
use super::samples::Source;
use super::step::{Loss, StepGraph};
use super::trainer::Trainer;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::graph::{BLOCK, Role};
use crate::ops::batch_norm::running_pairs;
use crate::ops::training::{RING, factors_len};
use crate::plan::{Mode, Plan, PlanOptions};
use crate::random::{STATE_BUFFER, Seed, state_words};
use crate::record::{Profile, Recording};
use crate::run::{Memory, Program, ProgramOptions, Submission};

/// Steps that may wait in the device's queue. More would only hold memory.
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
    source: Source,
    memory: Memory,
    program: Program,
    recording: Recording,
    batch: usize,
    /// Epochs begun.
    epoch: u32,
    /// Steps submitted.
    step: u64,
    /// Steps that the ring of learning rates knows, and whose losses were read.
    scheduled: u64,
    read: u64,
    losses: Vec<f32>,
    in_flight: VecDeque<Submission>,
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
        model.check_data(data, trainer.loss)?;
        if trainer.batch_size == 0 {
            return Err(Error::Invalid(
                "a batch of size zero has no samples".to_owned(),
            ));
        }
        model.loss = trainer.loss;
        let batch = trainer.batch_size.min(data.len());
        let order = data.len() / batch * batch;
        let mut memory = Memory::default();
        let source = Source::upload(&model.device, &mut memory, data, order).await?;
        upload_state(model, &mut memory, trainer.seed).await?;
        let step = StepGraph::new(model, trainer.loss, &source)?.with_update(&trainer.rule)?;
        let options = PlanOptions {
            batch,
            mode: Mode::Training,
            reuse: true,
        };
        let (profile, shaders) = (model.device.profile(), model.device.shaders());
        let plan = Plan::new(&step.graph, &[step.loss], options, profile, shaders)?;
        let recording = Recording::new(&plan, profile, shaders)?;
        let shared = [&model.memory, &memory];
        let options = ProgramOptions::default();
        let program = Program::new(&model.device, &recording, &shared, options).await?;
        Ok(Self {
            model,
            data,
            trainer,
            source,
            memory,
            program,
            recording,
            batch,
            epoch: 0,
            step: 0,
            scheduled: 0,
            read: 0,
            losses: Vec::new(),
            in_flight: VecDeque::new(),
        })
    }

    /// Steps of an epoch; samples that fill no batch are left for the next epoch's order.
    pub fn steps_per_epoch(&self) -> usize {
        self.data.len() / self.batch
    }

    /// Steps submitted so far.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// The model under training.
    pub fn model(&self) -> &Model {
        self.model
    }

    /// The dispatches of a step; its `Display` is a table.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// Takes one step and measures every dispatch of it; its `Display` is a table, slowest
    /// first. `None` where the adapter has no timestamps (a step is then not taken).
    ///
    /// # Errors
    /// As [`Training::step`].
    pub fn profile(&mut self) -> Result<Option<Profile>> {
        pollster::block_on(self.profile_async())
    }

    /// The asynchronous form of [`Training::profile`].
    ///
    /// # Errors
    /// As [`Training::step`].
    pub async fn profile_async(&mut self) -> Result<Option<Profile>> {
        self.prepare_step()?;
        let Some(seconds) = self.program.profile().await? else {
            return Ok(None);
        };
        self.step += 1;
        self.read_when_due().await?;
        Ok(Some(Profile::new(&self.recording, &seconds)))
    }

    /// Submits one step: fetch the next batch, forward, backward, update. Waits only while too
    /// many steps are queued.
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
        self.in_flight.push_back(self.program.run()?);
        self.step += 1;
        if self.in_flight.len() > IN_FLIGHT
            && let Some(oldest) = self.in_flight.pop_front()
        {
            oldest.wait(&self.model.device)?;
        }
        self.read_when_due().await
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
        Ok(std::mem::take(&mut self.losses))
    }

    /// The losses that were fetched from the device but not yet handed out. After an error these
    /// are the losses of the good steps before it.
    pub fn unread_losses(&self) -> &[f32] {
        &self.losses
    }

    /// The learning rate of a step, schedule included.
    pub fn learning_rate(&self, step: u64) -> f64 {
        self.trainer.rule.learning_rate() * (self.trainer.schedule)(step)
    }

    /// What the host writes before a step: at the start of an epoch its order, now and then
    /// learning rates. Nothing is written twice if no step follows.
    fn prepare_step(&mut self) -> Result<()> {
        if self.step == u64::from(self.epoch) * self.steps_per_epoch() as u64 {
            self.write_order(self.epoch, 0)?;
            self.epoch += 1;
        }
        if self.step == self.scheduled {
            self.scheduled += (RING / 2) as u64;
            self.write_schedule(self.step..self.scheduled)?;
        }
        Ok(())
    }

    /// Makes a batch of an epoch the next one that the device fetches.
    fn write_order(&self, epoch: u32, batch: u32) -> Result<()> {
        let mut order: Vec<u32> = match self.trainer.shuffle {
            true => self.data.order(self.trainer.seed, epoch),
            false => (0..self.data.len() as u32).collect(),
        };
        order.truncate(self.steps_per_epoch() * self.batch);
        let device = &self.model.device;
        self.memory.write(device, "dataset.order", 0, &order)?;
        // The second word counts the batches of the epoch.
        self.memory.write(device, STATE_BUFFER, 1, &[batch])
    }

    /// Writes the learning rates of coming steps into their ring. The steps lie in one half of it.
    fn write_schedule(&self, steps: Range<u64>) -> Result<()> {
        let offset = 4 * (steps.start % RING as u64) as usize;
        let entries: Vec<f32> = steps
            .flat_map(|step| {
                let [a, b, c] = self.trainer.rule.coefficients(step);
                [self.learning_rate(step), a, b, c].map(|x| x as f32)
            })
            .collect();
        self.memory
            .write(&self.model.device, "schedule", offset, &entries)
    }

    async fn read_losses(&mut self) -> Result<()> {
        let device = &self.model.device;
        let status: Vec<u32> = self.memory.read(device, "status", 0, 2).await?;
        self.in_flight.clear();
        let failed = (status[0] != 0).then_some(u64::from(status[1]));
        let end = failed.unwrap_or(self.step);
        let ring: Vec<f32> = self.memory.read(device, "losses", 0, RING).await?;
        let unread = (self.read..end).map(|step| ring[(step % RING as u64) as usize]);
        self.losses.extend(unread);
        self.read = end;
        match failed {
            Some(step) => Err(self.diagnose(step).await?),
            None => Ok(()),
        }
    }

    /// Repeats the failed step, with all values kept, to find where it went wrong.
    async fn diagnose(&self, step: u64) -> Result<Error> {
        let loss: Loss = self.trainer.loss;
        let shared = [&self.model.memory, &self.memory];
        // Steps of a later epoch may have been queued behind it.
        let steps = self.steps_per_epoch() as u64;
        self.write_order((step / steps) as u32, (step % steps) as u32)?;
        let graph = StepGraph::new(self.model, loss, &self.source)?;
        let (layer, what) = first_not_finite(self.model, &graph, &shared, self.batch).await?;
        Ok(Error::NonFinite { step, layer, what })
    }
}

/// The buffers through which the step's kernels work together, see [`crate::ops::training`].
async fn upload_state(model: &Model, memory: &mut Memory, seed: Seed) -> Result<()> {
    let device = &model.device;
    let state = state_words(seed, 0);
    memory.create_with(device, STATE_BUFFER, &state).await?;
    memory.create(device, "status", 4).await?;
    memory.create(device, "schedule", 4 * RING).await?;
    memory.create(device, "losses", RING).await?;
    let len = arena_len(&model.graph, Role::Weight.arena());
    let mut factors = vec![0.0_f32; factors_len(len)];
    for p in model.parameters().iter().filter(|p| p.is_trained()) {
        let first = p.offset / BLOCK;
        for block in first..first + p.layout.size().div_ceil(BLOCK) {
            factors[2 * block] = p.learning_rate_factor;
            factors[2 * block + 1] = p.decay_factor;
        }
    }
    memory.create_with(device, "factors", &factors).await?;
    let len = arena_len(&model.graph, Role::Statistic.arena());
    let mut momentum = vec![0.0_f32; len / BLOCK];
    for pair in running_pairs(&model.graph) {
        let found = model.parameters().iter().find(|p| p.var == pair.running);
        if let Some(p) = found.filter(|p| !p.frozen) {
            let first = p.offset / BLOCK;
            momentum[first..first + p.layout.size().div_ceil(BLOCK)].fill(pair.momentum);
        }
    }
    memory
        .create_with(device, "statistics_momentum", &momentum)
        .await
}

/// Keeps the rule shareable between the trainer and the plans made from it.
pub(super) type SharedRule = Arc<dyn UpdateRule>;
