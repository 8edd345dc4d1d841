//! Dropout of whole channels (Tompson et al., "Efficient object localization using convolutional
//! networks", CVPR 2015).

use super::dropout::{self, Drawn};
use super::{Operator, Reason, draws};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::onnx::Translation;
use crate::plan::{Lowering, Mode};

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
        dropout::check_probability(self.probability)?;
        let types = draws::same_type(inputs)?;
        match types
            .iter()
            .find(|x| x.shape.is_empty() || !x.is_standard())
        {
            None => Ok(types),
            Some(x) => Err(format!(
                "an image or features in the standard order are needed, the input is {}",
                x.shape
            )),
        }
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        dropout::gradient(cx, *self)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        dropout::lower(cx, Drawn::Channel, self.probability, self.stream)
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
