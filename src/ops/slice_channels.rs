//! Some of a value's channels: the gradient of concatenation.

use super::concat::reordered;
use super::{Operator, Reason, arity, elementwise};
use crate::graph::ValueType;
use crate::layout::LANES;
use crate::onnx::{Constant, OnnxNode, Translation};
use crate::plan::Lowering;
use crate::shader::shader;

/// `y[c] = x[start + c]` for `channels` channels of an image or features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceChannels {
    start: usize,
    channels: usize,
}

impl SliceChannels {
    /// This many channels from `start` on.
    pub const fn new(start: usize, channels: usize) -> Self {
        Self { start, channels }
    }
}

impl Operator for SliceChannels {
    fn name(&self) -> &'static str {
        "slice_channels"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x] = arity::<1>(inputs)?;
        if x.shape.is_empty() || !x.is_standard() {
            return Err(format!(
                "an image [channels, height, width] or features are needed, the input is {}{}",
                x.shape,
                reordered(&x)
            ));
        }
        let end = self.start.checked_add(self.channels);
        if self.channels == 0 || end.is_none_or(|end| end > x.shape[0]) {
            return Err(format!(
                "{} channels from {} on are not within the input {}",
                self.channels, self.start, x.shape
            ));
        }
        let mut shape = x.shape.to_vec();
        shape[0] = self.channels;
        Ok(vec![ValueType {
            batched: x.batched,
            element: x.element,
            ..ValueType::sample(shape)
        }])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, y) = (cx.input(0), cx.output(0));
        let kernel = elementwise::kernel(shader!("slice_channels"), "y", &y)
            .define("VECS", self.channels.div_ceil(LANES))
            .define("IN_VECS", x.value_type.shape[0].div_ceil(LANES))
            .define("START", self.start)
            .define("CHANNELS", self.channels)
            .flag("ALIGNED", self.start.is_multiple_of(LANES))
            .bind("x", &x);
        cx.dispatch(kernel);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let (start, end) = (self.start as i64, (self.start + self.channels) as i64);
        let start = cx.constant("start", Constant::Ints(vec![start]));
        let end = cx.constant("end", Constant::Ints(vec![end]));
        let axis = cx.constant("axis", Constant::Ints(vec![1]));
        let node = OnnxNode::new("Slice", [cx.input(0)?, start, end, axis]);
        cx.result(node);
        Ok(())
    }

    fn flops(&self, _: &[&ValueType], _: &[&ValueType], _: usize) -> u64 {
        0
    }
}
