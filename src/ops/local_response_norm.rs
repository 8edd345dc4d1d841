//! Local response normalisation (Krizhevsky, Sutskever and Hinton, "ImageNet classification with
//! deep convolutional neural networks", NIPS 2012), across channels or, as in Caffe, within them.

use super::batch_norm::channels_of;
use super::{Operator, Reason, arity, elementwise, image};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::onnx::{Constant, OnnxNode, Translation};
use crate::plan::{BufferId, Lowering, Operand};
use crate::shader::{Kernel, shader};

/// More terms than this in a sum are refused: some drivers cut longer loops silently.
const LARGEST: usize = 32_768;

/// `y = x/s^β` with `s = k + α/m · Σ x²`, the sum over a window around the element.
///
/// Across channels (the default), the window has the `size` channels
/// `c − ⌊size/2⌋, …, c + ⌊(size−1)/2⌋` at the element's position, and m = `size`, as in PyTorch and
/// Caffe; AlexNet's α is not divided. [Within channels](Self::within_channels) it has `size × size`
/// positions of the element's channel, placed alike on both axes, and m = `size²` (Caffe's
/// `WITHIN_CHANNEL`, which fixes k = 1). Beyond the image's edges and channels there are zeros,
/// which count in m.
///
/// `δx = δ/s^β − 2αβ/m · x · Σ δ·y/s`, the sum over the elements in whose windows x lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalResponseNorm {
    size: usize,
    alpha: f32,
    beta: f32,
    k: f32,
    within_channels: bool,
}

impl LocalResponseNorm {
    /// Windows of `size` channels, with α = 1e-4, β = 0.75 and k = 1: PyTorch's defaults.
    pub const fn new(size: usize) -> Self {
        Self {
            size,
            alpha: 1e-4,
            beta: 0.75,
            k: 1.0,
            within_channels: false,
        }
    }

    /// α, not below 0.
    #[must_use]
    pub const fn alpha(mut self, alpha: f32) -> Self {
        self.alpha = alpha;
        self
    }

    /// β.
    #[must_use]
    pub const fn beta(mut self, beta: f32) -> Self {
        self.beta = beta;
        self
    }

    /// k, above 0: keeps the divisor from zero.
    #[must_use]
    pub const fn k(mut self, k: f32) -> Self {
        self.k = k;
        self
    }

    /// Sums over windows of `size × size` positions of one channel, in place of windows of
    /// channels.
    #[must_use]
    pub const fn within_channels(mut self) -> Self {
        self.within_channels = true;
        self
    }

    /// The numbers in a window: m.
    fn terms(&self) -> usize {
        match self.within_channels {
            true => self.size.saturating_mul(self.size),
            false => self.size,
        }
    }

    fn check(&self, x: &ValueType) -> Result<(), Reason> {
        match self.within_channels {
            true => image(x).map(drop)?,
            false => channels_of(x).map(drop)?,
        }
        if self.size == 0 || self.terms() > LARGEST {
            return Err(format!(
                "a window has 1 to {LARGEST} numbers, one of size {} has {}",
                self.size,
                self.terms()
            ));
        }
        let known = self.alpha.is_finite() && self.beta.is_finite() && self.k.is_finite();
        if !known || self.alpha < 0.0 || self.k <= 0.0 {
            return Err(format!(
                "alpha must not be below 0 and k must be above 0, they are {} and {}, beta is {}",
                self.alpha, self.k, self.beta
            ));
        }
        Ok(())
    }

    /// A kernel that sums over windows with this many places before and behind the element.
    fn windows(&self, kernel: Kernel, x: &Operand, reach: [usize; 2]) -> Result<Kernel, Reason> {
        let shape = &x.value_type.shape;
        let kernel = kernel
            .define("CHANNELS", channels_of(&x.value_type)?)
            .define("BEFORE", reach[0])
            .define("BEHIND", reach[1])
            .constant("beta", f64::from(self.beta));
        Ok(match (self.within_channels, shape.image()) {
            (true, Some([_, height, width])) => kernel
                .flag("WITHIN_CHANNELS", true)
                .define("HEIGHT", height)
                .define("WIDTH", width),
            _ => kernel,
        })
    }
}

