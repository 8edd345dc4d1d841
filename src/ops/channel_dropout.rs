//! Dropout of whole channels (Tompson et al., "Efficient object localization using convolutional
//! networks", CVPR 2015).

use super::dropout::check_probability;
use super::{Operator, Reason, arity, draws};
use crate::autodiff::Backward;
use crate::graph::{Element, Graph, ValueType, Var};
use crate::onnx::Translation;
use crate::plan::{Lowering, Mode};
use crate::shader::shader;

/// In training, each channel of each sample is zeroed with probability p and the others are
/// multiplied by 1/(1−p); in evaluation, `y = x` (PyTorch's `Dropout2d`). Neighbouring pixels are
/// so alike that dropping single ones hides little. Each feature of a vector is a channel.
///
/// The draws are those of [`Dropout`](super::Dropout), one per channel: channel c of sample n is
/// element `n·C + c`. The backward pass draws them again: `δx = δy/(1−p)` where kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelDropout {
    /// The probability p of being dropped, in [0, 1).
    pub probability: f32,
    /// Which draws are used; layers with different numbers draw independently.
    /// [`Graph::channel_dropout`] takes the hash of the layer's path.
    pub stream: u32,
}

impl ChannelDropout {
    /// Drops with this probability, in [0, 1).
    pub const fn new(probability: f32) -> Self {
        Self {
            probability,
            stream: 0,
        }
    }
}

impl From<f32> for ChannelDropout {
    fn from(probability: f32) -> Self {
        Self::new(probability)
    }
}

impl Operator for ChannelDropout {
    fn name(&self) -> &'static str {
        "channel_dropout"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x] = arity::<1>(inputs)?;
        check_probability(self.probability)?;
        if x.element != Element::F32 || !x.batched || x.shape.is_empty() || !x.is_standard() {
            return Err(format!(
                "an image or features are needed, the input is {}",
                x.shape
            ));
        }
        Ok(vec![x])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let dx = cx.apply(*self, &[delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let y = cx.output(0);
        let kernel = draws::kernel(cx, shader!("channel_dropout"), self.stream)?
            .constant("probability", f64::from(self.probability))
            .constant("scale", 1.0 / (1.0 - f64::from(self.probability)))
            .bind("y", &y);
        cx.dispatch(kernel);
        Ok(())
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
    /// Applies [`ChannelDropout`] to an image or to features.
    pub fn channel_dropout(&mut self, x: Var, dropout: impl Into<ChannelDropout>) -> Var {
        let x = self.relayout(x);
        let name = self.layer_name("channel_dropout");
        let dropout = ChannelDropout {
            stream: draws::stream_of(&name),
            ..dropout.into()
        };
        self.apply(&name, dropout, &[x])
    }
}
