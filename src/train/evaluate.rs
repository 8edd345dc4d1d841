//! Evaluation: running statistics, no dropout, no change of state.

use super::model::Model;
use super::step::{Answer, Loss};
use crate::data::{Classes, DataError, Dataset, Targets};
use crate::error::{Error, Result};
use crate::graph::{ValueType, Var};
use crate::plan::{Mode, Plan, PlanOptions};
use crate::record::{Range, Recording, range};
use crate::report::Confusion;
use crate::run::{Program, ProgramOptions};

/// Samples that are evaluated together, where there are as many.
const BATCH: usize = 256;

/// How well a model answers a data set.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Evaluation {
    /// The loss, averaged over the samples.
    pub loss: f64,
    /// The fraction of samples whose class was found; none in a regression.
    pub accuracy: Option<f64>,
    /// True against predicted classes; none in a regression.
    pub confusion: Option<Confusion>,
}

/// An evaluation plan for one batch size.
#[derive(Debug)]
pub(super) struct Evaluator {
    program: Program,
    batch: usize,
    input: (ValueType, Range),
    response: (ValueType, Range),
    /// With a loss: where the right answers go, and where the samples' losses are.
    answers: Option<(Answer, ValueType, Range)>,
    losses: Option<Range>,
}

impl Evaluator {
    pub(super) async fn new(model: &Model, batch: usize, loss: Option<Loss>) -> Result<Self> {
        let mut graph = model.graph.clone();
        let mut targets = vec![model.output];
        let applied = loss.map(|loss| loss.apply(&mut graph, model.output));
        graph.place(model.output, "response", 0);
        if let Some((_, values)) = applied {
            graph.place(values.per_sample, "sample_losses", 0);
            targets.push(values.per_sample);
        }
        let options = PlanOptions {
            batch,
            mode: Mode::Evaluation,
            fuse: true,
            reuse: true,
        };
        let (profile, shaders) = (model.device.profile(), model.device.shaders());
        let plan = Plan::new(&graph, &targets, options, profile, shaders)?;
        let recording = Recording::new(&plan, profile, shaders)?;
        let options = ProgramOptions::default();
        let program = Program::new(&model.device, &recording, &[&model.memory], options).await?;
        let place = |var: Var| {
            let value_type = graph.type_of(var).clone();
            let missing = || Error::Invalid(format!("`{}` is not used", graph.value(var).name));
            let buffer = plan.buffer_of(var).ok_or_else(missing)?;
            let len = value_type.device_len(batch);
            let range = range(&plan, buffer);
            Ok::<_, Error>((value_type, Range { len, ..range }))
        };
        let (answers, losses) = match applied {
            None => (None, None),
            Some((answer, values)) => {
                let (Answer::Labels(var) | Answer::Values(var)) = answer;
                let (value_type, range) = place(var)?;
                let losses = place(values.per_sample)?.1;
                (Some((answer, value_type, range)), Some(losses))
            }
        };
        Ok(Self {
            input: place(model.input)?,
            response: place(model.output)?,
            program,
            batch,
            answers,
            losses,
        })
    }

    /// The responses to up to a batch of samples, in PyTorch's order.
    pub(super) async fn respond(&self, samples: &[f32]) -> Result<Vec<f32>> {
        let (value_type, range) = &self.input;
        let mut packed = value_type.layout.pack(samples);
        packed.resize(range.len, 0.0);
        self.program.write(range, &packed)?;
        self.program.run()?;
        let (value_type, range) = &self.response;
        let mut response = value_type.layout.unpack(&self.program.read(range).await?);
        let count = samples.len() / self.input.0.shape.elements();
        response.truncate(count * value_type.shape.elements());
        Ok(response)
    }

    /// Writes the right answers of the batch.
    fn write_answers(&self, data: &Dataset, indices: &[u32]) -> Result<()> {
        let Some((answer, value_type, range)) = &self.answers else {
            return Ok(());
        };
        match (answer, data.targets()) {
            (Answer::Labels(_), Targets::Labels { labels, .. }) => {
                let mut batch: Vec<u32> = indices.iter().map(|&i| labels[i as usize]).collect();
                batch.resize(self.batch, 0);
                self.program.write(range, &batch)
            }
            (Answer::Values(_), Targets::Values { shape, values }) => {
                let len: usize = shape.iter().product();
                let of = |&i: &u32| &values[i as usize * len..(i as usize + 1) * len];
                let batch: Vec<f32> = indices.iter().flat_map(of).copied().collect();
                let mut packed = value_type.layout.pack(&batch);
                packed.resize(range.len, 0.0);
                self.program.write(range, &packed)
            }
            _ => Err(Error::Invalid(
                "the data set's answers do not suit the model's loss".to_owned(),
            )),
        }
    }
}

