//! A trained network made ready for answering.

use std::borrow::Cow;
use std::sync::Arc;

use super::model::Model;
use super::predict::Prediction;
use super::responder::Responder;
use crate::data::{Classes, Dataset, Sample};
use crate::error::{Error, Result};
use crate::graph::Parameter;
use crate::record::Recording;
use crate::run::Device;
use crate::shape::Shape;

/// A network for answering alone: batch normalisations folded away, no dropout, weights of its
/// own, and kernels ready for batches of some sizes.
///
/// Made by [`Model::predictor`]. Several threads may ask at the same time: each gets what it would
/// get alone, to the bit, and the device works through the batches in the order of their arrival.
///
/// ```no_run
/// # fn f(model: &wgrad::train::Model, test: &wgrad::data::Dataset) -> wgrad::Result<()> {
/// // Kernels for one sample and for up to 32 at a time.
/// let predictor = model.predictor(&[1, 32])?.classes(["cat", "dog"])?;
/// let answer = predictor.predict(&test.image(0)?)?;
/// for (name, probability) in answer.top_named(2) {
///     println!("{name}: {:.1} %", 100.0 * probability);
/// }
///
/// let answers = predictor.predict_dataset(test)?;
/// std::thread::scope(|scope| {
///     for thread in 0..8 {
///         let predictor = &predictor;
///         scope.spawn(move || predictor.predict(&test.image(thread)?));
///     }
/// });
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Predictor {
    /// Folded.
    model: Model,
    sizes: Vec<usize>,
    /// For each size.
    plans: Vec<Arc<Responder>>,
    classes: Option<Arc<Classes>>,
}

impl Model {
    /// Makes the network ready for answering, with a copy of its weights as they are now, and
    /// with plans for batches of these sizes: samples are cut into batches of the largest, and
    /// what is left takes the smallest that is large enough.
    ///
    /// Each size has memory of its own on the device; the weights are shared.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no size or a size of zero, [`Error::OutOfMemory`],
    /// [`Error::DeviceLost`].
    pub fn predictor(&self, batch_sizes: &[usize]) -> Result<Predictor> {
        pollster::block_on(self.predictor_async(batch_sizes))
    }

    /// The asynchronous form of [`Model::predictor`].
    ///
    /// # Errors
    /// As [`Model::predictor`].
    pub async fn predictor_async(&self, batch_sizes: &[usize]) -> Result<Predictor> {
        if batch_sizes.is_empty() || batch_sizes.contains(&0) {
            return Err(Error::Invalid(format!(
                "a predictor needs batch sizes of at least 1, not {batch_sizes:?}"
            )));
        }
        let model = self.folded_async().await?;
        let mut plans = Vec::with_capacity(batch_sizes.len());
        for &size in batch_sizes {
            plans.push(model.responder(size).await?);
        }
        Ok(Predictor {
            model,
            sizes: batch_sizes.to_vec(),
            plans,
            classes: None,
        })
    }
}

impl Predictor {
    /// Gives the outputs names, which [`Prediction::top_named`] answers with.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is not one for each output.
    pub fn classes(mut self, classes: impl Into<Classes>) -> Result<Self> {
        let (classes, outputs) = (classes.into(), self.output_shape().elements());
        if classes.len() != outputs {
            return Err(Error::Invalid(format!(
                "{} names of classes were given for a network of {outputs} outputs",
                classes.len()
            )));
        }
        self.classes = Some(Arc::new(classes));
        Ok(self)
    }

    /// Answers one sample.
    ///
    /// # Errors
    /// [`Error::Length`] when the sample is not of the network's input shape,
    /// [`Error::DeviceLost`].
    pub fn predict(&self, sample: &Sample) -> Result<Prediction> {
        pollster::block_on(self.predict_async(sample))
    }

    /// The asynchronous form of [`Predictor::predict`].
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    pub async fn predict_async(&self, sample: &Sample) -> Result<Prediction> {
        let mut answer = self.model.predict_sized(&self.sizes, sample).await?;
        answer.classes.clone_from(&self.classes);
        Ok(answer)
    }

    /// Answers any number of samples, given one after the other in PyTorch's order, as the
    /// network sees them (normalised).
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    pub fn predict_batch(&self, samples: &[f32]) -> Result<Vec<Prediction>> {
        pollster::block_on(self.predict_batch_async(samples))
    }

    /// The asynchronous form of [`Predictor::predict_batch`].
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    pub async fn predict_batch_async(&self, samples: &[f32]) -> Result<Vec<Prediction>> {
        let answers = self.model.predict_batch_sized(&self.sizes, samples).await?;
        Ok(self.named(answers))
    }

    /// Answers every sample of a data set, in its order; its targets do not matter.
    ///
    /// # Errors
    /// [`Error::Invalid`] for samples of another shape, [`Error::DeviceLost`].
    pub fn predict_dataset(&self, data: &Dataset) -> Result<Vec<Prediction>> {
        pollster::block_on(self.predict_dataset_async(data))
    }

    /// The asynchronous form of [`Predictor::predict_dataset`].
    ///
    /// # Errors
    /// As [`Predictor::predict_dataset`].
    pub async fn predict_dataset_async(&self, data: &Dataset) -> Result<Vec<Prediction>> {
        self.model.check_samples(data)?;
        let part = |range: std::ops::Range<usize>| {
            let indices: Vec<u32> = range.map(|index| index as u32).collect();
            Ok(Cow::Owned(data.batch(&indices)?))
        };
        let responses = self.model.respond(&self.sizes, data.len(), part).await?;
        Ok(self.named(self.model.predictions(&responses)))
    }

    fn named(&self, mut answers: Vec<Prediction>) -> Vec<Prediction> {
        for answer in &mut answers {
            answer.classes.clone_from(&self.classes);
        }
        answers
    }

    /// The shape of one sample.
    pub fn input_shape(&self) -> &Shape {
        self.model.input_shape()
    }

    /// The shape of the response to one sample.
    pub fn output_shape(&self) -> &Shape {
        self.model.output_shape()
    }

    /// The parameters that are left: a folded batch normalisation has none.
    pub fn parameters(&self) -> &[Parameter] {
        self.model.parameters()
    }

    /// The device that answers.
    pub fn device(&self) -> &Device {
        self.model.device()
    }

    /// The sizes of batches that there are plans for.
    pub fn batch_sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// The dispatches that answer a batch of one of these sizes; its `Display` is a table. `None`
    /// for a size without a plan.
    pub fn recording(&self, batch_size: usize) -> Option<&Recording> {
        let index = self.sizes.iter().position(|size| *size == batch_size)?;
        self.plans.get(index).map(|plan| plan.recording())
    }
}
