//! Runs any graph for given inputs: the smallest way to compute with the engine.
//!
//! [`Model`](crate::train::Model) is the way to train. A session serves operators from outside
//! the crate, experiments and tests.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::graph::{Element, Graph, Home, Value, Var};
use crate::plan::{AdapterProfile, Mode, Plan, PlanOptions};
use crate::random::{STATE_BUFFER, STATE_LEN, Seed, state_words};
use crate::record::{Place, Range, Recording, range};
use crate::run::{Device, Program, ProgramOptions};

/// What a session computes, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionOptions {
    /// Samples in a batch.
    pub batch: usize,
    /// Training or evaluation.
    pub mode: Mode,
    /// Whether every buffer is filled with poison before and has guard words behind it, which
    /// [`Session::check_guards`] then checks. For testing kernels.
    pub guarded: bool,
    /// Whether neighbouring operators may become one kernel; they may by default.
    pub fused: bool,
    /// The adapter to plan for, in place of the device's own; see
    /// [`SessionOptions::planned_for`].
    pub planned_for: Option<AdapterProfile>,
}

impl SessionOptions {
    /// Training mode, for this many samples.
    pub fn training(batch: usize) -> Self {
        Self {
            batch,
            mode: Mode::Training,
            guarded: false,
            fused: true,
            planned_for: None,
        }
    }

    /// Evaluation mode, for this many samples.
    pub fn evaluation(batch: usize) -> Self {
        Self {
            mode: Mode::Evaluation,
            ..Self::training(batch)
        }
    }

    /// With poison and guard words.
    #[must_use]
    pub fn guarded(mut self) -> Self {
        self.guarded = true;
        self
    }

    /// With kernels of its own for every operator. For comparison.
    #[must_use]
    pub fn unfused(mut self) -> Self {
        self.fused = false;
        self
    }

    /// Chooses kernels as for another adapter. For testing, with a CPU driver, what a GPU would
    /// run; the device must have that adapter's limits.
    #[must_use]
    pub fn planned_for(mut self, adapter: AdapterProfile) -> Self {
        self.planned_for = Some(adapter);
        self
    }
}

/// A graph on a device. Inputs and parameters are set by hand, results are read back.
///
/// ```no_run
/// use wgrad::{Device, Session, SessionOptions, graph::Graph};
///
/// let mut graph = Graph::new();
/// let x = graph.input("x", [2, 1, 2]);
/// let y = graph.relu(x);
/// let session = Session::new(&Device::open()?, &graph, &[y], SessionOptions::training(1))?;
/// session.set(x, &[-1.0, 2.0, -3.0, 4.0])?;
/// session.run()?;
/// assert_eq!(session.get(y)?, [0.0, 2.0, 0.0, 4.0]);
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Debug)]
pub struct Session {
    program: Program,
    recording: Recording,
    values: BTreeMap<Var, (Value, Range)>,
    batch: usize,
}

impl Session {
    /// Plans the computation of `targets` and allocates what it needs.
    ///
    /// # Errors
    /// The graph's first error; [`Error::Invalid`], [`Error::Shader`], [`Error::OutOfMemory`].
    pub fn new(
        device: &Device,
        graph: &Graph,
        targets: &[Var],
        options: SessionOptions,
    ) -> Result<Self> {
        pollster::block_on(Self::new_async(device, graph, targets, options))
    }

    /// The asynchronous form of [`Session::new`].
    ///
    /// # Errors
    /// As [`Session::new`].
    pub async fn new_async(
        device: &Device,
        graph: &Graph,
        targets: &[Var],
        options: SessionOptions,
    ) -> Result<Self> {
        graph.check()?;
        let mut graph = graph.clone();
        for (i, &target) in targets.iter().enumerate() {
            if graph.value(target).home == Home::Step {
                graph.place(target, &format!("result.{i}"), 0);
            }
        }
        let plan_options = PlanOptions {
            batch: options.batch,
            mode: options.mode,
            fuse: options.fused,
            reuse: true,
        };
        let shaders = device.shaders();
        let profile = options.planned_for.as_ref().unwrap_or(device.profile());
        let plan = Plan::new(&graph, targets, plan_options, profile, shaders)?;
        let recording = Recording::new(&plan, profile, shaders)?;
        let program_options = ProgramOptions {
            guarded: options.guarded,
        };
        let program = Program::new(device, &recording, &[], program_options).await?;
        let known = (0..graph.values().len()).map(Var).filter_map(|var| {
            let value = graph.value(var);
            let buffer = plan.buffer_of(var)?;
            let kept = value.home != Home::Step;
            kept.then(|| (var, (value.clone(), range(&plan, buffer))))
        });
        let session = Self {
            values: known.collect(),
            batch: options.batch,
            program,
            recording,
        };
        session.set_random_state(Seed(0), 0)?;
        Ok(session)
    }

