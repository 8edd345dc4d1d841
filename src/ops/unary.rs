//! What the functions of one element have in common, of which each has a file of its own.

use std::any::Any;
use std::fmt::Debug;

use super::{Operator, Reason, elementwise};
use crate::autodiff::Backward;
use crate::graph::ValueType;
use crate::onnx::Translation;
use crate::plan::Lowering;
use crate::shader::{Kernel, Shader};

/// `y = f(x)`, element by element, with `δx = δy · f′(x)`: an operator in a few lines.
pub(crate) trait Unary: Any + Copy + Debug + Send + Sync {
    /// The names of the operator and of its gradient.
    const NAMES: [&'static str; 2];

    /// Computes y from x, or with `GRAD` dx from x and dy. Where f(0) ≠ 0 it keeps the padding
    /// zero behind `CHANNELS`.
    const SHADER: Shader;

    /// Whether f(0) = 0.
    const KEEPS_ZERO: bool = true;

    /// As [`Operator::rectifier_slope`].
    fn slope(&self) -> Option<f64>;

    /// As [`Operator::onnx`].
    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason>;

    /// Refuses attributes that make no sense.
    fn check(&self) -> Result<(), Reason> {
        Ok(())
    }

    /// Gives the attributes to a kernel, forward or backward.
    fn configure(&self, kernel: Kernel) -> Kernel {
        kernel
    }
}

impl<F: Unary> Operator for F {
    fn name(&self) -> &'static str {
        F::NAMES[0]
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        self.check()?;
        let types = elementwise::same_type::<1>(inputs)?;
        if !F::KEEPS_ZERO {
            elementwise::padded_channels(&types[0])?;
        }
        Ok(types)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let (x, delta) = (cx.input(0), cx.output_delta()?);
        let dx = cx.apply(UnaryGrad(*self), &[x, delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, y) = (cx.input(0), cx.output(0));
        let mut kernel = elementwise::kernel(F::SHADER, "y", &y).bind("x", &x);
        if !F::KEEPS_ZERO
            && let Some(channels) = elementwise::padded_channels(&y.value_type)?
        {
            kernel = kernel.define("CHANNELS", channels);
        }
        cx.dispatch(self.configure(kernel));
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        Unary::onnx(self, cx)
    }

    fn rectifier_slope(&self) -> Option<f64> {
        self.slope()
    }
}

/// The gradient of a [`Unary`]. Operands: x, δy.
#[derive(Clone, Copy, Debug)]
struct UnaryGrad<F>(F);

impl<F: Unary> Operator for UnaryGrad<F> {
    fn name(&self) -> &'static str {
        F::NAMES[1]
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        elementwise::same_type::<2>(inputs)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, dy, dx) = (cx.input(0), cx.input(1), cx.output(0));
        let kernel = elementwise::kernel(F::SHADER, "dx", &dx)
            .flag("GRAD", true)
            .bind("x", &x)
            .bind("dy", &dy);
        cx.dispatch(self.0.configure(kernel));
        Ok(())
    }
}
