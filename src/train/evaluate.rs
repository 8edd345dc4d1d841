//! Evaluation: running statistics, no dropout, no change of state. Losses and right answers are
//! added up on the device and read once.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_intrusive::sync::Mutex;

use super::loss::{Answer, Loss};
use super::model::Model;
use crate::data::{Classes, DataError, Dataset, Targets};
use crate::error::{Error, Result};
use crate::graph::{Graph, ValueType, Var};
use crate::ops::training::{
    BATCH_BUFFER, BATCH_WORDS, Counted, SumLosses, TALLY_BATCHES, TALLY_BUFFER, TALLY_SUMS,
};
use crate::plan::{Mode, Plan, PlanOptions};
use crate::record::{Place, Range, Recording, range};
use crate::report::Confusion;
use crate::run::{Program, ProgramOptions};

/// Samples that are evaluated together, where there are as many.
const BATCH: usize = 256;

/// Batches that may wait in the device's queue; the samples of each wait with them. While the device
/// works on these, the samples of the next are read, so that a streamed set needs no further thread.
const IN_FLIGHT: usize = 2;

/// How well a model answers a data set.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Evaluation {
    /// The loss, averaged over the samples; where the loss weighs its samples, by these weights.
    pub loss: f64,
    /// The fraction of samples whose class was found; with a loss that asks yes or no, of the
    /// elements that were answered rightly. None in a regression, or if none counts.
    pub accuracy: Option<f64>,
    /// True against predicted classes; none in a regression, and beyond 4096 classes. With a loss
    /// that asks yes or no ([`BinaryCrossEntropy`](crate::ops::BinaryCrossEntropy)), its elements
    /// by the classes `no` and `yes`.
    pub confusion: Option<Confusion>,
    /// Samples by how many classes the response put before the true one; empty without classes.
    ranks: Vec<u64>,
}

impl Evaluation {
    /// The fraction of samples whose class is among the `k` that the model finds likeliest; none
    /// where samples have no class, or if none counts. `top_k(1)` is the accuracy. Of classes with the
    /// same response, the first counts as likelier.
    pub fn top_k(&self, k: usize) -> Option<f64> {
        let total: u64 = self.ranks.iter().sum();
        let found: u64 = self.ranks.iter().take(k).sum();
        (total > 0).then(|| found as f64 / total as f64)
    }
}

/// A plan of the network for evaluation, with its memory.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) program: Program,
    pub(super) recording: Recording,
    graph: Graph,
    plan: Plan,
}

impl Planned {
    /// Plans `targets` of a graph that contains the model's.
    pub(super) async fn new(
        model: &Model,
        graph: Graph,
        targets: &[Var],
        batch: usize,
    ) -> Result<Self> {
        let options = PlanOptions {
            batch,
            mode: Mode::Evaluation,
            fuse: true,
            reuse: true,
        };
        let (profile, shaders) = (model.device.profile(), model.device.shaders());
        let plan = Plan::new(&graph, targets, options, profile, shaders)?;
        let recording = Recording::new(&plan, profile, shaders)?;
        let options = ProgramOptions::default();
        let program = Program::new(&model.device, &recording, &[&model.memory], options).await?;
        Ok(Self {
            program,
            recording,
            graph,
            plan,
        })
    }

    /// The type of a value, and where it lies.
    pub(super) fn place(&self, var: Var) -> Result<(ValueType, Range)> {
        let value_type = self.graph.type_of(var).clone();
        let missing = || Error::Invalid(format!("`{}` is not used", self.graph.value(var).name));
        let buffer = self.plan.buffer_of(var).ok_or_else(missing)?;
        let len = value_type.device_len(self.plan.options.batch);
        let range = range(&self.plan, buffer);
        Ok((value_type, Range { len, ..range }))
    }

    /// Writes up to a batch of samples or targets in PyTorch's order, and zeros for the rest.
    pub(super) fn write(&self, place: &(ValueType, Range), of: &[f32]) -> Result<()> {
        self.program.write(&place.1, &packed(place, of))
    }
}

/// Up to a batch of samples in the device's order, and zeros for the rest.
pub(super) fn packed((value_type, range): &(ValueType, Range), of: &[f32]) -> Vec<f32> {
    let mut packed = value_type.layout.pack(of);
    packed.resize(range.len, 0.0);
    packed
}