    /// Sets what the random operators (dropout) draw: one seed and step, one set of draws.
    /// Without it, seed and step are 0. Does nothing where nothing is random.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] and others of the device.
    pub fn set_random_state(&self, seed: Seed, step: u32) -> Result<()> {
        if !self.recording.named.contains_key(STATE_BUFFER) {
            return Ok(());
        }
        let state = Range {
            place: Place::Named(STATE_BUFFER.to_owned()),
            offset: 0,
            len: STATE_LEN,
        };
        self.program.write(&state, &state_words(seed, step))
    }

    /// The dispatches of one run; its `Display` is a table.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// Whether the session reads this input or parameter, or computes this target.
    pub fn keeps(&self, var: Var) -> bool {
        self.values.contains_key(&var)
    }

    fn find(&self, var: Var) -> Result<&(Value, Range)> {
        self.values.get(&var).ok_or_else(|| Error::UnknownName {
            kind: "input, parameter or target of this session",
            name: format!("{var:?}"),
            known: self
                .values
                .values()
                .map(|(value, _)| value.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    /// Sets an input or parameter in PyTorch's order: NCHW for a batch of images.
    ///
    /// # Errors
    /// [`Error::UnknownName`] for a value that the session does not read, [`Error::Length`] for
    /// a wrong number of elements.
    pub fn set(&self, var: Var, contents: &[f32]) -> Result<()> {
        self.set_elements(var, contents)
    }

    /// As [`Session::set`] for labels and indices.
    ///
    /// # Errors
    /// As [`Session::set`].
    pub fn set_indices(&self, var: Var, contents: &[u32]) -> Result<()> {
        self.set_elements(var, contents)
    }

    fn set_elements<T: bytemuck::Pod + Default>(&self, var: Var, contents: &[T]) -> Result<()> {
        let (value, range) = self.find(var)?;
        let expected = value.value_type.logical_len(self.batch);
        if contents.len() != expected {
            return Err(Error::Length {
                name: value.name.clone(),
                shape: value.value_type.shape.to_string(),
                expected,
                found: contents.len(),
            });
        }
        self.program
            .write(range, &value.value_type.layout.pack(contents))
    }

    /// Computes the targets. Does not wait.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] and others of the device.
    pub fn run(&self) -> Result<()> {
        self.program.run().map(drop)
    }

    /// Blocks until all runs are done. A browser cannot wait.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] and others of the device.
    pub fn wait(&self) -> Result<()> {
        self.program.wait()
    }

    /// Reads a target, input or parameter, in PyTorch's order.
    ///
    /// # Errors
    /// [`Error::UnknownName`] for a value that is not kept, [`Error::DeviceLost`].
    pub fn get(&self, var: Var) -> Result<Vec<f32>> {
        pollster::block_on(self.get_async(var))
    }

    /// The asynchronous form of [`Session::get`].
    ///
    /// # Errors
    /// As [`Session::get`].
    pub async fn get_async(&self, var: Var) -> Result<Vec<f32>> {
        let (value, range) = self.find(var)?;
        let value_type = &value.value_type;
        let range = Range {
            len: value_type.device_len(self.batch),
            ..range.clone()
        };
        if value_type.element == Element::U32 {
            let integers: Vec<u32> = self.program.read(&range).await?;
            let floats: Vec<f32> = integers.iter().map(|&i| i as f32).collect();
            return Ok(value_type.layout.unpack(&floats));
        }
        Ok(value_type.layout.unpack(&self.program.read(&range).await?))
    }

    /// Reads a value as it lies on the device, padding included.
    ///
    /// # Errors
    /// As [`Session::get`].
    pub fn get_device_order(&self, var: Var) -> Result<Vec<f32>> {
        let (value, range) = self.find(var)?;
        let range = Range {
            len: value.value_type.device_len(self.batch),
            ..range.clone()
        };
        pollster::block_on(self.program.read(&range))
    }

    /// Checks the guard words behind every buffer of a guarded session.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a kernel wrote past the end of a buffer.
    pub fn check_guards(&self) -> Result<()> {
        pollster::block_on(self.program.check_guards())
    }
}
