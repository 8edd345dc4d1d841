//! Adaptive max pooling: the largest element of every bin, for images of any size. Global max
//! pooling and spatial pyramid pooling are made of it.

use super::bins::Bins;
use super::concat::Concat;
use super::relayout::Relayout;
use super::reshape::Reshape;
use super::{Operator, Reason, arity, elementwise, image};
use crate::autodiff::Backward;
use crate::graph::{Element, Graph, ValueType, Var};
use crate::layout::{Layout, padded};
use crate::onnx::{Constant, OnnxNode, Translation};
use crate::plan::Lowering;
use crate::shader::shader;
use crate::shape::{Shape, Size2d};

/// `y[c,i,j] = max x[c,u,v]` over the rows `⌊i·H/h⌋ ≤ u < ⌈(i+1)·H/h⌉` and the columns
/// `⌊j·W/w⌋ ≤ v < ⌈(j+1)·W/w⌉`: an image `[C, H, W]` of any size becomes `[C, h, w]`.
///
/// The first maximum in row order is kept, and NaN wins. Source: PyTorch,
/// `torch.nn.AdaptiveMaxPool2d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveMaxPool2d {
    bins: Bins,
}

impl AdaptiveMaxPool2d {
    /// So many rows and columns of results.
    pub fn new(bins: impl Into<Size2d>) -> Self {
        Self {
            bins: Bins::new(bins.into()),
        }
    }

    /// The type of the winners' places, `row · W + column`, one per channel.
    fn places([channels, rows, columns]: [usize; 3], batched: bool) -> ValueType {
        let shape = Shape::from([rows, columns, padded(channels)]);
        ValueType {
            layout: Layout::row_major(&shape),
            shape,
            batched,
            element: Element::U32,
        }
    }
}

impl Operator for AdaptiveMaxPool2d {
    fn name(&self) -> &'static str {
        "adaptive_max_pool2d"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x] = arity::<1>(inputs)?;
        let output = self.bins.output(image(&x)?)?;
        let y = ValueType {
            batched: x.batched,
            ..ValueType::sample(output)
        };
        Ok(vec![y, Self::places(output, x.batched)])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let gradient = AdaptiveMaxPool2dGrad {
            pool: *self,
            input: image(&cx.type_of(cx.input(0)))?,
        };
        let places = cx.output(1);
        let dx = cx.apply(gradient, &[places, delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, y) = (cx.input(0), cx.output(0));
        let kernel = elementwise::kernel(shader!("adaptive_max_pool2d"), "y", &y).bind("x", &x);
        let mut kernel = self.bins.define(kernel, image(&x.value_type)?);
        if cx.is_used(1) {
            kernel = kernel.flag("PLACES", true).bind("places", &cx.output(1));
        }
        cx.dispatch(kernel);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let input = image(cx.input_type(0))?;
        let mut x = cx.input(0)?;
        if self.bins.is_one() {
            cx.result(OnnxNode::new("GlobalMaxPool", [x]));
            return Ok(());
        }
        // ONNX has no such pooling: the maximum of every bin of rows, side by side, then of columns.
        for (bins, axis) in self.bins.along(input).into_iter().zip([2, 3]) {
            let axes = cx.constant("axis", Constant::Ints(vec![axis]));
            let mut maxima = Vec::new();
            for [start, end] in bins {
                let start = cx.constant("start", Constant::Ints(vec![start as i64]));
                let end = cx.constant("end", Constant::Ints(vec![end as i64]));
                let bin = OnnxNode::new("Slice", [x.clone(), start, end, axes.clone()]);
                let bin = cx.step(bin);
                let largest = OnnxNode::new("ReduceMax", [bin]).ints("axes", [axis as usize]);
                maxima.push(cx.step(largest));
            }
            let joined = OnnxNode::new("Concat", maxima).int("axis", axis);
            if axis == 3 {
                cx.result(joined);
                return Ok(());
            }
            x = cx.step(joined);
        }
        Ok(())
    }

    fn keeps_distribution(&self) -> bool {
        true
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        inputs.first().map_or(0, |x| x.logical_len(batch) as u64)
    }
}

/// δ of every bin goes unchanged to the element that won it; where bins overlap, what they send
/// adds up. Operands: the winners' places, the second result of [`AdaptiveMaxPool2d`]; δy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveMaxPool2dGrad {
    pool: AdaptiveMaxPool2d,
    input: [usize; 3],
}

