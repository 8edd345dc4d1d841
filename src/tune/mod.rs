//! Kernels chosen by measurement, for those who ask for it.
//!
//! Without a tuner, adapter and shapes alone decide which kernels compute a convolution or a
//! product. A [`Tuner`] measures the other candidates too, each after its result was compared with
//! that of the usual choice, and takes one that is at least 3 % faster:
//!
//! ```no_run
//! use std::time::Duration;
//! use wgrad::prelude::*;
//! use wgrad::tune::Tuner;
//!
//! # fn f(model: &mut Model, train: &Dataset, test: &Dataset) -> wgrad::Result<()> {
//! let tuner = Tuner::new().budget(Duration::from_secs(20)).cache("kernels.json");
//! let trainer = Trainer::new(Sgd::new(0.1)).batch_size(64).tune(tuner);
//! trainer.fit(model, train, test)?;
//! # Ok(()) }
//! ```
//!
//! # What is the same every time
//!
//! Candidates add up the same sums in different orders, so the choices belong to what makes a run
//! reproducible: the same choices give the same bits, and measured choices may differ from one
//! measurement to the next. Two things keep them:
//!
//! * a cache ([`Tuner::cache`]): what it holds is not measured again;
//! * checkpoints of trainings, which hold the choices: on the same adapter, driver and version of
//!   the crate, a resumed training goes on with those, whatever a tuner or the heuristic says.
//!
//! [`Device::with_choices`] fixes choices for all that a device computes.
//!
//! # The cache
//!
//! A JSON file that is replaced whole or not at all. It holds the choices by adapter, backend,
//! driver, version of this crate, and problem; others' entries are kept. A damaged or foreign
//! file is a [`TuneError`] and stays as it is.

mod bench;
mod cache;
mod error;
mod report;
mod search;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use error::TuneError;
pub use report::{Source, Tuned, Tuning};

use self::bench::DeviceBench;
use self::cache::Cache;
pub(crate) use self::cache::{Key, Section};
use self::search::{Bench, best};
use crate::error::Result;
use crate::ops::choice::{Choice, Choices};
use crate::ops::conv2d::Problem;
use crate::plan::{AdapterProfile, Plan};
use crate::run::Device;

/// Measures the candidates for the kernels of a plan; see the [module](self).
#[derive(Clone, Debug)]
pub struct Tuner {
    budget: Duration,
    cache: Option<PathBuf>,
}

impl Default for Tuner {
    fn default() -> Self {
        Self::new()
    }
}

impl Tuner {
    /// Measures for at most 30 seconds and keeps nothing.
    pub fn new() -> Self {
        Self {
            budget: Duration::from_secs(30),
            cache: None,
        }
    }

    /// How long may be measured, compilation included. Problems with the most arithmetic come
    /// first. One whose candidates would not all be measured in time, judged by the first of them,
    /// is passed over and stays with the usual choice. The time ends between two candidates: the
    /// last may take somewhat longer.
    #[must_use]
    pub fn budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// A file that keeps the choices. It and its folder are made if there are none.
    #[must_use]
    pub fn cache(mut self, path: impl AsRef<Path>) -> Self {
        self.cache = Some(path.as_ref().to_owned());
        self
    }

