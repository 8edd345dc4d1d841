//! A recording bound to memory, ready to be submitted any number of times.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytemuck::Pod;

use super::pipeline::Pipeline;
use super::profile::Clock;
use super::recorder::Recorder;
use super::{Device, Memory, ReadBack, first_use, memory};
use crate::error::{Error, Result};
use crate::record::{Place, Range, Recording};

/// A quiet NaN that no computation produces: memory that was never written.
pub(crate) const POISON: u32 = 0x7fc0_dead;

/// Words behind each guarded buffer.
const GUARD_WORDS: usize = 64;

/// Runs after which there will be more, and a thread records their commands ahead.
const FREQUENT: usize = 8;

/// How a program's memory is prepared.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ProgramOptions {
    /// Fill every buffer with poison and put guard words behind it, to find kernels that
    /// leave elements unwritten or write past the end.
    pub(crate) guarded: bool,
}

/// A place in the device's queue.
#[derive(Debug)]
pub(crate) struct Submission(wgpu::SubmissionIndex);

impl Submission {
    /// Blocks until the device has come this far; a browser cannot wait.
    pub(crate) fn wait(self, device: &Device) -> Result<()> {
        memory::wait(device, Some(self.0))
    }
}

/// The buffer of this name in the first memory that has one.
fn find<'a>(shared: &[&'a Memory], name: &str) -> Option<&'a wgpu::Buffer> {
    shared.iter().find_map(|memory| memory.get(name))
}

#[derive(Debug)]
struct Dispatch {
    pipeline: Arc<Pipeline>,
    bind_group: wgpu::BindGroup,
    workgroups: [u32; 3],
}

impl Dispatch {
    fn encode(&self, pass: &mut wgpu::ComputePass<'_>) {
        let [x, y, z] = self.workgroups;
        pass.set_pipeline(&self.pipeline.pipeline);
        pass.set_bind_group(0, &self.bind_group, &[]);
        pass.dispatch_workgroups(x, y, z);
    }
}

#[derive(Debug)]
struct Owned {
    buffer: wgpu::Buffer,
    len: usize,
}

/// The first so many dispatches in one pass.
fn encode(device: &Device, dispatches: &[Dispatch], count: usize) -> wgpu::CommandBuffer {
    let mut encoder = device.wgpu().create_command_encoder(&Default::default());
    {
        let mut pass = encoder.begin_compute_pass(&Default::default());
        for dispatch in dispatches.iter().take(count) {
            dispatch.encode(&mut pass);
        }
    }
    encoder.finish()
}

/// Pipelines, bind groups and transient memory of a recording.
#[derive(Debug)]
pub(crate) struct Program {
    /// By the number of dispatches that they run. Before the rest, so that the threads end first.
    runs: Mutex<BTreeMap<usize, Runs>>,
    device: Device,
    dispatches: Arc<[Dispatch]>,
    own: BTreeMap<Place, Owned>,
}

/// How often a program's first dispatches have run, and who records their commands from the
/// [`FREQUENT`]th time on.
#[derive(Debug, Default)]
struct Runs {
    count: usize,
    recorder: Option<Recorder>,
}