impl Operator for AdaptiveMaxPool2dGrad {
    fn name(&self) -> &'static str {
        "adaptive_max_pool2d_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [places, delta] = arity::<2>(inputs)?;
        let output = self.pool.bins.output(self.input)?;
        let expected = AdaptiveMaxPool2d::places(output, delta.batched);
        if image(&delta)? != output || places != expected {
            return Err(format!(
                "the gradient {} or the places {} do not fit the result {output:?}",
                delta.shape, places.shape
            ));
        }
        Ok(vec![ValueType {
            batched: delta.batched,
            ..ValueType::sample(self.input)
        }])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (places, dy, dx) = (cx.input(0), cx.input(1), cx.output(0));
        let kernel = elementwise::kernel(shader!("adaptive_max_pool2d_grad"), "dx", &dx)
            .bind("places", &places)
            .bind("dy", &dy);
        cx.dispatch(self.pool.bins.define(kernel, self.input));
        Ok(())
    }
}

impl Graph {
    /// Applies [`AdaptiveMaxPool2d`]: an image `[C, H, W]` becomes `[C, h, w]` for `bins` of
    /// `[h, w]`.
    ///
    /// ```
    /// use wgrad::graph::Graph;
    ///
    /// let mut graph = Graph::new();
    /// let x = graph.input("image", [256, 13, 17]);
    /// let y = graph.adaptive_max_pool2d(x, 6);
    /// assert_eq!(graph.shape(y)[..], [256, 6, 6]);
    /// ```
    pub fn adaptive_max_pool2d(&mut self, x: Var, bins: impl Into<Size2d>) -> Var {
        let name = self.layer_name("adaptive_max_pool");
        self.pool_bins(&name, x, bins.into())
    }

    /// The largest element of every channel: an image `[C, H, W]` becomes features `[C]`.
    ///
    /// The case of one bin of [`AdaptiveMaxPool2d`].
    pub fn global_max_pool(&mut self, x: Var) -> Var {
        let name = self.layer_name("global_max_pool");
        let y = self.pool_bins(&name, x, Size2d::square(1));
        self.features(&name, y)
    }

    /// Spatial pyramid pooling: an image `[C, H, W]` of any size becomes `C·Σl²` features.
    ///
    /// Every level `l` is an [`AdaptiveMaxPool2d`] to l×l bins, flattened in PyTorch's order
    /// `[C, l, l]`; the levels follow each other. A fully connected layer behind it thus serves
    /// images of every size. Source: He, Zhang, Ren and Sun, "Spatial pyramid pooling in deep
    /// convolutional networks for visual recognition" (2014).
    ///
    /// ```
    /// use wgrad::graph::Graph;
    ///
    /// let mut graph = Graph::new();
    /// for size in [[13, 13], [10, 17]] {
    ///     let x = graph.input("image", [256, size[0], size[1]]);
    ///     let y = graph.spatial_pyramid_pool(x, &[6, 3, 2, 1]);
    ///     assert_eq!(graph.shape(y)[..], [256 * (36 + 9 + 4 + 1)]);
    /// }
    /// ```
    pub fn spatial_pyramid_pool(&mut self, x: Var, levels: &[usize]) -> Var {
        let name = self.layer_name("spatial_pyramid_pool");
        let mut parts = Vec::new();
        for level in levels {
            let y = self.pool_bins(&name, x, Size2d::square(*level));
            parts.push(self.features(&name, y));
        }
        match parts.as_slice() {
            [] => {
                let reason = "a pyramid needs at least one level".to_owned();
                self.fail_at(&name, "spatial_pyramid_pool", reason);
                x
            }
            [only] => *only,
            parts => self.apply(&name, Concat, parts),
        }
    }

    fn pool_bins(&mut self, name: &str, x: Var, bins: Size2d) -> Var {
        let x = self.relayout(x);
        let passes = Bins::new(bins).passes(self.shape(x).image().unwrap_or_default());
        passes.fold(x, |x, bins| {
            self.apply(name, AdaptiveMaxPool2d::new(bins), &[x])
        })
    }

    /// An image as features in the standard layout.
    fn features(&mut self, name: &str, x: Var) -> Var {
        let elements = self.shape(x).elements();
        let flat = self.apply(name, Reshape::new(elements), &[x]);
        match self.type_of(flat).is_standard() {
            true => flat,
            false => self.apply(name, Relayout::standard(), &[flat]),
        }
    }
}
