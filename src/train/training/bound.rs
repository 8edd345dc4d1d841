//! The step of a training: planned, and bound to memory.

use super::Training;
use crate::error::Result;
use crate::ops::choice::Choices;
use crate::plan::{AdapterProfile, Mode, Plan, PlanOptions};
use crate::record::Recording;
use crate::run::{Memory, Program, ProgramOptions};
use crate::train::samples::Source;
use crate::train::step::{StepGraph, commands_of_micro_batch};
use crate::train::{Model, Trainer};
use crate::tune::Tuning;

/// What a step is made of.
pub(super) struct Parts<'a> {
    pub(super) model: &'a Model,
    pub(super) trainer: &'a Trainer,
    pub(super) source: &'a Source,
    pub(super) memory: &'a Memory,
    pub(super) batch: usize,
}

/// A step that can be submitted.
pub(super) struct Bound {
    pub(super) recording: Recording,
    pub(super) program: Program,
    /// Those of the plan.
    pub(super) choices: Choices,
}

impl Parts<'_> {
    /// With the kernels that a tuner chooses, if the trainer has one.
    pub(super) async fn tune_and_bind(&self) -> Result<(Bound, Option<Tuning>)> {
        let device = &self.model.device;
        let mut adapter = device.profile().clone();
        let mut tuning = None;
        if let Some(tuner) = &self.trainer.tuner {
            let found = tuner.tune_async(device, &self.plan(&adapter)?).await?;
            adapter.choices = adapter.choices.with(&found.choices());
            tuning = Some(found);
        }
        Ok((self.bind(&adapter).await?, tuning))
    }

    fn plan(&self, adapter: &AdapterProfile) -> Result<Plan> {
        let step = StepGraph::new(self.model, self.trainer, self.source)?;
        let step = step.with_update(self.trainer)?;
        let options = PlanOptions {
            batch: self.batch,
            mode: Mode::Training,
            fuse: true,
            reuse: true,
        };
        let shaders = self.model.device.shaders();
        Plan::new(&step.graph, &[step.loss], options, adapter, shaders)
    }

    async fn bind(&self, adapter: &AdapterProfile) -> Result<Bound> {
        let device = &self.model.device;
        let plan = self.plan(adapter)?;
        let recording = Recording::new(&plan, adapter, device.shaders())?;
        let shared = [&self.model.memory, self.memory];
        let options = ProgramOptions::default();
        Ok(Bound {
            program: Program::new(device, &recording, &shared, options).await?,
            choices: plan.choices(),
            recording,
        })
    }
}

impl Training<'_> {
    /// Computes the steps to come by these kernels. What the step keeps in buffers of its own is
    /// lost.
    pub(super) async fn rebind(&mut self, choices: Choices) -> Result<()> {
        let parts = Parts {
            model: self.model,
            trainer: self.trainer,
            source: &self.supply.source,
            memory: &self.memory,
            batch: self.batch,
        };
        let adapter = self.model.device.profile().clone().with_choices(choices);
        let step = parts.bind(&adapter).await?;
        self.common = commands_of_micro_batch(&step.recording);
        self.recording = step.recording;
        self.program = step.program;
        self.choices = step.choices;
        Ok(())
    }
}
