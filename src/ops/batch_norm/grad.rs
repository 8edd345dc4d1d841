//! The backward pass of training, where μ and σ² depend on x as well.

use super::forward::{channels_of, check_vector};
use super::split::{Rows, per_channel};
use crate::graph::ValueType;
use crate::layout::LANES;
use crate::ops::{Operator, Reason, arity, elementwise};
use crate::plan::{Lowering, Mode};
use crate::shader::{Grid, Kernel, shader};

/// With `x̂ = (x − μ)/√(σ² + ε)` and m numbers a channel:
/// `δβ = Σ δ`, `δγ = Σ δ·x̂`, `δx = γ/√(σ² + ε) · (δ − δβ/m − x̂·δγ/m)`
/// (Ioffe and Szegedy 2015, with the sums over the batch gathered).
///
/// Operands: x, γ, mean, residual of the mean, inverse standard deviation, δ of y. Results: δx,
/// δγ, δβ. Both sums are computed in one pass.
///
/// Of a layer that normalises by its running averages, which are constants, it is
/// `δx = γ/√(σ² + ε) · δ` and the same sums; the operands are then x, γ, running mean, running
/// variance, δ of y.
///
/// Masked, it is fused with the gradient of a ReLU behind the layer: a last operand is the ReLU's
/// result, and δ, which is that of the result, stops where it is zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNormalisationGrad {
    pub(crate) masked: bool,
    /// ε, where the running averages normalise.
    pub(crate) running: Option<f32>,
}

impl Operator for BatchNormalisationGrad {
    fn name(&self) -> &'static str {
        "batch_norm_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let (x, vectors, delta) = match self.running {
            None => {
                let [x, a, b, c, d, delta] = arity::<6>(inputs)?;
                (x, vec![a, b, c, d], delta)
            }
            Some(_) => {
                let [x, a, b, c, delta] = arity::<5>(inputs)?;
                (x, vec![a, b, c], delta)
            }
        };
        let channels = channels_of(&x)?;
        for vector in &vectors {
            check_vector(vector, channels)?;
        }
        elementwise::same_type::<2>(&[&x, &delta])?;
        let vector = ValueType::fixed([channels]);
        Ok(vec![x, vector.clone(), vector])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        if cx.mode() == Mode::Evaluation {
            return Err("the gradient is that of training, not of evaluation".to_owned());
        }
        let [x, weight, mean] = [0, 1, 2].map(|i| cx.input(i));
        let delta = if self.running.is_some() { 4 } else { 5 };
        let dy = cx.input(delta);
        let (dweight, dbias) = (cx.output(1), cx.output(2));
        let rectified = self.masked.then(|| cx.input(delta + 1));
        let load_delta = |kernel: Kernel| match &rectified {
            Some(rectified) => kernel
                .flag("MASKED", true)
                .bind("dy", &dy)
                .bind("rectified", rectified),
            None => kernel.bind("dy", &dy),
        };
        let vectors = mean.len.div_ceil(LANES);
        let rows = Rows::new(x.len / (vectors * LANES), vectors, cx.adapter());

        let sizes = rows.sizes(cx, LANES * vectors, 1);
        let partials = cx.temporary("partials", 2 * rows.splits * vectors * LANES);
        let grid = Grid::Threads(rows.splits * vectors);
        let first = Kernel::new(shader!("batch_norm_grad_partials"), grid)
            .bind("sizes", sizes)
            .bind("x", &x)
            .bind("mean", &mean)
            .bind("partials", partials);
        cx.dispatch(load_delta(first));

        let coefficients = cx.temporary("coefficients", 3 * vectors * LANES);
        let grid = Grid::Threads(Rows::group_per(vectors));
        let second = Kernel::new(shader!("batch_norm_grad_sums"), grid)
            .bind("sizes", sizes)
            .bind("partials", partials)
            .bind("weight", &weight)
            .bind("dweight", &dweight)
            .bind("dbias", &dbias)
            .bind("coefficients", coefficients);
        let second = match self.running {
            Some(epsilon) => second
                .flag("RUNNING", true)
                .constant("epsilon", f64::from(epsilon))
                .bind("variance", &cx.input(3)),
            None => second
                .bind("residual", &cx.input(3))
                .bind("inverse_std", &cx.input(4)),
        };
        cx.dispatch(second);

        if cx.is_used(0) {
            let dx = cx.output(0);
            let last = per_channel(cx, shader!("batch_norm_grad"), ("dx", &dx), &mean)
                .bind("x", &x)
                .bind("mean", &mean)
                .bind("coefficients", coefficients);
            cx.dispatch(load_delta(last));
        }
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        inputs
            .first()
            .map_or(0, |x| 9 * x.logical_len(batch) as u64)
    }
}
