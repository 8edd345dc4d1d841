//! Mean pooling: the average of every window.

use super::pool_window::Window;
use super::window::Padding;
use super::{Operator, Reason, arity, elementwise, image, image_gradient};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::onnx::{Constant, OnnxNode, Translation};
use crate::plan::Lowering;
use crate::shader::{Kernel, shader};
use crate::shape::Size2d;

/// `y[c,i,j] = 1/n · Σ x[c, i·S+u−P, j·S+v−P]` over the K window positions `u, v`.
///
/// n counts the positions on the input and, as PyTorch's `count_include_pad` does by default,
/// on the padding; never those that a last window of `ceil_mode` covers beyond the padding.
/// Per axis there are `⌊(L + P − K)/S⌋ + 1` windows, P the padding of both sides together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeanPool2d {
    window: Window,
    count_include_pad: bool,
}

impl MeanPool2d {
    /// Windows of this size side by side.
    pub fn new(kernel: impl Into<Size2d>) -> Self {
        Self {
            window: Window::new(kernel.into()),
            count_include_pad: true,
        }
    }

    /// The distance of neighbouring windows; the kernel's size unless told.
    #[must_use]
    pub fn stride(mut self, stride: impl Into<Size2d>) -> Self {
        self.window.stride = Some(stride.into());
        self
    }

    /// Zero padding, on each side at most half the kernel; none unless told. `1`, `[rows, columns]`,
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

    /// Whether padding counts in the divisor; it does unless told.
    #[must_use]
    pub const fn count_include_pad(mut self, count_include_pad: bool) -> Self {
        self.count_include_pad = count_include_pad;
        self
    }

    /// What the shaders know of windows and divisors.
    fn define(&self, kernel: Kernel, input: [usize; 3], output: [usize; 3]) -> Kernel {
        let [height, width] = self.window.sides(input).around([input[1], input[2]]);
        self.window
            .define(kernel, input, output)
            .flag("COUNT_INCLUDE_PAD", self.count_include_pad)
            .define("PADDED_HEIGHT", height)
            .define("PADDED_WIDTH", width)
    }
}

impl Operator for MeanPool2d {
    fn name(&self) -> &'static str {
        "mean_pool2d"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x] = arity::<1>(inputs)?;
        Ok(vec![ValueType {
            batched: x.batched,
            ..ValueType::sample(self.window.output(image(&x)?)?)
        }])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let gradient = MeanPool2dGrad {
            pool: *self,
            input: image(&cx.type_of(cx.input(0)))?,
        };
        let dx = cx.apply(gradient, &[delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, y) = (cx.input(0), cx.output(0));
        let (input, output) = (image(&x.value_type)?, image(&y.value_type)?);
        let kernel = elementwise::kernel(shader!("mean_pool2d"), "y", &y).bind("x", &x);
        cx.dispatch(self.define(kernel, input, output));
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let window = &self.window;
        let (input, output) = (image(cx.input_type(0))?, image(cx.output_type())?);
        let [asked, beyond] = window.pads(input, output);
        let x = cx.input(0)?;
        let node = match (self.count_include_pad, beyond == [0; 4]) {
            (counts, true) => window
                .onnx("AveragePool", x)
                .pads(asked)
                .int("count_include_pad", i64::from(counts)),
            (false, false) => {
                let pads = std::array::from_fn(|side| asked[side] + beyond[side]);
                window.onnx("AveragePool", x).pads(pads)
            }
            (true, false) => {
                // The padding counts, what lies beyond does not: they can be told apart only if
                // the padding's zeros are the image's own.
                let [top, left, bottom, right] = asked.map(|pad| pad as i64);
                let pads = vec![0, 0, top, left, 0, 0, bottom, right];
                let pads = cx.constant("pads", Constant::Ints(pads));
                let padded = cx.step(OnnxNode::new("Pad", [x, pads]));
                window.onnx("AveragePool", padded).pads(beyond)
            }
        };
        cx.result(node);
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

/// δ of every window is spread evenly over it: each element gets δ/n. Operand: δy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeanPool2dGrad {
    pool: MeanPool2d,
    input: [usize; 3],
}

impl Operator for MeanPool2dGrad {
    fn name(&self) -> &'static str {
        "mean_pool2d_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        image_gradient(inputs, self.input, self.pool.window.output(self.input)?)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (dy, dx) = (cx.input(0), cx.output(0));
        let output = image(&dy.value_type)?;
        let kernel = elementwise::kernel(shader!("mean_pool2d_grad"), "dx", &dx).bind("dy", &dy);
        cx.dispatch(self.pool.define(kernel, self.input, output));
        Ok(())
    }
}

impl Graph {
    /// Applies [`MeanPool2d`] to an image `[C, H, W]`.
    pub fn mean_pool2d(&mut self, x: Var, pool: MeanPool2d) -> Var {
        let x = self.relayout(x);
        let name = self.layer_name("mean_pool");
        self.apply(&name, pool, &[x])
    }
}