impl Program {
    /// Creates the slots, and the named buffers that `shared` does not hold; compiles the
    /// pipelines; binds.
    pub(crate) async fn new(
        device: &Device,
        recording: &Recording,
        shared: &[&Memory],
        options: ProgramOptions,
    ) -> Result<Self> {
        let mut program = Self {
            runs: Mutex::default(),
            device: device.clone(),
            dispatches: Arc::default(),
            own: BTreeMap::new(),
        };
        for (slot, &len) in recording.slots.iter().enumerate() {
            let place = Place::Slot(slot);
            program.create(place, len, memory::STORAGE, options).await?;
        }
        for (name, &len) in &recording.named {
            if find(shared, name).is_none() {
                let place = Place::Named(name.clone());
                let usage = match recording.data.contains_key(name) {
                    true => memory::STORAGE | wgpu::BufferUsages::UNIFORM,
                    false => memory::STORAGE,
                };
                program.create(place, len, usage, options).await?;
            }
        }
        for (name, contents) in &recording.data {
            let buffer = program.buffer(&Place::Named(name.clone()))?;
            memory::write(device, buffer, name, 0, contents)?;
        }
        if device.compiles_late() {
            let missing = device.pipelines().missing(&recording.commands);
            first_use::compile_all(device, missing)?;
        }
        let mut dispatches = Vec::with_capacity(recording.commands.len());
        for command in &recording.commands {
            let pipeline = device.pipelines().get(device, command).await?;
            let mut entries = Vec::with_capacity(command.ranges.len());
            for (binding, range) in command.shader.bindings.iter().zip(&command.ranges) {
                entries.push(wgpu::BindGroupEntry {
                    binding: binding.index,
                    resource: program.resource(range, shared)?,
                });
            }
            let bind_group = device.wgpu().create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(&command.node),
                layout: &pipeline.layout,
                entries: &entries,
            });
            dispatches.push(Dispatch {
                pipeline,
                bind_group,
                workgroups: command.workgroups,
            });
        }
        program.dispatches = dispatches.into();
        device.check()?;
        Ok(program)
    }

    async fn create(
        &mut self,
        place: Place,
        len: usize,
        usage: wgpu::BufferUsages,
        options: ProgramOptions,
    ) -> Result<()> {
        let name = match &place {
            Place::Slot(slot) => format!("slot {slot}"),
            Place::Named(name) => name.clone(),
        };
        let guard = if options.guarded { GUARD_WORDS } else { 0 };
        let buffer = memory::create(&self.device, &name, len + guard, usage).await?;
        if options.guarded {
            let poison = vec![POISON; len + guard];
            memory::write(&self.device, &buffer, &name, 0, &poison)?;
        }
        self.own.insert(place, Owned { buffer, len });
        Ok(())
    }

    fn resource<'a>(
        &'a self,
        range: &Range,
        shared: &[&'a Memory],
    ) -> Result<wgpu::BindingResource<'a>> {
        let shared = match &range.place {
            Place::Named(name) => find(shared, name),
            Place::Slot(_) => None,
        };
        let buffer = match shared {
            Some(buffer) => buffer,
            None => self.buffer(&range.place)?,
        };
        Ok(wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer,
            offset: 4 * range.offset as u64,
            size: wgpu::BufferSize::new(4 * range.len as u64),
        }))
    }

    fn buffer(&self, place: &Place) -> Result<&wgpu::Buffer> {
        match self.own.get(place) {
            Some(owned) => Ok(&owned.buffer),
            None => Err(Error::Invalid(format!("{place:?} is not in this program"))),
        }
    }

    /// Encodes every dispatch into one pass and submits it. Does not wait.
    pub(crate) fn run(&self) -> Result<Submission> {
        self.run_first(self.dispatches.len())
    }

    /// As [`Program::run`], for so many dispatches from the first on.
    pub(crate) fn run_first(&self, count: usize) -> Result<Submission> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let runs = runs.entry(count).or_default();
        runs.count += 1;
        if runs.count == FREQUENT {
            let (device, dispatches) = (self.device.clone(), self.dispatches.clone());
            runs.recorder = Recorder::start(move || encode(&device, &dispatches, count));
        }
        let recorded = runs.recorder.as_mut().and_then(Recorder::next);
        let buffer = recorded.unwrap_or_else(|| encode(&self.device, &self.dispatches, count));
        let submission = self.device.queue().submit([buffer]);
        self.device.check()?;
        Ok(Submission(submission))
    }

    /// Blocks until the device has done all that was submitted.
    pub(crate) fn wait(&self) -> Result<()> {
        memory::wait(&self.device, None)
    }

    /// Whether [`Program::profile`] can measure.
    pub(crate) fn has_timestamps(&self) -> bool {
        Clock::stamps_for(&self.device, self.dispatches.len()).is_some()
    }

    /// Runs once with the time of every dispatch measured, in seconds; each is then a pass of
    /// its own. `None` where the adapter has no timestamps.
    pub(crate) async fn profile(&self) -> Result<Option<Vec<f64>>> {
        let Some(clock) = Clock::new(&self.device, self.dispatches.len()) else {
            return Ok(None);
        };
        let mut encoder = self
            .device
            .wgpu()
            .create_command_encoder(&Default::default());
        for (index, dispatch) in self.dispatches.iter().enumerate() {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: None,
                timestamp_writes: Some(clock.writes(index)),
            });
            dispatch.encode(&mut pass);
        }
        clock.resolve(&mut encoder);
        self.device.queue().submit([encoder.finish()]);
        clock.read(&self.device).await.map(Some)
    }

    /// Device time of so many runs in one pass, in seconds. `None` where the adapter has no
    /// timestamps.
    pub(crate) async fn time(&self, runs: usize) -> Result<Option<f64>> {
        let Some(clock) = Clock::new(&self.device, 1) else {
            return Ok(None);
        };
        let mut encoder = self
            .device
            .wgpu()
            .create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: None,
                timestamp_writes: Some(clock.writes(0)),
            });
            for _ in 0..runs {
                for dispatch in &*self.dispatches {
                    dispatch.encode(&mut pass);
                }
            }
        }
        clock.resolve(&mut encoder);
        self.device.queue().submit([encoder.finish()]);
        let seconds = clock.read(&self.device).await?;
        Ok(Some(seconds.iter().sum()))
    }

    /// Writes into a buffer of this program from its start on.
    pub(crate) fn write<T: Pod>(&self, range: &Range, contents: &[T]) -> Result<()> {
        let name = format!("{range}");
        let buffer = self.buffer(&range.place)?;
        memory::write(&self.device, buffer, &name, range.offset, contents)
    }

    /// Reads a range of this program's memory.
    pub(crate) async fn read<T: Pod>(&self, range: &Range) -> Result<Vec<T>> {
        let buffer = self.buffer(&range.place)?;
        memory::read(&self.device, buffer, range.offset, range.len).await
    }

    /// Submits the copy of a range to the host. Does not wait.
    pub(crate) fn fetch(&self, range: &Range) -> Result<ReadBack> {
        let buffer = self.buffer(&range.place)?;
        Ok(memory::fetch(&self.device, buffer, range.offset, range.len))
    }

    /// Whether the program holds this place itself (rather than sharing it).
    pub(crate) fn owns(&self, place: &Place) -> bool {
        self.own.contains_key(place)
    }

    /// Checks that no kernel wrote past the end of a guarded buffer.
    pub(crate) async fn check_guards(&self) -> Result<()> {
        for (place, owned) in &self.own {
            let guard: Vec<u32> =
                memory::read(&self.device, &owned.buffer, owned.len, GUARD_WORDS).await?;
            if let Some(word) = guard.iter().position(|w| *w != POISON) {
                return Err(Error::Invalid(format!(
                    "a kernel wrote {word} words past the end of {place:?}"
                )));
            }
        }
        Ok(())
    }
}