impl Model {
    /// Answers every sample of `data` and compares: loss, accuracy, confusion.
    ///
    /// # Errors
    /// [`Error::Data`] for an empty data set, [`Error::Invalid`] for one that does not fit the
    /// network, [`Error::DeviceLost`].
    pub fn evaluate(&self, data: &Dataset) -> Result<Evaluation> {
        pollster::block_on(self.evaluate_async(data))
    }

    /// The asynchronous form of [`Model::evaluate`].
    ///
    /// # Errors
    /// As [`Model::evaluate`].
    pub async fn evaluate_async(&self, data: &Dataset) -> Result<Evaluation> {
        self.check_data(data, self.loss)?;
        let batch = BATCH.min(data.len());
        let evaluator = self.evaluator(batch, Some(self.loss)).await?;
        let classes = self.output_shape().elements();
        let mut confusion = data
            .classes()
            .map(|known| Confusion::new(named(known, classes)));
        let indices: Vec<u32> = (0..data.len() as u32).collect();
        let mut total = 0.0;
        for chunk in indices.chunks(batch) {
            evaluator.write_answers(data, chunk)?;
            let responses = evaluator.respond(&data.batch(chunk)?).await?;
            if let Some(range) = &evaluator.losses {
                let losses: Vec<f32> = evaluator.program.read(range).await?;
                total += losses[..chunk.len()]
                    .iter()
                    .map(|&l| f64::from(l))
                    .sum::<f64>();
            }
            if let (Some(confusion), Some(labels)) = (&mut confusion, data.labels()) {
                for (&index, response) in chunk.iter().zip(responses.chunks(classes)) {
                    confusion.add(labels[index as usize], largest(response))?;
                }
            }
        }
        Ok(Evaluation {
            loss: total / data.len() as f64,
            accuracy: confusion.as_ref().and_then(Confusion::accuracy),
            confusion,
        })
    }

    /// Whether a data set fits the network and the loss.
    pub(super) fn check_data(&self, data: &Dataset, loss: Loss) -> Result<()> {
        if data.is_empty() {
            return Err(DataError::Empty {
                samples: 0,
                shape: data.shape().to_vec(),
            }
            .into());
        }
        let wrong = |what: &str, expected: &[usize], found: &[usize]| {
            Err(Error::Invalid(format!(
                "the network's {what} has shape {expected:?}, the data set's {found:?}"
            )))
        };
        if data.shape() != &self.input_shape()[..] {
            return wrong("input", self.input_shape(), data.shape());
        }
        match (loss, data.targets()) {
            (Loss::SoftmaxCrossEntropy, Targets::Labels { classes, .. }) => {
                let outputs = self.output_shape().elements();
                match classes.len() <= outputs {
                    true => Ok(()),
                    false => Err(Error::Invalid(format!(
                        "the data set has {} classes, the network only {outputs} outputs",
                        classes.len()
                    ))),
                }
            }
            (Loss::MeanSquaredError, Targets::Values { shape, .. }) => {
                match shape[..] == self.output_shape()[..] {
                    true => Ok(()),
                    false => wrong("output", self.output_shape(), shape),
                }
            }
            (Loss::SoftmaxCrossEntropy, Targets::Values { .. }) => Err(Error::Invalid(
                "softmax cross-entropy needs class labels, the data set has target values"
                    .to_owned(),
            )),
            (Loss::MeanSquaredError, Targets::Labels { .. }) => Err(Error::Invalid(
                "mean squared error needs target values, the data set has class labels".to_owned(),
            )),
        }
    }
}

/// The data set's names for its classes; the network's further outputs, which it may answer with
/// too, go by their numbers.
fn named(known: &Classes, outputs: usize) -> Classes {
    let mut names = known.names().to_vec();
    names.extend((names.len()..outputs).map(|class| class.to_string()));
    Classes::from(names)
}

/// The index of the largest element, the first of equals; NaN is never the largest unless all
/// are.
pub(super) fn largest(values: &[f32]) -> u32 {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] || values[best].is_nan() {
            best = i;
        }
    }
    best as u32
}