/// An evaluation plan for one batch size and the model's loss.
#[derive(Debug)]
pub(super) struct Evaluator {
    planned: Planned,
    batch: usize,
    counted: Counted,
    input: (ValueType, Range),
    answer: (Answer, (ValueType, Range)),
    /// Whose sums are on the device: one evaluation at a time.
    turn: Mutex<()>,
}

/// Sums and counts of some batches.
struct Tally {
    loss: f64,
    weight: f64,
    ranks: Vec<u64>,
    /// By true and predicted class.
    pairs: Vec<u64>,
}

impl Evaluator {
    pub(super) async fn new(model: &Model, batch: usize, loss: &Loss) -> Result<Self> {
        let mut graph = model.graph.clone();
        let answer = loss.answer(&mut graph, model.output);
        let values = loss.apply(&mut graph, model.output, answer);
        let losses: Vec<Var> = [Some(values.per_sample), values.weights]
            .into_iter()
            .flatten()
            .collect();
        graph.apply_all("losses", Arc::new(SumLosses), &losses);
        let counted = loss.count(&mut graph, model.output, answer);
        let planned = Planned::new(model, graph, &[], batch).await?;
        Ok(Self {
            input: planned.place(model.input)?,
            answer: (answer, planned.place(answer.var())?),
            planned,
            batch,
            counted,
            turn: Mutex::new((), true),
        })
    }

    fn named(buffer: &str, offset: usize, len: usize) -> Range {
        Range {
            place: Place::Named(buffer.to_owned()),
            offset,
            len,
        }
    }

    /// The counts, behind the sums.
    fn counts(&self) -> Range {
        Self::named(TALLY_BUFFER, Counted::offset(), self.counted.words())
    }

    /// Batches that the sums have room for, and whose elements 32 bits can count.
    fn batches_of_a_tally(&self) -> usize {
        let elements = self.answer.1.0.logical_len(self.batch).max(1);
        (u32::MAX as usize / elements).clamp(1, TALLY_BATCHES)
    }

    /// Evaluates so many batches as [`Evaluator::batches_of_a_tally`] says, or fewer.
    async fn tally(&self, model: &Model, data: &Dataset, samples: &[u32]) -> Result<Tally> {
        let program = &self.planned.program;
        let counts = self.counts();
        if counts.len > 0 {
            program.write(&counts, &vec![0_u32; counts.len])?;
        }
        let mut in_flight = VecDeque::new();
        for (number, chunk) in samples.chunks(self.batch).enumerate() {
            let words = [chunk.len() as u32, number as u32, 0, 0];
            program.write(&Self::named(BATCH_BUFFER, 0, BATCH_WORDS), &words)?;
            self.planned.write(&self.input, &data.batch(chunk)?)?;
            self.write_answers(model, data, chunk)?;
            in_flight.push_back(program.run()?);
            if in_flight.len() > IN_FLIGHT
                && let Some(oldest) = in_flight.pop_front()
            {
                oldest.wait(&model.device)?;
            }
        }
        self.read(samples.len().div_ceil(self.batch)).await
    }

    async fn read(&self, batches: usize) -> Result<Tally> {
        let counts = self.counts();
        let end = match counts.len {
            0 => TALLY_SUMS,
            _ => counts.offset + counts.len,
        };
        let all = Self::named(TALLY_BUFFER, 0, end);
        let words: Vec<u32> = self.planned.program.read(&all).await?;
        let sum = |of: usize| {
            let words = words.iter().skip(of).step_by(2).take(batches);
            words.map(|w| f64::from(f32::from_bits(*w))).sum()
        };
        let counts = words.get(counts.offset..).unwrap_or_default();
        let counts: Vec<u64> = counts.iter().map(|&count| u64::from(count)).collect();
        let (ranks, pairs) = counts.split_at(self.counted.ranks().min(counts.len()));
        Ok(Tally {
            loss: sum(0),
            weight: sum(1),
            ranks: ranks.to_vec(),
            pairs: pairs.to_vec(),
        })
    }

