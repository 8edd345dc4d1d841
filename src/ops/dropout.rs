//! Inverted dropout (Srivastava et al., "Dropout", JMLR 15, 2014).

use super::{Operator, Reason, draws};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::onnx::Translation;
use crate::plan::{Lowering, Mode};
use crate::shader::shader;

/// In training, each element is zeroed with probability p and the others are multiplied by
/// 1/(1−p), so that the expected value stays; in evaluation, `y = x`.
///
/// The draws follow from seed, step, the layer's path and the element
/// ([`random`](crate::random)): element e of the batch (in PyTorch's order) is kept if lane
/// e mod 4 of Philox for counter (⌊e/4⌋, step, stream, 0), as a number in [0, 1), is at least p.
/// Where a step has several micro-batches, these are counted instead. The backward pass draws them again instead of keeping a mask: `δx = δy/(1−p)` where kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// The probability p of being dropped, in [0, 1).
    pub probability: f32,
    /// Which draws are used; layers with different numbers draw independently.
    /// [`Graph::dropout`] takes the hash of the layer's path.
    pub stream: u32,
}

impl Dropout {
    /// Drops with this probability, in [0, 1).
    pub const fn new(probability: f32) -> Self {
        Self {
            probability,
            stream: 0,
        }
    }
}

impl From<f32> for Dropout {
    fn from(probability: f32) -> Self {
        Self::new(probability)
    }
}

pub(super) fn check_probability(probability: f32) -> Result<(), Reason> {
    match (0.0..1.0).contains(&probability) {
        true => Ok(()),
        false => Err(format!(
            "the probability of being dropped must lie in [0, 1), it is {probability}"
        )),
    }
}

/// What is dropped or kept as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drawn {
    Element,
    Channel,
    Sample,
    Batch,
}

/// Emits the kernel of a dropout, which is that of its gradient too.
pub(super) fn lower(
    cx: &mut Lowering<'_>,
    drawn: Drawn,
    probability: f32,
    stream: u32,
) -> Result<(), Reason> {
    let y = cx.output(0);
    let probability = f64::from(probability);
    let kept = 1.0 - probability;
    let scale = if kept > 0.0 { 1.0 / kept } else { 0.0 };
    let kernel = draws::kernel(cx, shader!("dropout"), stream)?
        .flag("BY_ELEMENT", drawn == Drawn::Element)
        .flag("BY_CHANNEL", drawn == Drawn::Channel)
        .flag("BY_SAMPLE", matches!(drawn, Drawn::Sample | Drawn::Batch))
        .flag("BATCH", drawn == Drawn::Batch)
        .constant("probability", probability)
        .constant("scale", scale)
        .bind("y", &y);
    cx.dispatch(kernel);
    Ok(())
}

/// The gradient: the same elements of δ are dropped again.
pub(super) fn gradient(cx: &mut Backward<'_>, dropout: impl Operator) -> Result<(), Reason> {
    let delta = cx.output_delta()?;
    let dx = cx.apply(dropout, &[delta]);
    cx.set(0, dx);
    Ok(())
}

impl Operator for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        check_probability(self.probability)?;
        draws::same_type(inputs)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        gradient(cx, *self)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        lower(cx, Drawn::Element, self.probability, self.stream)
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        cx.same()
    }

    fn is_view(&self, mode: Mode) -> bool {
        mode == Mode::Evaluation || self.probability == 0.0
    }

    fn keeps_distribution(&self) -> bool {
        true
    }
}

impl Graph {
    /// Applies [`Dropout`] to an image or to features.
    ///
    /// ```
    /// # use wgrad::graph::Graph;
    /// use wgrad::ops::dropout::Dropout;
    ///
    /// let mut graph = Graph::new();
    /// let x = graph.input("x", [128]);
    /// let y = graph.dropout(x, Dropout::new(0.5)); // or graph.dropout(x, 0.5)
    /// assert_eq!(graph.shape(y), graph.shape(x));
    /// ```
    pub fn dropout(&mut self, x: Var, dropout: impl Into<Dropout>) -> Var {
        let name = self.layer_name("dropout");
        let dropout = Dropout {
            stream: draws::stream_of(&name),
            ..dropout.into()
        };
        self.apply(&name, dropout, &[x])
    }
}
