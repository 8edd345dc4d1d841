//! How a data set reaches a training step.

use super::loss::Answer;
use crate::data::{Augment, DataError, Dataset, Targets};
use crate::error::Result;
use crate::graph::{Element, Graph, ValueType, Var};
use crate::layout::Layout;
use crate::ops::training::{Gather, GatherLabels, Stored};
use crate::run::{Device, Memory};
use crate::shape::Shape;

const SAMPLES: &str = "dataset.samples";
const LABELS: &str = "dataset.labels";
const TARGETS: &str = "dataset.targets";

/// Samples and right answers as they lie on the device.
#[derive(Debug, Default)]
pub(super) struct Window {
    samples: Vec<u32>,
    answers: Vec<u32>,
}

impl Window {
    /// Some samples of a data set, in this order.
    pub(super) fn gather(data: &Dataset, indices: &[u32]) -> Result<Self, DataError> {
        Ok(Self {
            samples: data.words(indices)?,
            answers: data.answer_words(indices),
        })
    }
}

/// A data set on the device, or a window of it, from which every step fetches its own batch.
#[derive(Clone, Debug)]
pub(super) struct Source {
    shape: Shape,
    stored: Stored,
    /// Words of the samples.
    samples: usize,
    channels: usize,
    /// Samples of an epoch.
    order: usize,
    /// What is changed in each image.
    pub(super) augment: Augment,
    /// What white is before normalisation.
    white: f32,
    answers: Answers,
}

#[derive(Clone, Debug)]
enum Answers {
    /// How many.
    Labels(usize),
    /// Shape and words.
    Values(Shape, usize),
}

impl Source {
    /// Makes room for `held` samples of `data`, which must fit the network, and for epochs of
    /// `order` samples.
    pub(super) async fn create(
        device: &Device,
        memory: &mut Memory,
        data: &Dataset,
        held: usize,
        order: usize,
    ) -> Result<Self> {
        let (stored, scale) = match data.scale() {
            Some(scale) => (Stored::U8, scale),
            None => (Stored::F32, 1.0),
        };
        let samples = data.words_of(held);
        memory.create(device, SAMPLES, samples).await?;
        memory
            .create_with(device, "dataset.scales", &scales(data, scale))
            .await?;
        memory.create(device, "dataset.order", order).await?;
        let answers = match data.targets() {
            Targets::Labels { .. } => {
                memory.create(device, LABELS, held).await?;
                Answers::Labels(held)
            }
            Targets::Values { shape, .. } => {
                let shape = Shape::from(shape.as_slice());
                let len = held * shape.elements();
                memory.create(device, TARGETS, len).await?;
                let unscaled = [1.0_f32, 0.0, 1.0, 0.0].repeat(scales_len(&shape) / 4);
                memory
                    .create_with(device, "dataset.unscaled", &unscaled)
                    .await?;
                Answers::Values(shape, len)
            }
        };
        Ok(Self {
            shape: Shape::from(data.shape()),
            stored,
            samples,
            channels: data.channels(),
            order,
            augment: Augment::new(),
            white: match stored {
                Stored::U8 => 255.0 * scale,
                Stored::F32 => 1.0,
            },
            answers,
        })
    }

    /// Overwrites the samples and answers, behind all that was submitted.
    pub(super) fn write(&self, device: &Device, memory: &Memory, window: &Window) -> Result<()> {
        let answers = match self.answers {
            Answers::Labels(_) => LABELS,
            Answers::Values(..) => TARGETS,
        };
        memory.write(device, SAMPLES, 0, &window.samples)?;
        memory.write(device, answers, 0, &window.answers)
    }

    /// Makes the network's input and the right answers results of fetching the batch.
    pub(super) fn connect(&self, graph: &mut Graph, input: Var, answer: Answer) {
        let order = stored(graph, "dataset.order", self.order, Element::U32);
        let (answer, answers_are_labels) = match answer {
            Answer::Labels(var) => (var, true),
            Answer::Values(var) => (var, false),
        };
        match (&self.answers, answers_are_labels) {
            (Answers::Labels(count), true) => {
                let labels = stored(graph, LABELS, *count, Element::U32);
                graph.produce("labels", GatherLabels, &[labels, order], &[answer]);
            }
            (Answers::Values(shape, words), false) => {
                let targets = stored(graph, TARGETS, *words, Element::F32);
                let ones = stored(graph, "dataset.unscaled", scales_len(shape), Element::F32);
                let gather = Gather {
                    shape: shape.clone(),
                    stored: Stored::F32,
                    augment: Augment::new(),
                    white: 1.0,
                };
                graph.produce("targets", gather, &[targets, ones, order], &[answer]);
            }
            (Answers::Labels(_), false) => graph.fail_at(
                "targets",
                "mean_squared_error",
                "the data set has class labels, not target values".to_owned(),
            ),
            (Answers::Values(..), true) => graph.fail_at(
                "labels",
                "softmax_cross_entropy",
                "the data set has target values, not class labels".to_owned(),
            ),
        }
        let samples = stored(graph, SAMPLES, self.samples, Element::U32);
        let scales = stored(graph, "dataset.scales", 4 * self.channels, Element::F32);
        let gather = Gather {
            shape: self.shape.clone(),
            stored: self.stored,
            augment: self.augment,
            white: self.white,
        };
        graph.produce("input", gather, &[samples, scales, order], &[input]);
    }
}

/// Elements of the table of scales for samples of this shape.
fn scales_len(shape: &[usize]) -> usize {
    4 * shape.first().copied().unwrap_or(1)
}

/// A buffer of the data set as a value of the graph.
fn stored(graph: &mut Graph, name: &str, len: usize, element: Element) -> Var {
    let shape = Shape::from([len]);
    let value_type = ValueType {
        layout: Layout::row_major(&shape),
        shape,
        batched: false,
        element,
    };
    graph.persistent(name, value_type, name, 0)
}

/// `[scale, mean, 1/std, 0]` per channel: what a network sees is `(value · scale − mean)/std`.
fn scales(data: &Dataset, scale: f32) -> Vec<f32> {
    let of_channel = |channel: usize| match data.normalisation() {
        Some(n) => [scale, n.mean[channel], 1.0 / n.std[channel], 0.0],
        None => [scale, 0.0, 1.0, 0.0],
    };
    (0..data.channels()).flat_map(of_channel).collect()
}
