//! Answers to single samples.

use super::model::Model;
use crate::data::Sample;
use crate::error::{Error, Result};

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
        super::evaluate::largest(&self.values) as usize
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
        let evaluator = self.evaluator(batch, None).await?;
        let mut predictions = Vec::with_capacity(samples.len() / len);
        for chunk in samples.chunks(batch * len) {
            let responses = evaluator.respond(chunk).await?;
            let values = responses.chunks(self.output_shape().elements());
            predictions.extend(values.map(|v| Prediction { values: v.to_vec() }));
        }
        Ok(predictions)
    }
}
