//! Answers to single samples.

use std::borrow::Cow;
use std::sync::Arc;

use super::model::Model;
use crate::data::{Classes, Sample};
use crate::error::{Error, Result};

/// Batch sizes that [`Model::predict_batch`] has plans for: one sample at a time, or many.
const SIZES: [usize; 2] = [1, 64];

/// The response of a network to one sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    pub(super) values: Vec<f32>,
    /// The classes' names, if they are known.
    pub(super) classes: Option<Arc<Classes>>,
}

impl Prediction {
    /// The network's response as it is: logits, for a classifier.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The most likely class, the first of equals.
    pub fn top1(&self) -> usize {
        self.ranked().first().copied().unwrap_or(0)
    }

    /// The k most likely classes with their probabilities, most likely first.
    pub fn top(&self, k: usize) -> Vec<(usize, f32)> {
        let probabilities = self.probabilities();
        let ranked = self.ranked().into_iter().take(k);
        ranked.map(|class| (class, probabilities[class])).collect()
    }

    /// As [`Prediction::top`], by name; empty unless the names are known, which
    /// [`Predictor::classes`](super::Predictor::classes) tells.
    pub fn top_named(&self, k: usize) -> Vec<(&str, f32)> {
        let top = self.top(k).into_iter();
        let named = top.filter_map(|(class, probability)| Some((self.name(class)?, probability)));
        named.collect()
    }

    /// The name of a class, if it is known.
    pub fn name(&self, class: usize) -> Option<&str> {
        let name = self.classes.as_deref()?.names().get(class)?;
        Some(name)
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

    /// The classes by falling value, of equals the first first. What is not a number comes last.
    fn ranked(&self) -> Vec<usize> {
        let mut ranked: Vec<usize> = (0..self.values.len()).collect();
        let value = |class: &usize| self.values[*class];
        ranked.sort_by(|a, b| {
            let nan_last = value(a).is_nan().cmp(&value(b).is_nan());
            // Both zeros are equal here, as the total order would not have them.
            nan_last.then((value(b) + 0.0).total_cmp(&(value(a) + 0.0)))
        });
        ranked
    }
}

impl Model {
    /// Answers one sample.
    ///
    /// The weights are read where training leaves them. A program that answers only, or from
    /// several threads, has less to compute with a [`Model::predictor`].
    ///
    /// # Errors
    /// [`Error::Length`] when the sample is not of the network's input shape,
    /// [`Error::DeviceLost`].
    pub fn predict(&self, sample: &Sample) -> Result<Prediction> {
        pollster::block_on(self.predict_sized(&SIZES, sample))
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
        self.predict_batch_sized(&SIZES, samples).await
    }

    /// As [`Model::predict`], by plans for batches of these sizes.
    pub(super) async fn predict_sized(
        &self,
        sizes: &[usize],
        sample: &Sample,
    ) -> Result<Prediction> {
        let samples = sample.values();
        if samples.len() != self.input_shape().elements() {
            return Err(self.wrong_length(samples));
        }
        let mut answers = self.predict_batch_sized(sizes, samples).await?;
        answers.pop().ok_or_else(|| self.wrong_length(samples))
    }

    /// As [`Model::predict_batch_async`], by plans for batches of these sizes.
    pub(super) async fn predict_batch_sized(
        &self,
        sizes: &[usize],
        samples: &[f32],
    ) -> Result<Vec<Prediction>> {
        let len = self.input_shape().elements();
        if samples.is_empty() || !samples.len().is_multiple_of(len) {
            return Err(self.wrong_length(samples));
        }
        let part = |range: std::ops::Range<usize>| {
            Ok(Cow::Borrowed(&samples[range.start * len..range.end * len]))
        };
        let responses = self.respond(sizes, samples.len() / len, part).await?;
        Ok(self.predictions(&responses))
    }

    pub(super) fn predictions(&self, responses: &[f32]) -> Vec<Prediction> {
        let each = responses.chunks(self.output_shape().elements().max(1));
        let prediction = |values: &[f32]| Prediction {
            values: values.to_vec(),
            classes: None,
        };
        each.map(prediction).collect()
    }

    fn wrong_length(&self, samples: &[f32]) -> Error {
        Error::Length {
            name: "sample".to_owned(),
            shape: self.input_shape().to_string(),
            expected: self.input_shape().elements(),
            found: samples.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Prediction;

    fn of(values: &[f32]) -> Prediction {
        Prediction {
            values: values.to_vec(),
            classes: None,
        }
    }

    #[test]
    fn classes_are_ranked_by_value() {
        let classes = |values: &[f32]| -> Vec<usize> {
            let answer = of(values);
            let top: Vec<usize> = answer.top(9).iter().map(|(class, _)| *class).collect();
            assert_eq!(answer.top1(), top[0]);
            top
        };
        assert_eq!(classes(&[1.0, 3.0, 2.0, 3.0]), [1, 3, 2, 0]);
        assert_eq!(classes(&[-0.0, 0.0, -1.0]), [0, 1, 2]);
        // So far apart that both probabilities are 1 and 0.
        assert_eq!(classes(&[0.0, 1e4, 2e4]), [2, 1, 0]);
        let nan = f32::NAN;
        assert_eq!(classes(&[nan, -5.0, -nan, 7.0]), [3, 1, 0, 2]);
    }

    #[test]
    fn probabilities_by_hand() {
        let answer = of(&[0.0, 3.0_f32.ln(), 2.0_f32.ln()]);
        let expected = [(1, 0.5), (2, 1.0 / 3.0)];
        for (found, expected) in answer.top(2).iter().zip(expected) {
            assert_eq!(found.0, expected.0);
            assert!((found.1 - expected.1).abs() < 1e-6, "{found:?}");
        }
        assert_eq!(answer.top(2).len(), 2);
        assert_eq!(answer.top_named(2), []);
        // Large logits overflow nothing.
        assert_eq!(of(&[1e30, 1e30]).probabilities(), [0.5, 0.5]);
    }
}