impl Operator for LocalResponseNorm {
    fn name(&self) -> &'static str {
        "local_response_norm"
    }

    /// y, and s for the backward pass.
    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x] = arity::<1>(inputs)?;
        self.check(&x)?;
        Ok(vec![x.clone(), x])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        if cx.delta(1).is_some() {
            return Err("there is no gradient through the divisor alone".to_owned());
        }
        let delta = cx.output_delta()?;
        let operands = [cx.input(0), cx.output(0), cx.output(1), delta];
        let dx = cx.apply(LocalResponseNormGrad { norm: *self }, &operands);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, y) = (cx.input(0), cx.output(0));
        let kernel = elementwise::kernel(shader!("local_response_norm"), "y", &y)
            .constant("k", f64::from(self.k))
            .constant("scale", f64::from(self.alpha) / self.terms() as f64)
            .bind("x", &x);
        let reach = [self.size / 2, (self.size - 1) / 2];
        let mut kernel = self.windows(kernel, &x, reach)?;
        if cx.is_used(1) {
            kernel = kernel.flag("DIVISOR", true).bind("s", &cx.output(1));
        }
        cx.dispatch(kernel);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let x = cx.input(0)?;
        let shape = cx.input_type(0).shape.clone();
        let [alpha, beta, k] = [self.alpha, self.beta, self.k].map(f64::from);
        let (before, behind) = (self.size / 2, self.size.saturating_sub(1) / 2);
        if !self.within_channels && before == behind && shape.len() == 3 {
            let node = OnnxNode::new("LRN", [x])
                .int("size", self.size as i64)
                .float("alpha", alpha)
                .float("beta", beta)
                .float("bias", k);
            cx.result(node);
            return Ok(());
        }
        // The mean of the squares in a window: a pooling, over channels as rows of an image.
        let mut squares = cx.step(OnnxNode::new("Mul", [x.clone(), x.clone()]));
        let mut window = [(self.size, before, behind); 2];
        if !self.within_channels {
            let rows = cx.constant("rows", Constant::Ints(vec![0, 1, shape[0] as i64, -1]));
            squares = cx.step(OnnxNode::new("Reshape", [squares, rows]));
            window[1] = (1, 0, 0);
        }
        let [rows, columns] = window;
        let mean = OnnxNode::new("AveragePool", [squares])
            .ints("kernel_shape", [rows.0, columns.0])
            .pads([rows.1, columns.1, rows.2, columns.2])
            .int("count_include_pad", 1);
        let mut mean = cx.step(mean);
        if !self.within_channels {
            let reshaped = cx.reshaped_as_input(mean);
            mean = cx.step(reshaped);
        }
        let [alpha, beta, k] = [alpha, beta, k].map(|value| cx.number(value));
        let scaled = cx.step(OnnxNode::new("Mul", [mean, alpha]));
        let sum = cx.step(OnnxNode::new("Add", [scaled, k]));
        let divisor = cx.step(OnnxNode::new("Pow", [sum, beta]));
        cx.result(OnnxNode::new("Div", [x, divisor]));
        Ok(())
    }

    fn keeps_distribution(&self) -> bool {
        true
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        // Squares and their sum; scale, shift, power, product.
        let each = 2 * self.terms() + 4;
        inputs
            .first()
            .map_or(0, |x| (each * x.logical_len(batch)) as u64)
    }
}

/// δ of x; see [`LocalResponseNorm`]. Operands: x, y, s, δ of y.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalResponseNormGrad {
    norm: LocalResponseNorm,
}

impl Operator for LocalResponseNormGrad {
    fn name(&self) -> &'static str {
        "local_response_norm_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let result = elementwise::same_type::<4>(inputs)?;
        self.norm.check(&result[0])?;
        Ok(result)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let norm = &self.norm;
        let [x, y, s, dy] = [0, 1, 2, 3].map(|index| cx.input(index));
        let dx = cx.output(0);
        // What the windows sum is computed once for all windows that share it.
        let terms = cx.temporary("terms", dx.len);
        let first = elementwise::kernel(shader!("local_response_norm_grad_terms"), "s", &s)
            .define("CHANNELS", channels_of(&x.value_type)?)
            .bind("y", &y)
            .bind("dy", &dy)
            .bind("terms", terms);
        cx.dispatch(first);
        let factor = 2.0 * f64::from(norm.alpha) * f64::from(norm.beta) / norm.terms() as f64;
        let last = elementwise::kernel(shader!("local_response_norm_grad"), "dx", &dx)
            .constant("factor", factor)
            .bind("x", BufferId::from(&x))
            .bind("s", &s)
            .bind("dy", &dy)
            .bind("terms", terms);
        // x lies in the windows of the elements that it could be the centre of, mirrored.
        let reach = [(norm.size - 1) / 2, norm.size / 2];
        cx.dispatch(norm.windows(last, &x, reach)?);
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        let each = self.norm.terms() + 7;
        inputs
            .first()
            .map_or(0, |x| (each * x.logical_len(batch)) as u64)
    }
}

impl Graph {
    /// Applies [`LocalResponseNorm`] to an image `[C, H, W]`, or across features `[C]`.
    ///
    /// ```
    /// use wgrad::graph::Graph;
    /// use wgrad::ops::LocalResponseNorm;
    ///
    /// let mut graph = Graph::new();
    /// let x = graph.input("x", [96, 55, 55]);
    /// // AlexNet's: its alpha of 1e-4 is not divided by the size.
    /// let alexnet = LocalResponseNorm::new(5).alpha(5e-4).k(2.0);
    /// let y = graph.local_response_norm(x, alexnet);
    /// assert_eq!(graph.shape(y)[..], [96, 55, 55]);
    /// # graph.check()?;
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    pub fn local_response_norm(&mut self, x: Var, norm: LocalResponseNorm) -> Var {
        let x = self.relayout(x);
        let name = self.layer_name("lrn");
        self.apply(&name, norm, &[x])
    }
}
