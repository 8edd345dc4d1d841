//! Max pooling that normalises and rectifies what it loads: what the planner makes of
//! `max_pool2d(relu(batch_norm(x)))`, so that the large image between is neither stored nor read.

use super::max_pool2d::MaxPool2d;
use super::{Operator, Reason, image};
use crate::fuse::Rectifier;
use crate::graph::ValueType;
use crate::plan::{Lowering, Mode};

/// Operands: x; with a normalisation γ, β and the mean, its residual and the inverse standard
/// deviation of the batch in training, or the running mean and variance in evaluation; the slopes
/// of a PReLU. Results: as [`MaxPool2d`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RectifiedMaxPool2d {
    pub(crate) pool: MaxPool2d,
    pub(crate) rectifier: Rectifier,
    /// ε of the normalisation, if there is one.
    pub(crate) epsilon: Option<f32>,
}

impl Operator for RectifiedMaxPool2d {
    fn name(&self) -> &'static str {
        "rectified_max_pool2d"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        self.pool.infer(&inputs[..inputs.len().min(1)])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let x = cx.input(0);
        let input = image(&x.value_type)?;
        let mut kernel = self.pool.kernel(cx, input)?.bind("x", &x);
        kernel = self.rectifier.define(kernel);
        if self.rectifier.slopes().is_some() {
            let slopes = cx.input(cx.inputs() - 1);
            kernel = kernel.bind("slopes", &slopes);
        }
        if let Some(epsilon) = self.epsilon {
            kernel = kernel
                .flag("NORMALISE", true)
                .bind("weight", &cx.input(1))
                .bind("bias", &cx.input(2))
                .bind("mean", &cx.input(3));
            kernel = match cx.mode() {
                Mode::Training => kernel
                    .flag("TRAINING", true)
                    .bind("residual", &cx.input(4))
                    .bind("inverse_std", &cx.input(5)),
                Mode::Evaluation => kernel
                    .constant("epsilon", f64::from(epsilon))
                    .bind("variance", &cx.input(4)),
            };
        }
        cx.dispatch(kernel);
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], outputs: &[&ValueType], batch: usize) -> u64 {
        self.pool.flops(inputs, outputs, batch)
    }
}
