//! Inverted dropout (Srivastava et al., "Dropout", JMLR 15, 2014).

use super::{Operator, Reason, elementwise};
use crate::autodiff::Backward;
use crate::graph::{Element, Graph, ValueType, Var};
use crate::layout::{LANES, Layout, padded};
use crate::onnx::Translation;
use crate::plan::{Lowering, Mode};
use crate::random::{STATE_BUFFER, STATE_LEN};
use crate::shader::{Grid, Kernel, shader};

/// In training, each element is zeroed with probability p and the others are multiplied by
/// 1/(1−p), so that the expected value stays; in evaluation, `y = x`.
///
/// The draws follow from seed, step, the layer's path and the element
/// ([`random`](crate::random)): element e of the batch (in PyTorch's order) is kept if lane
/// e mod 4 of Philox for counter (⌊e/4⌋, step, stream, 0), as a number in [0, 1), is at least p.
/// The backward pass draws them again instead of keeping a mask: `δx = δy/(1−p)` where kept.
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

/// Channels and positions of a layout whose logical index is channel · positions + position.
fn planes(layout: &Layout) -> Option<[usize; 2]> {
    let (channels, outer) = layout.axes().split_last()?;
    let mut positions = 1;
    for axis in outer.iter().rev() {
        if axis.len > 1 && axis.stride != positions || axis.padded != axis.len {
            return None;
        }
        positions *= axis.len;
    }
    let in_order = channels.len == 1 || channels.stride == positions;
    (in_order && channels.padded == padded(channels.len)).then_some([channels.len, positions])
}

impl Operator for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let types = elementwise::same_type::<1>(inputs)?;
        if !(0.0..1.0).contains(&self.probability) {
            return Err(format!(
                "the probability of being dropped must lie in [0, 1), it is {}",
                self.probability
            ));
        }
        if let [x] = types.as_slice()
            && (x.element != Element::F32 || !x.batched || planes(&x.layout).is_none())
        {
            return Err(format!(
                "an image or features are needed, the input is {}",
                x.shape
            ));
        }
        Ok(types)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let dx = cx.apply(*self, &[delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, y) = (cx.input(0), cx.output(0));
        let Some([channels, positions]) = planes(&x.value_type.layout) else {
            return Err("the input is neither an image nor features".to_owned());
        };
        let elements = x.value_type.logical_len(cx.batch());
        if u32::try_from(elements).is_err() {
            return Err(format!("{elements} elements are more than can be numbered"));
        }
        let quads = positions.is_multiple_of(LANES);
        let vectors = x.len / LANES;
        let length = if quads { vectors / LANES } else { vectors };
        let state = cx.persistent(STATE_BUFFER, 0, STATE_LEN);
        let kernel = Kernel::new(shader!("dropout"), Grid::Threads(length))
            .defines([("LENGTH", length), ("CHANNELS", channels)])
            .define("POSITIONS", positions)
            .flag("QUADS", quads)
            .constant("probability", f64::from(self.probability))
            .constant("scale", 1.0 / (1.0 - f64::from(self.probability)))
            .constant("stream", f64::from(self.stream))
            .bind("x", &x)
            .bind("state", state)
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

/// The 32-bit FNV-1a hash of a layer's path.
fn stream_of(path: &str) -> u32 {
    path.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
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
            stream: stream_of(&name),
            ..dropout.into()
        };
        self.apply(&name, dropout, &[x])
    }
}

#[cfg(test)]
mod tests {
    use super::{planes, stream_of};
    use crate::layout::Layout;

    /// Published FNV-1a vectors (draft-eastlake-fnv).
    #[test]
    fn path_hash_is_fnv_1a() {
        assert_eq!(stream_of(""), 0x811c_9dc5);
        assert_eq!(stream_of("a"), 0xe40c_292c);
        assert_eq!(stream_of("foobar"), 0xbf9c_f968);
    }

    #[test]
    fn samples_are_planes_of_positions_and_filters_are_not() {
        assert_eq!(planes(&Layout::sample(&[5, 2, 3].into())), Some([5, 6]));
        assert_eq!(planes(&Layout::sample(&[5].into())), Some([5, 1]));
        assert_eq!(planes(&Layout::sample(&[1, 4, 1].into())), Some([1, 4]));
        assert_eq!(planes(&Layout::sample(&[].into())), None);
        assert_eq!(planes(&Layout::filter([4, 4, 3, 3], false)), None);
        assert_eq!(planes(&Layout::row_major(&[3, 5].into())), None);
    }
}
