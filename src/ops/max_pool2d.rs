//! Max pooling: the largest element of every window.

use super::pool_window::Window;
use super::window::Padding;
use super::{Operator, Reason, arity, elementwise, image};
use crate::autodiff::Backward;
use crate::graph::{Element, Graph, ValueType, Var};
use crate::layout::{LANES, Layout, padded};
use crate::onnx::Translation;
use crate::plan::{Lowering, Operand};
use crate::shader::{Grid, Kernel, shader};
use crate::shape::{Shape, Size2d};

/// Elements of the largest window that one invocation of a gradient writes by itself.
const LARGEST_TILE: usize = 16;

/// `y[c,i,j] = max x[c, i·S+u−P, j·S+v−P]` over the K window positions `u, v` on the input.
///
/// The first maximum in row order is kept, and NaN wins, as in PyTorch. Per axis there are
/// `⌊(L + P − K)/S⌋ + 1` windows, P the padding of both sides together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool2d {
    window: Window,
}

impl MaxPool2d {
    /// Windows of this size side by side.
    pub fn new(kernel: impl Into<Size2d>) -> Self {
        Self {
            window: Window::new(kernel.into()),
        }
    }

    /// The distance of neighbouring windows; the kernel's size unless told.
    #[must_use]
    pub fn stride(mut self, stride: impl Into<Size2d>) -> Self {
        self.window.stride = Some(stride.into());
        self
    }

    /// Padding of −∞, on each side at most half the kernel; none unless told. `1`, `[rows, columns]`,
    /// `[[top, bottom], [left, right]]` or [`Padding::Same`].
    #[must_use]
    pub fn padding(mut self, padding: impl Into<Padding>) -> Self {
        self.window.padding = padding.into();
        self
    }

    /// Whether the number of windows is rounded up (Caffe's rule) instead of down. A window
    /// that would begin behind the input is dropped, as in PyTorch.
    #[must_use]
    pub const fn ceil_mode(mut self, ceil_mode: bool) -> Self {
        self.window.ceil_mode = ceil_mode;
        self
    }

    /// The kernel of the forward pass without its operand, with the winners' places if anything
    /// reads them.
    pub(super) fn kernel(
        &self,
        cx: &mut Lowering<'_>,
        input: [usize; 3],
    ) -> Result<Kernel, Reason> {
        let y = cx.output(0);
        let output = image(&y.value_type)?;
        let kernel = elementwise::kernel(shader!("max_pool2d"), "y", &y);
        let kernel = self.window.define(kernel, input, output);
        Ok(match cx.is_used(1) {
            true => kernel
                .define("INDICES", 1)
                .flag("BYTES", self.bytes())
                .bind("indices", &cx.output(1)),
            false => kernel,
        })
    }

    /// Whether a place within a window fits into a byte.
    fn bytes(&self) -> bool {
        self.window.area() <= 256
    }

    /// The type of the winners' places within their windows: a byte per channel, four to an
    /// element, or an element per channel.
    fn indices(&self, output: [usize; 3], batched: bool) -> ValueType {
        let [channels, rows, columns] = output;
        let per_position = if self.bytes() {
            channels.div_ceil(LANES)
        } else {
            padded(channels)
        };
        let shape = Shape::from([rows, columns, per_position]);
        ValueType {
            layout: Layout::row_major(&shape),
            shape,
            batched,
            element: Element::U32,
        }
    }
}

impl Operator for MaxPool2d {
    fn name(&self) -> &'static str {
        "max_pool2d"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x] = arity::<1>(inputs)?;
        let output = self.window.output(image(&x)?)?;
        let y = ValueType {
            batched: x.batched,
            ..ValueType::sample(output)
        };
        Ok(vec![y, self.indices(output, x.batched)])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let gradient = MaxPool2dGrad {
            pool: *self,
            input: image(&cx.type_of(cx.input(0)))?,
            masked: false,
        };
        let indices = cx.output(1);
        let dx = cx.apply(gradient, &[indices, delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let x = cx.input(0);
        let kernel = self.kernel(cx, image(&x.value_type)?)?.bind("x", &x);
        cx.dispatch(kernel);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let (input, output) = (image(cx.input_type(0))?, image(cx.output_type())?);
        // Padding is −∞, wherever it comes from; windows counted by rounding down are then all.
        let [asked, beyond] = self.window.pads(input, output);
        let pads = std::array::from_fn(|side| asked[side] + beyond[side]);
        let node = self.window.onnx("MaxPool", cx.input(0)?);
        cx.result(node.pads(pads));
        Ok(())
    }

    fn keeps_distribution(&self) -> bool {
        true
    }

    fn flops(&self, _: &[&ValueType], outputs: &[&ValueType], batch: usize) -> u64 {
        let results = outputs.first().map_or(0, |y| y.logical_len(batch));
        (results * self.window.area()) as u64
    }
}

