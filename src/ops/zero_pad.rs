//! Zeros around an image.

use super::slice::{Slice, as_image, check_order, lower_from, resized};
use super::{Operator, Reason, arity};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::onnx::{Constant, OnnxNode, Translation};
use crate::plan::Lowering;
use crate::shape::{Shape, Size2d};

/// An image with rows and columns of zeros around it, each side of its own width, as PyTorch's
/// `ZeroPad2d`; and, if told, with channels of zeros before and behind its own, as in the
/// shortcuts of residual networks that have no parameters.
///
/// δx is the part of δy where x lies.
///
/// ```
/// use wgrad::graph::Graph;
/// use wgrad::ops::ZeroPad;
///
/// let mut graph = Graph::new();
/// let x = graph.input("x", [3, 32, 32]);
/// let y = graph.zero_pad(x, ZeroPad::sides([0, 1], [2, 3]).channels(0, 5));
/// assert_eq!(graph.shape(y)[..], [8, 33, 37]);
/// # graph.check()?;
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZeroPad {
    /// Zeros before and behind, of channels, rows, columns.
    margins: [[usize; 2]; 3],
}

impl ZeroPad {
    /// As many rows above as below, and columns left as right: `1`, or `[rows, columns]`.
    pub fn new(padding: impl Into<Size2d>) -> Self {
        let Size2d { height, width } = padding.into();
        Self::sides([height, height], [width, width])
    }

    /// Rows `[above, below]` and columns `[left, right]`.
    pub const fn sides(rows: [usize; 2], columns: [usize; 2]) -> Self {
        Self {
            margins: [[0, 0], rows, columns],
        }
    }

    /// Channels before and behind; none unless told.
    #[must_use]
    pub const fn channels(mut self, before: usize, behind: usize) -> Self {
        self.margins[0] = [before, behind];
        self
    }

    /// The result's extents.
    fn output(&self, shape: &Shape) -> Result<[usize; 3], Reason> {
        let mut extents = as_image(shape);
        for (extent, [before, behind]) in extents.iter_mut().zip(self.margins) {
            *extent = extent
                .checked_add(before)
                .and_then(|sum| sum.checked_add(behind))
                .ok_or_else(|| format!("padding {shape} by {before} and {behind} overflows"))?;
        }
        Ok(extents)
    }
}

impl From<usize> for ZeroPad {
    fn from(padding: usize) -> Self {
        Self::new(padding)
    }
}

impl Operator for ZeroPad {
    fn name(&self) -> &'static str {
        "zero_pad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x] = arity::<1>(inputs)?;
        check_order(&x, self.margins[1..] != [[0, 0]; 2])?;
        Ok(vec![resized(&x, self.output(&x.shape)?)])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let extents = as_image(&cx.type_of(cx.input(0)).shape);
        let [channels, rows, columns] = [0, 1, 2].map(|axis| {
            let [before, _] = self.margins[axis];
            before..before + extents[axis]
        });
        let mut back = Slice::new().channels(channels);
        if self.margins[1..] != [[0, 0]; 2] {
            back = back.rows(rows).columns(columns);
        }
        let dx = cx.apply(back, &[delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        lower_from(cx, self.margins.map(|[before, _]| -(before as i64)));
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let axes = cx.input_type(0).shape.len();
        let side = |side: usize| {
            let of_axis = |axis: usize| self.margins.get(axis).map_or(0, |m| m[side] as i64);
            let batch = std::iter::once(0);
            batch.chain((0..axes).map(of_axis)).collect::<Vec<i64>>()
        };
        let pads = cx.constant("pads", Constant::Ints([side(0), side(1)].concat()));
        let node = OnnxNode::new("Pad", [cx.input(0)?, pads]);
        cx.result(node);
        Ok(())
    }

    fn keeps_distribution(&self) -> bool {
        true
    }

    fn flops(&self, _: &[&ValueType], _: &[&ValueType], _: usize) -> u64 {
        0
    }
}

impl Graph {
    /// Puts zeros around an image `[C, H, W]`; see [`ZeroPad`].
    pub fn zero_pad(&mut self, x: Var, padding: impl Into<ZeroPad>) -> Var {
        let x = self.relayout(x);
        let name = self.layer_name("zero_pad");
        self.apply(&name, padding.into(), &[x])
    }
}
