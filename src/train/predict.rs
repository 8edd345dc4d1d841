//! Answers to single samples.

use super::evaluate::Planned;
use super::model::Model;
use crate::data::Sample;
use crate::error::{Error, Result};
use crate::graph::ValueType;
use crate::record::Range;

/// The response of a network to one sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    values: Vec<f32>,
}

impl Prediction {
    /// The network's response as it is: logits, for a classifier.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The most likely class.
    pub fn top1(&self) -> usize {
        largest(&self.values)
    }

    /// The k most likely classes with their probabilities, most likely first.
    pub fn top(&self, k: usize) -> Vec<(usize, f32)> {
        let mut ranked: Vec<(usize, f32)> = self.probabilities().into_iter().enumerate().collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked.truncate(k);
        ranked
    }

    /// The softmax of the values: the probability of each class.
    pub fn probabilities(&self) -> Vec<f32> {
        let largest = self
            .values
            .iter()
            .copied()
            .fold(f32::NEG_INFINITY, f32::max);
        let exponentials: Vec<f32> = self.values.iter().map(|v| (v - largest).exp()).collect();
        let total: f32 = exponentials.iter().sum();
        exponentials.iter().map(|e| e / total).collect()
    }
}

/// The index of the largest element, the first of equals; NaN is never the largest unless all
/// are.
fn largest(values: &[f32]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] || values[best].is_nan() {
            best = i;
        }
    }
    best
}

/// A plan for answering batches of one size.
#[derive(Debug)]
pub(super) struct Responder {
    planned: Planned,
    input: (ValueType, Range),
    response: (ValueType, Range),
}

impl Responder {
    pub(super) async fn new(model: &Model, batch: usize) -> Result<Self> {
        let mut graph = model.graph.clone();
        graph.place(model.output, "response", 0);
        let planned = Planned::new(model, graph, &[model.output], batch).await?;
        Ok(Self {
            input: planned.place(model.input)?,
            response: planned.place(model.output)?,
            planned,
        })
    }

    /// The responses to up to a batch of samples, in PyTorch's order.
    async fn respond(&self, samples: &[f32]) -> Result<Vec<f32>> {
        self.planned.write(&self.input, samples)?;
        self.planned.program.run()?;
        let (value_type, range) = &self.response;
        let stored: Vec<f32> = self.planned.program.read(range).await?;
        let mut response = value_type.layout.unpack(&stored);
        let count = samples.len() / self.input.0.shape.elements();
        response.truncate(count * value_type.shape.elements());
        Ok(response)
    }
}

impl Model {
    /// Answers one sample.
    ///
    /// # Errors
    /// [`Error::Length`] when the sample is not of the network's input shape,
    /// [`Error::DeviceLost`].
    pub fn predict(&self, sample: &Sample) -> Result<Prediction> {
        let mut answers = self.predict_batch(sample.values())?;
        answers
            .pop()
            .ok_or_else(|| Error::Invalid("no sample was given".to_owned()))
    }

    /// Answers any number of samples, given one after the other in PyTorch's order, as the
    /// network sees them (normalised).
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predict_batch(&self, samples: &[f32]) -> Result<Vec<Prediction>> {
        pollster::block_on(self.predict_batch_async(samples))
    }

    /// The asynchronous form of [`Model::predict_batch`].
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub async fn predict_batch_async(&self, samples: &[f32]) -> Result<Vec<Prediction>> {
        let len = self.input_shape().elements();
        if samples.is_empty() || !samples.len().is_multiple_of(len) {
            return Err(Error::Length {
                name: "sample".to_owned(),
                shape: self.input_shape().to_string(),
                expected: len,
                found: samples.len(),
            });
        }
        // One sample at a time or many: two plans serve all sizes.
        let batch = if samples.len() == len { 1 } else { 64 };
        let responder = self.responder(batch).await?;
        let mut predictions = Vec::with_capacity(samples.len() / len);
        for chunk in samples.chunks(batch * len) {
            let responses = responder.respond(chunk).await?;
            let values = responses.chunks(self.output_shape().elements());
            predictions.extend(values.map(|v| Prediction { values: v.to_vec() }));
        }
        Ok(predictions)
    }
}