    /// Writes the right answers of the batch.
    fn write_answers(&self, model: &Model, data: &Dataset, indices: &[u32]) -> Result<()> {
        let (answer, place) = &self.answer;
        match (answer, data.targets()) {
            (Answer::Labels(_), Targets::Labels { labels, .. }) => {
                let mut batch: Vec<u32> = indices.iter().map(|&i| labels[i as usize]).collect();
                batch.resize(self.batch, 0);
                self.planned.program.write(&place.1, &batch)
            }
            (Answer::Values(_), Targets::Values { shape, values }) => {
                let len: usize = shape.iter().product();
                let of = |&i: &u32| &values[i as usize * len..(i as usize + 1) * len];
                let batch: Vec<f32> = indices.iter().flat_map(of).copied().collect();
                self.planned.write(place, &batch)
            }
            _ => model.loss.check(model.output_shape(), data.targets()),
        }
    }
}

impl Tally {
    fn new(counted: Counted) -> Self {
        Self {
            loss: 0.0,
            weight: 0.0,
            ranks: vec![0; counted.ranks()],
            pairs: vec![0; counted.pairs()],
        }
    }

    fn add(&mut self, more: &Self) {
        self.loss += more.loss;
        self.weight += more.weight;
        let add = |sums: &mut [u64], more: &[u64]| {
            sums.iter_mut().zip(more).for_each(|(sum, n)| *sum += n);
        };
        add(&mut self.ranks, &more.ranks);
        add(&mut self.pairs, &more.pairs);
    }

    fn evaluation(self, counted: Counted, classes: Option<&Classes>) -> Evaluation {
        let classes = match counted {
            Counted::Classes(outputs) => classes.map(|known| named(known, outputs)),
            Counted::Decisions => Some(Classes::from(["no", "yes"])),
            Counted::Nothing => None,
        };
        let classes = classes.filter(|_| counted.pairs() > 0);
        let confusion = classes.map(|classes| Confusion::from_counts(classes, self.pairs));
        let mut evaluation = Evaluation {
            loss: self.loss / self.weight,
            accuracy: None,
            confusion,
            ranks: self.ranks,
        };
        evaluation.accuracy = match (counted, &evaluation.confusion) {
            (Counted::Decisions, Some(confusion)) => confusion.accuracy(),
            _ => evaluation.top_k(1),
        };
        evaluation
    }
}

impl Model {
    /// Answers every sample of `data` and compares: loss, accuracy, confusion.
    ///
    /// Several threads may ask at the same time; evaluations of one model with batches of one size
    /// then wait for each other.
    ///
    /// # Errors
    /// [`Error::Data`] for an empty data set, [`Error::Invalid`] or [`Error::Answers`] for one
    /// that does not fit the network or the loss, [`Error::DeviceLost`].
    pub fn evaluate(&self, data: &Dataset) -> Result<Evaluation> {
        pollster::block_on(self.evaluate_async(data))
    }

    /// The asynchronous form of [`Model::evaluate`].
    ///
    /// # Errors
    /// As [`Model::evaluate`].
    pub async fn evaluate_async(&self, data: &Dataset) -> Result<Evaluation> {
        self.check_data(data, &self.loss)?;
        let evaluator = self.evaluator(BATCH.min(data.len())).await?;
        let _turn = evaluator.turn.lock().await;
        let samples: Vec<u32> = (0..data.len() as u32).collect();
        let mut tally = Tally::new(evaluator.counted);
        for segment in samples.chunks(evaluator.batch * evaluator.batches_of_a_tally()) {
            tally.add(&evaluator.tally(self, data, segment).await?);
        }
        Ok(tally.evaluation(evaluator.counted, data.classes()))
    }

    /// Whether a data set fits the network and the loss.
    pub(super) fn check_data(&self, data: &Dataset, loss: &Loss) -> Result<()> {
        self.check_samples(data)?;
        loss.check(self.output_shape(), data.targets())
    }

    /// Whether a data set's samples fit the network.
    pub(super) fn check_samples(&self, data: &Dataset) -> Result<()> {
        if data.is_empty() {
            return Err(DataError::Empty {
                samples: 0,
                shape: data.shape().to_vec(),
            }
            .into());
        }
        if data.shape() != &self.input_shape()[..] {
            return Err(Error::Invalid(format!(
                "the network's input has shape {:?}, the data set's {:?}",
                &self.input_shape()[..],
                data.shape()
            )));
        }
        Ok(())
    }
}

/// The data set's names for its classes; the network's further outputs, which it may answer with
/// too, go by their numbers, and an ignored class beyond them has none.
fn named(known: &Classes, outputs: usize) -> Classes {
    let mut names = known.names().to_vec();
    names.truncate(outputs);
    names.extend((names.len()..outputs).map(|class| class.to_string()));
    Classes::from(names)
}
