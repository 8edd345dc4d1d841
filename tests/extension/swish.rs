//! The operator, as a program outside the crate would write it.

use wgrad::autodiff::Backward;
use wgrad::graph::{Declaration, Graph, ValueType, Var};
use wgrad::layout::LANES;
use wgrad::ops::Operator;
use wgrad::ops::channel_sum::ChannelSum;
use wgrad::plan::{Lowering, Operand};
use wgrad::shader::{Grid, Kernel, Shader};

/// `y = x · σ(softplus(a) · x)` with a learned `a` per channel.
#[derive(Clone, Copy, Debug)]
pub struct Swish;

impl Operator for Swish {
    fn name(&self) -> &'static str {
        "swish"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, String> {
        match inputs {
            [x, a] if x.is_standard() && x.shape.first() == a.shape.first() => {
                Ok(vec![(*x).clone()])
            }
            [x, a] => Err(format!(
                "{} sharpnesses for an input of {}",
                a.shape, x.shape
            )),
            _ => Err(format!("2 operands are needed, not {}", inputs.len())),
        }
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), String> {
        let delta = cx.output_delta()?;
        let (x, a) = (cx.input(0), cx.input(1));
        let gradients = cx.apply_all(SwishGrad, &[x, a, delta]);
        cx.set(0, gradients[0]);
        if cx.wants(1) {
            let da = cx.apply(ChannelSum, &[gradients[1]]);
            cx.set(1, da);
        }
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), String> {
        let (x, a, y) = (cx.input(0), cx.input(1), cx.output(0));
        let shader = Shader::new("swish", include_str!("swish.wgsl"));
        let kernel = kernel(shader, &x, &a).bind("y", &y);
        cx.dispatch(kernel);
        Ok(())
    }

    fn rectifier_slope(&self) -> Option<f64> {
        // Near enough to ReLU for He's initialiser.
        Some(0.0)
    }
}

/// δx, and each element's share of δa.
#[derive(Clone, Copy, Debug)]
pub struct SwishGrad;

impl Operator for SwishGrad {
    fn name(&self) -> &'static str {
        "swish_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, String> {
        let [x, _, delta] = inputs else {
            return Err(format!("3 operands are needed, not {}", inputs.len()));
        };
        match x == delta {
            true => Ok(vec![(*x).clone(); 2]),
            false => Err(format!(
                "the input {} and δ {} differ",
                x.shape, delta.shape
            )),
        }
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), String> {
        let (x, a) = (cx.input(0), cx.input(1));
        let shader = Shader::new("swish_grad", include_str!("swish_grad.wgsl"));
        let kernel = kernel(shader, &x, &a)
            .bind("dy", &cx.input(2))
            .bind("dx", &cx.output(0))
            .bind("da_all", &cx.output(1));
        cx.dispatch(kernel);
        Ok(())
    }
}

/// One invocation for each vec4 of `x`.
fn kernel(shader: Shader, x: &Operand, a: &Operand) -> Kernel {
    let length = x.len / LANES;
    Kernel::new(shader, Grid::Threads(length))
        .define("LENGTH", length)
        .define("VECS", a.len / LANES)
        .bind("x", x)
        .bind("a", a)
}

/// The layer's method on graphs.
pub trait SwishLayer {
    /// Applies [`Swish`] with the parameter `<layer>.sharpness`, at first `a`.
    fn swish(&mut self, x: Var, a: f64) -> Var;
}

impl SwishLayer for Graph {
    fn swish(&mut self, x: Var, a: f64) -> Var {
        let layer = self.layer_name("swish");
        let channels = self.shape(x).first().copied().unwrap_or(1);
        let sharpness = self.parameter(&layer, "sharpness", Declaration::vector(channels, a));
        self.apply(&layer, Swish, &[x, sharpness])
    }
}