/// δ of every window goes unchanged to the element that won it. Operands: the winners'
/// places, the second result of [`MaxPool2d`]; δy; and, where the planner has fused the gradient
/// of a ReLU before the pooling, the result of the pooling, which stops δ where it is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool2dGrad {
    pool: MaxPool2d,
    input: [usize; 3],
    masked: bool,
}

impl MaxPool2dGrad {
    /// With the result of the pooling as a third operand.
    pub(crate) const fn masked(self) -> Self {
        Self {
            masked: true,
            ..self
        }
    }

    pub(crate) const fn is_masked(self) -> bool {
        self.masked
    }

    /// How many elements of the image a kernel that imports `wgrad::max_pool_route` takes at once:
    /// those of a window, or one where windows do not tile the image or are so large that too few
    /// invocations would share the work.
    pub(crate) fn elements_at_once(&self) -> usize {
        match self.pool.window.area() {
            area if area <= LARGEST_TILE && self.pool.window.tiles(self.input) => area,
            _ => 1,
        }
    }

    /// Adds what `wgrad::max_pool_route` needs to a kernel.
    pub(crate) fn route(
        &self,
        kernel: Kernel,
        indices: &Operand,
        dy: &Operand,
    ) -> Result<Kernel, Reason> {
        let kernel = kernel
            .flag("BYTES", self.pool.bytes())
            .flag("DISJOINT", self.pool.window.is_disjoint())
            .flag("TILED", self.elements_at_once() > 1)
            .bind("indices", indices)
            .bind("dy", dy);
        let output = image(&dy.value_type)?;
        Ok(self.pool.window.define(kernel, self.input, output))
    }
}

impl Operator for MaxPool2dGrad {
    fn name(&self) -> &'static str {
        "max_pool2d_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let ([indices, delta] | [indices, delta, _]) = inputs else {
            return Err("the winners' places and a gradient are needed".to_owned());
        };
        let output = self.pool.window.output(self.input)?;
        if image(delta)? != output || **indices != self.pool.indices(output, delta.batched) {
            return Err(format!(
                "the gradient {} or the indices {} do not fit the result {output:?}",
                delta.shape, indices.shape
            ));
        }
        Ok(vec![ValueType {
            batched: delta.batched,
            ..ValueType::sample(self.input)
        }])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (indices, dy, dx) = (cx.input(0), cx.input(1), cx.output(0));
        let invocations = dx.len / LANES / self.elements_at_once();
        let kernel = Kernel::new(shader!("max_pool2d_grad"), Grid::Threads(invocations));
        let mut kernel = self.route(kernel, &indices, &dy)?.bind("dx", &dx);
        if self.masked {
            kernel = kernel.flag("MASKED", true).bind("pooled", &cx.input(2));
        }
        cx.dispatch(kernel);
        Ok(())
    }
}

impl Graph {
    /// Applies [`MaxPool2d`] to an image `[C, H, W]`.
    ///
    /// ```
    /// use wgrad::graph::Graph;
    /// use wgrad::ops::max_pool2d::MaxPool2d;
    ///
    /// let mut graph = Graph::new();
    /// let x = graph.input("image", [64, 112, 112]);
    /// let y = graph.max_pool2d(x, MaxPool2d::new(3).stride(2).padding(1));
    /// assert_eq!(**graph.shape(y), [64, 56, 56]);
    /// ```
    pub fn max_pool2d(&mut self, x: Var, pool: MaxPool2d) -> Var {
        let x = self.relayout(x);
        let name = self.layer_name("max_pool");
        self.apply(&name, pool, &[x])
    }
}