    /// Chooses kernels for the convolutions and products of a plan that was made for this device.
    /// The device should have nothing else to do.
    ///
    /// ```no_run
    /// use wgrad::graph::Graph;
    /// use wgrad::ops::Conv2d;
    /// use wgrad::plan::{Mode, Plan, PlanOptions};
    /// use wgrad::shader::Shaders;
    /// use wgrad::{Device, tune::Tuner};
    ///
    /// let mut graph = Graph::new();
    /// let x = graph.input("x", [32, 28, 28]);
    /// let y = graph.conv2d(x, Conv2d::new(64, 3).padding(1));
    /// let device = Device::open()?;
    /// let options = PlanOptions { batch: 16, mode: Mode::Evaluation, fuse: true, reuse: true };
    /// let plan = Plan::new(&graph, &[y], options, device.profile(), &Shaders::new()?)?;
    /// let tuning = Tuner::new().tune(&device, &plan)?;
    /// println!("{tuning}");
    /// let device = device.with_choices(tuning.choices());
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`TuneError`] for a cache that cannot be used; [`Error::DeviceLost`](crate::Error) and
    /// others of the device.
    pub fn tune(&self, device: &Device, plan: &Plan) -> Result<Tuning> {
        pollster::block_on(self.tune_async(device, plan))
    }

    /// The asynchronous form of [`Tuner::tune`].
    ///
    /// # Errors
    /// As [`Tuner::tune`].
    pub async fn tune_async(&self, device: &Device, plan: &Plan) -> Result<Tuning> {
        let key = Key::new(device.description());
        let problems: Vec<Problem> = plan.problems().map(|(problem, _)| *problem).collect();
        let mut bench = DeviceBench::new(device);
        let tuning = self.tune_with(&mut bench, device.profile(), key, &problems);
        let tuning = tuning.await;
        drop(bench);
        device.release_unused_pipelines();
        tuning
    }

    async fn tune_with<B: Bench>(
        &self,
        bench: &mut B,
        adapter: &AdapterProfile,
        key: Key,
        problems: &[Problem],
    ) -> Result<Tuning> {
        let cache = match &self.cache {
            Some(path) => Cache::read(path)?,
            None => Cache::default(),
        };
        let mut order: Vec<&Problem> = problems.iter().collect();
        // Stable: equals stay in the plan's order.
        order.sort_by_key(|problem| std::cmp::Reverse(problem.flops()));
        let mut tuning = Tuning::default();
        for problem in order {
            let candidates = problem.candidates(adapter);
            let known = cache.get(&key, &problem.to_string());
            let known = known.map(|text| (text, candidate(text, &candidates)));
            if let Some((text, None)) = known {
                tuning.notes.push(format!(
                    "the cache's `{text}` for {problem} is no candidate, and is not used"
                ));
            }
            tuning.problems.push(match known {
                Some((_, Some(choice))) => Tuned::new(problem, choice, Source::Cache),
                _ => self.measure(bench, problem, &candidates).await?,
            });
        }
        if let Some(path) = &self.cache {
            keep(&mut tuning, path, key);
        }
        Ok(tuning)
    }

    async fn measure<B: Bench>(
        &self,
        bench: &mut B,
        problem: &Problem,
        candidates: &[Choice],
    ) -> Result<Tuned> {
        // The first is the heuristic's; there is always one.
        let Some((&usual, others)) = candidates.split_first() else {
            return Err(crate::Error::Invalid(format!("no kernels for {problem}")));
        };
        if others.is_empty() {
            return Ok(Tuned::new(problem, usual, Source::Only));
        }
        let found = best(bench, problem, (usual, others), self.budget).await?;
        Ok(match found {
            None => Tuned::new(problem, usual, Source::OutOfTime),
            Some(found) => Tuned::new(
                problem,
                found.choice,
                Source::Measured {
                    seconds: found.seconds,
                    usual,
                    usual_seconds: found.usual_seconds,
                    candidates: candidates.len(),
                    refused: found.refused,
                },
            ),
        })
    }
}

fn candidate(text: &str, candidates: &[Choice]) -> Option<Choice> {
    let choice = text.parse().ok()?;
    candidates.contains(&choice).then_some(choice)
}

/// Adds what was measured to the file, which another process may have changed meanwhile. A
/// training is not to fail because the disk is full: then a note says so.
fn keep(tuning: &mut Tuning, path: &Path, key: Key) {
    let measured = tuning.problems.iter();
    let measured = measured.filter(|tuned| matches!(tuned.source, Source::Measured { .. }));
    let measured: Choices = measured.map(|t| (t.problem.as_str(), t.choice)).collect();
    if measured.is_empty() {
        return;
    }
    let section = Section::new(key, &measured);
    let written = Cache::read(path).map_err(|error| error.to_string());
    let written = written.and_then(|mut cache| {
        cache.insert(section);
        cache.write(path).map_err(|error| error.to_string())
    });
    if let Err(reason) = written {
        let path = path.display();
        let note = format!("the choices were not kept in `{path}`: {reason}");
        tuning.notes.push(note);
    }
}
