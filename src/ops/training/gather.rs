//! The batch, fetched from a data set that lies on the device.

use super::augmenting;
use crate::data::Augment;
use crate::graph::{Element, ValueType};
use crate::layout::LANES;
use crate::ops::{Operator, Reason};
use crate::plan::Lowering;
use crate::random::{STATE_BUFFER, STATE_LEN};
use crate::shader::{Grid, Kernel, shader};
use crate::shape::Shape;

/// How samples lie in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Four bytes a word.
    U8,
    /// Floats.
    F32,
}

/// The samples that the epoch's order names for the batch at hand, converted, normalised and
/// brought into the device's layout.
///
/// Operands: the samples in PyTorch's order, `[scale, mean, 1/std, 0]` per channel, and the
/// order of the epoch. `(value · scale − mean) · (1/std)` is what the network sees.
#[derive(Clone, Debug)]
pub struct Gather {
    /// Of one sample.
    pub shape: Shape,
    /// How the samples lie in the buffer.
    pub stored: Stored,
    /// What is changed at random in each image.
    pub augment: Augment,
    /// The brightest value that an image may have, before normalisation.
    pub white: f32,
}

impl Operator for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn infer(&self, _: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        Ok(vec![ValueType::sample(self.shape.clone())])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (samples, scales, order) = (cx.input(0), cx.input(1), cx.input(2));
        let step = cx.persistent(STATE_BUFFER, 0, STATE_LEN);
        let result = cx.output(0);
        let channels = self.shape.first().copied().unwrap_or(1);
        let vectors = result.len / LANES;
        let kernel = Kernel::new(shader!("gather"), Grid::Threads(vectors))
            .define("LENGTH", vectors)
            .define("BATCH", cx.batch())
            .define("CHANNELS", channels)
            .define("PIXELS", self.shape.elements() / channels)
            .flag("BYTES", self.stored == Stored::U8)
            .bind("samples", &samples)
            .bind("scales", &scales)
            .bind("order", &order)
            .bind("step", step);
        match self.augment.is_on() {
            true => augmenting::lower(self, cx, kernel),
            false => {
                cx.dispatch(kernel.bind("result", &result));
                Ok(())
            }
        }
    }
}

/// The labels of the batch at hand. Operands: all labels, and the order of the epoch.
#[derive(Clone, Copy, Debug)]
pub struct GatherLabels;

impl Operator for GatherLabels {
    fn name(&self) -> &'static str {
        "gather_labels"
    }

    fn infer(&self, _: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        Ok(vec![ValueType {
            element: Element::U32,
            ..ValueType::sample([])
        }])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (labels, order) = (cx.input(0), cx.input(1));
        let step = cx.persistent(STATE_BUFFER, 0, STATE_LEN);
        let result = cx.output(0);
        let kernel = Kernel::new(shader!("gather_labels"), Grid::Threads(cx.batch()))
            .define("BATCH", cx.batch())
            .bind("labels", &labels)
            .bind("order", &order)
            .bind("step", step)
            .bind("result", &result);
        cx.dispatch(kernel);
        Ok(())
    }
}
