//! The randomised rectifier (Xu, Wang, Chen and Li, "Empirical evaluation of rectified activations
//! in convolutional network", 2015).

use super::{Operator, Reason, draws, elementwise};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::onnx::{OnnxNode, Translation};
use crate::plan::{Lowering, Mode};
use crate::shader::{Kernel, Shader, shader};

/// In training, `y = x` where `x > 0`, else `a·x` with a slope a for every element, drawn from
/// U(lower, upper); in evaluation with the mean slope `(lower + upper)/2`. NaN stays NaN.
///
/// The draws are those of [`Dropout`](super::Dropout): element e of the batch (in PyTorch's order)
/// has `a = lower + (upper − lower)·u`, where u in [0, 1) is lane e mod 4 of Philox for counter
/// (⌊e/4⌋, step, stream, 0). The backward pass draws the same slopes again.
///
/// For the default initialiser it is a rectifier of the mean slope (He's law).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rrelu {
    /// The least slope.
    pub lower: f32,
    /// The end of the slopes, not below `lower`.
    pub upper: f32,
    /// Which draws are used; layers with different numbers draw independently.
    /// [`Graph::rrelu`] takes the hash of the layer's path.
    pub stream: u32,
}

impl Rrelu {
    /// With slopes between these numbers.
    pub const fn new(lower: f32, upper: f32) -> Self {
        Self {
            lower,
            upper,
            stream: 0,
        }
    }

    fn mean_slope(self) -> f64 {
        0.5 * (f64::from(self.lower) + f64::from(self.upper))
    }

    /// The dispatch of training, whose result is bound as `result`.
    fn draw(self, cx: &mut Lowering<'_>, result: &'static str) -> Result<Kernel, Reason> {
        let output = cx.output(0);
        let kernel = draws::kernel(cx, shader!("rrelu"), self.stream)?;
        Ok(kernel
            .constant("lower", f64::from(self.lower))
            .constant("width", f64::from(self.upper) - f64::from(self.lower))
            .bind(result, &output))
    }

    /// The dispatch of evaluation: a leaky rectifier.
    fn leak(
        self,
        cx: &mut Lowering<'_>,
        shader: Shader,
        operands: &[&'static str],
        result: &'static str,
    ) {
        let constants = [("slope", self.mean_slope())];
        elementwise::lower(cx, shader, operands, result, &constants);
    }
}

impl Default for Rrelu {
    /// Slopes between 1/8 and 1/3, as in PyTorch.
    fn default() -> Self {
        Self::new(1.0 / 8.0, 1.0 / 3.0)
    }
}

impl Operator for Rrelu {
    fn name(&self) -> &'static str {
        "rrelu"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let width = self.upper - self.lower;
        if !(width.is_finite() && width >= 0.0) {
            return Err(format!(
                "slopes cannot be drawn from {} to {}",
                self.lower, self.upper
            ));
        }
        draws::same_type(inputs)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let (x, delta) = (cx.input(0), cx.output_delta()?);
        let dx = cx.apply(RreluGrad(*self), &[x, delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        if cx.mode() == Mode::Evaluation {
            self.leak(cx, shader!("leaky_relu"), &["x"], "y");
            return Ok(());
        }
        let kernel = self.draw(cx, "y")?;
        cx.dispatch(kernel);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let node = OnnxNode::new("LeakyRelu", [cx.input(0)?]).float("alpha", self.mean_slope());
        cx.result(node);
        Ok(())
    }

    fn rectifier_slope(&self) -> Option<f64> {
        Some(self.mean_slope())
    }
}

/// `δx = δy` where `x > 0`, else `a·δy` with the slope of the forward pass. Operands: x, δy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RreluGrad(Rrelu);

impl Operator for RreluGrad {
    fn name(&self) -> &'static str {
        "rrelu_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        elementwise::same_type::<2>(inputs)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        if cx.mode() == Mode::Evaluation {
            self.0
                .leak(cx, shader!("leaky_relu_grad"), &["x", "dy"], "dx");
            return Ok(());
        }
        let dy = cx.input(1);
        let kernel = self.0.draw(cx, "dx")?;
        cx.dispatch(kernel.flag("GRAD", true).bind("dy", &dy));
        Ok(())
    }
}

impl Graph {
    /// Applies [`Rrelu`] to an image or to features.
    ///
    /// ```
    /// use wgrad::graph::Graph;
    /// use wgrad::ops::Rrelu;
    ///
    /// let mut graph = Graph::new();
    /// let x = graph.input("image", [16, 8, 8]);
    /// let y = graph.rrelu(x, Rrelu::new(0.1, 0.3)); // or Rrelu::default()
    /// assert_eq!(graph.shape(y), graph.shape(x));
    /// ```
    pub fn rrelu(&mut self, x: Var, rrelu: Rrelu) -> Var {
        let name = self.layer_name("rrelu");
        let rrelu = Rrelu {
            stream: draws::stream_of(&name),
            ..rrelu
        };
        self.apply(&name, rrelu, &[x])
    }
}
