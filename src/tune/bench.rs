//! Problems by themselves on a device.

use std::time::Duration;

use super::search::Bench;
use crate::error::{Error, Result};
use crate::ops::choice::Choice;
use crate::ops::conv2d::{Alone, Problem};
use crate::plan::{Mode, Plan, PlanOptions};
use crate::random::{Philox, Seed, uniform01};
use crate::record::{Range, Recording, range};
use crate::run::{Device, Instant, Memory, Program, ProgramOptions};

/// Numbers that are drawn; operands repeat them. A prime, so that rows of operands differ.
const DRAWN: usize = 65_521;

/// Runs of a trial are repeated until they take this long together.
const LEAST_SECONDS: f64 = 2e-3;
const MOST_RUNS: f64 = 32.0;
/// Of these measurements the least counts; fewer where they take long.
const ROUNDS: usize = 3;
const MOST_SECONDS: f64 = 0.2;

/// Measures on a device.
pub(super) struct DeviceBench<'a> {
    device: &'a Device,
    begin: Instant,
    drawn: Vec<f32>,
    /// The problem that is being measured, with its operands.
    current: Option<(Problem, Alone, Memory)>,
}

/// A choice of kernels with memory for its result.
pub(super) struct Trial {
    program: Program,
    result: Range,
}

impl<'a> DeviceBench<'a> {
    pub(super) fn new(device: &'a Device) -> Self {
        let mut random = Philox::new(Seed(0), "tune");
        let drawn = (0..DRAWN).map(|_| 2.0 * uniform01(random.word()) - 1.0);
        Self {
            device,
            begin: Instant::now(),
            drawn: drawn.collect(),
            current: None,
        }
    }

    /// The operands of a problem, on the device.
    async fn take_up(&mut self, problem: &Problem) -> Result<&(Problem, Alone, Memory)> {
        let current = match self.current.take() {
            Some(current) if current.0 == *problem => current,
            _ => {
                // Hundreds of kernels are compiled, few of which are ever used again.
                self.device.release_unused_pipelines();
                let alone = problem.alone();
                let memory = self.upload(&alone).await?;
                (*problem, alone, memory)
            }
        };
        Ok(self.current.insert(current))
    }

    async fn upload(&self, alone: &Alone) -> Result<Memory> {
        let mut memory = Memory::default();
        for (index, &operand) in alone.operands.iter().enumerate() {
            let value = alone.graph.value(operand);
            let len = value.value_type.logical_len(alone.batch);
            let drawn = self.drawn.iter().cycle().skip(index);
            let logical: Vec<f32> = drawn.take(len).copied().collect();
            let contents = value.value_type.layout.pack(&logical);
            memory
                .create_with(self.device, &value.name, &contents)
                .await?;
        }
        Ok(memory)
    }

    /// Time of a run, when so many follow one another.
    async fn time(&self, program: &Program, runs: usize) -> Result<f64> {
        if let Some(seconds) = program.time(runs).await? {
            return Ok(seconds / runs as f64);
        }
        program.wait()?;
        let begin = Instant::now();
        for _ in 0..runs {
            program.run()?;
        }
        program.wait()?;
        Ok(begin.elapsed().as_secs_f64() / runs as f64)
    }
}

impl Bench for DeviceBench<'_> {
    type Trial = Trial;

    async fn prepare(&mut self, problem: &Problem, choice: Choice) -> Result<Trial> {
        let device = self.device;
        let choices = [(problem.to_string(), choice)].into_iter().collect();
        let adapter = device.profile().clone().with_choices(choices);
        let (_, alone, memory) = self.take_up(problem).await?;
        let options = PlanOptions {
            batch: alone.batch,
            mode: Mode::Training,
            fuse: true,
            reuse: true,
        };
        let shaders = device.shaders();
        let plan = Plan::new(&alone.graph, &[alone.result], options, &adapter, shaders)?;
        let result = plan.buffer_of(alone.result);
        let (true, Some(result)) = (plan.choices() == adapter.choices, result) else {
            return Err(Error::Invalid(format!(
                "`{choice}` is not used for `{problem}` by itself"
            )));
        };
        let recording = Recording::new(&plan, &adapter, shaders)?;
        let options = ProgramOptions::default();
        Ok(Trial {
            program: Program::new(device, &recording, &[memory], options).await?,
            result: range(&plan, result),
        })
    }

    async fn result(&mut self, trial: &Trial) -> Result<Vec<f32>> {
        trial.program.run()?;
        trial.program.read(&trial.result).await
    }

    async fn seconds(&mut self, trial: &Trial, limit: f64) -> Result<f64> {
        let mut least = self.time(&trial.program, 1).await?;
        let runs = (LEAST_SECONDS / least.max(1e-9)).clamp(1.0, MOST_RUNS) as usize;
        let mut spent = 0.0;
        for _ in 0..ROUNDS {
            if least > limit || spent > MOST_SECONDS {
                break;
            }
            let seconds = self.time(&trial.program, runs).await?;
            spent += seconds * runs as f64;
            least = least.min(seconds);
        }
        Ok(least)
    }

    fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }
}
