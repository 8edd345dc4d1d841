//! A part of a value: some of its channels, rows and columns.

use std::ops::{Bound, RangeBounds};

use super::concat::reordered;
use super::zero_pad::ZeroPad;
use super::{Operator, Reason, arity, elementwise};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::layout::LANES;
use crate::onnx::{Constant, OnnxNode, Translation};
use crate::plan::Lowering;
use crate::shader::shader;
use crate::shape::{Shape, product};

/// A range of one axis; no end means the axis's.
type Extent = (usize, Option<usize>);

/// `y[c,i,j] = x[c₀+c, i₀+i, j₀+j]`: the part of an image in ranges of channels, rows and columns,
/// or some of the features. An axis without a range is kept whole, as in PyTorch's `x[:, 2:5]`.
///
/// δx is δy with zeros around it.
///
/// ```
/// use wgrad::graph::Graph;
/// use wgrad::ops::Slice;
///
/// let mut graph = Graph::new();
/// let x = graph.input("x", [8, 32, 32]);
/// let y = graph.slice(x, Slice::new().channels(2..5).rows(4..).columns(..=15));
/// assert_eq!(graph.shape(y)[..], [3, 28, 16]);
/// # graph.check()?;
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    channels: Extent,
    rows: Extent,
    columns: Extent,
}

fn extent(range: impl RangeBounds<usize>) -> Extent {
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&last) => Some(last.saturating_add(1)),
        Bound::Excluded(&end) => Some(end),
        Bound::Unbounded => None,
    };
    (start, end)
}

impl Slice {
    /// Everything.
    pub const fn new() -> Self {
        const ALL: Extent = (0, None);
        Self {
            channels: ALL,
            rows: ALL,
            columns: ALL,
        }
    }

    /// These channels of an image, or features.
    #[must_use]
    pub fn channels(mut self, range: impl RangeBounds<usize>) -> Self {
        self.channels = extent(range);
        self
    }

    /// These rows of an image.
    #[must_use]
    pub fn rows(mut self, range: impl RangeBounds<usize>) -> Self {
        self.rows = extent(range);
        self
    }

    /// These columns of an image.
    #[must_use]
    pub fn columns(mut self, range: impl RangeBounds<usize>) -> Self {
        self.columns = extent(range);
        self
    }

    /// Start and length per axis, for a value of this shape.
    fn within(&self, shape: &Shape) -> Result<[[usize; 2]; 3], Reason> {
        let axes = [
            ("channels", self.channels),
            ("rows", self.rows),
            ("columns", self.columns),
        ];
        let mut found = [[0; 2]; 3];
        for ((place, len), (axis, (start, end))) in found.iter_mut().zip(as_image(shape)).zip(axes)
        {
            let end = end.unwrap_or(len);
            if start >= end {
                return Err(format!("the {axis} {start}..{end} are none"));
            }
            if end > len {
                return Err(format!(
                    "the {axis} {start}..{end} are not within the input {shape}"
                ));
            }
            *place = [start, end - start];
        }
        Ok(found)
    }
}

/// The shape `[C, H, W]`; features are one pixel, and any other shape one row of pixels.
pub(crate) fn as_image(shape: &Shape) -> [usize; 3] {
    let positions = || product(shape.iter().skip(1));
    let channels = shape.first().copied().unwrap_or(1);
    shape.image().unwrap_or_else(|| [channels, 1, positions()])
}

/// The type of a value of which only the extents change, as from an image to an image.
pub(crate) fn resized(x: &ValueType, [channels, height, width]: [usize; 3]) -> ValueType {
    let mut shape = x.shape.to_vec();
    match &mut shape[..] {
        [c, h, w] => [*c, *h, *w] = [channels, height, width],
        [c, ..] => *c = channels,
        [] => {}
    }
    ValueType {
        batched: x.batched,
        element: x.element,
        ..ValueType::sample(shape)
    }
}

/// Checks that an operand is in the standard order, and that it is an image if it must be.
pub(crate) fn check_order(x: &ValueType, must_be_image: bool) -> Result<(), Reason> {
    if x.shape.is_empty() || !x.is_standard() {
        return Err(format!(
            "an image [channels, height, width] or features are needed, the input is {}{}",
            x.shape,
            reordered(x)
        ));
    }
    if must_be_image && x.shape.image().is_none() {
        return Err(format!(
            "only an image has rows and columns, the input is {}",
            x.shape
        ));
    }
    Ok(())
}

/// Emits the kernel that copies from these places of an image on; places beyond it give zeros.
pub(crate) fn lower_from(cx: &mut Lowering<'_>, [channel, row, column]: [i64; 3]) {
    let (x, y) = (cx.input(0), cx.output(0));
    let from = as_image(&x.value_type.shape);
    let to = as_image(&y.value_type.shape);
    let kernel = elementwise::kernel(shader!("slice"), "y", &y)
        .define_signed("FIRST_CHANNEL", channel)
        .define_signed("FIRST_ROW", row)
        .define_signed("FIRST_COLUMN", column)
        .flag("ALIGNED", channel % LANES as i64 == 0)
        .defines([("IN_CHANNELS", from[0]), ("CHANNELS", to[0])])
        .defines([("IN_HEIGHT", from[1]), ("HEIGHT", to[1])])
        .defines([("IN_WIDTH", from[2]), ("WIDTH", to[2])])
        .bind("x", &x);
    cx.dispatch(kernel);
}

impl Operator for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x] = arity::<1>(inputs)?;
        let whole = (0, None);
        check_order(&x, self.rows != whole || self.columns != whole)?;
        let lengths = self.within(&x.shape)?.map(|[_, len]| len);
        Ok(vec![resized(&x, lengths)])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let shape = cx.type_of(cx.input(0)).shape;
        let parts = self.within(&shape)?;
        let [channels, rows, columns] = [0, 1, 2].map(|axis| {
            let [start, len] = parts[axis];
            [start, as_image(&shape)[axis] - start - len]
        });
        let back = ZeroPad::sides(rows, columns).channels(channels[0], channels[1]);
        let dx = cx.apply(back, &[delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let parts = self.within(&cx.input(0).value_type.shape)?;
        lower_from(cx, parts.map(|[start, _]| start as i64));
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        // Of features there are only channels.
        let axes = cx.input_type(0).shape.len();
        let ranges = self.within(&cx.input_type(0).shape)?;
        let ranges = &ranges[..if axes == 3 { 3 } else { 1 }];
        let starts = ranges.iter().map(|[start, _]| *start as i64).collect();
        let ends = ranges
            .iter()
            .map(|[start, len]| (start + len) as i64)
            .collect();
        let axes = (1..=ranges.len() as i64).collect();
        let starts = cx.constant("starts", Constant::Ints(starts));
        let ends = cx.constant("ends", Constant::Ints(ends));
        let axes = cx.constant("axes", Constant::Ints(axes));
        let node = OnnxNode::new("Slice", [cx.input(0)?, starts, ends, axes]);
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
    /// A part of an image `[C, H, W]` or of features `[F]`; see [`Slice`].
    pub fn slice(&mut self, x: Var, slice: Slice) -> Var {
        let x = self.relayout(x);
        let name = self.layer_name("slice");
        self.apply(&name, slice, &[x])
    }
}
