//! The forward pass: statistics of the batch, then `y`.

use super::grad::BatchNormalisationGrad;
use super::split::{Rows, per_channel};
use crate::autodiff::Backward;
use crate::graph::{Element, ValueType};
use crate::layout::LANES;
use crate::onnx::{OnnxNode, Translation};
use crate::ops::{Operator, Reason, arity};
use crate::plan::{Lowering, Mode};
use crate::shader::{Grid, Kernel, shader};

/// `y = γ·(x − μ)/√(σ² + ε) + β` per channel; see [`BatchNorm`](super::BatchNorm).
///
/// Operands: x (image or features), γ, β, running mean, running variance. Results: 0 y; and in
/// training, per channel, 1 the batch's mean, 2 its inverse standard deviation `1/√(σ² + ε)`,
/// 3 its unbiased variance, 4 what is left over of the mean after rounding. The running
/// averages are read in evaluation and changed by neither.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNormalisation {
    /// ε.
    pub epsilon: f32,
    /// How far a step moves the running averages.
    pub momentum: f32,
    /// Whether it computes in training what it computes in evaluation.
    pub frozen: bool,
}

/// The channels of an operand that batch normalisation accepts.
pub(crate) fn channels_of(x: &ValueType) -> Result<usize, Reason> {
    let known = x.batched && x.is_standard() && x.element == Element::F32;
    match x.shape[..] {
        [channels] | [channels, _, _] if known => Ok(channels),
        _ => Err(format!(
            "an image of shape [channels, height, width] or features are needed, the input is {}",
            x.shape
        )),
    }
}

/// Checks that an operand is a number per channel.
pub(super) fn check_vector(vector: &ValueType, channels: usize) -> Result<(), Reason> {
    if *vector == ValueType::fixed([channels]) {
        return Ok(());
    }
    Err(format!(
        "a number per channel is needed, for {channels} channels, not {}",
        vector.shape
    ))
}

impl Operator for BatchNormalisation {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x, vectors @ ..] = arity::<5>(inputs)?;
        let channels = channels_of(&x)?;
        for vector in &vectors {
            check_vector(vector, channels)?;
        }
        if !(self.epsilon > 0.0 && self.epsilon.is_finite()) {
            return Err(format!("epsilon must be above 0, it is {}", self.epsilon));
        }
        if !(0.0..=1.0).contains(&self.momentum) {
            return Err(format!(
                "the momentum must lie in [0, 1], it is {}",
                self.momentum
            ));
        }
        let [a, b, c, d] = [(); 4].map(|()| ValueType::fixed([channels]));
        Ok(vec![x, a, b, c, d])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        if (1..5).any(|result| cx.delta(result).is_some()) {
            return Err("there is no gradient through the statistics alone".to_owned());
        }
        if cx.wants(3) || cx.wants(4) {
            return Err("the running averages have no gradient".to_owned());
        }
        let delta = cx.output_delta()?;
        let (x, weight) = (cx.input(0), cx.input(1));
        let (statistics, running) = match self.frozen {
            true => (vec![cx.input(3), cx.input(4)], Some(self.epsilon)),
            false => ([1, 4, 2].map(|result| cx.output(result)).to_vec(), None),
        };
        let operands = [&[x, weight][..], &statistics, &[delta]].concat();
        let masked = false;
        let deltas = cx.apply_all(BatchNormalisationGrad { masked, running }, &operands);
        for (operand, delta) in deltas.into_iter().take(3).enumerate() {
            cx.set(operand, delta);
        }
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        match cx.mode() {
            Mode::Training if !self.frozen => self.lower_training(cx),
            _ => self.lower_evaluation(cx),
        }
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let operands = cx.all_inputs()?;
        let node =
            OnnxNode::new("BatchNormalization", operands).float("epsilon", f64::from(self.epsilon));
        cx.result(node);
        Ok(())
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    fn keeps_distribution(&self) -> bool {
        true
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        // Centre, deviations and their squares; normalisation, scale and shift.
        inputs
            .first()
            .map_or(0, |x| 9 * x.logical_len(batch) as u64)
    }
}

impl BatchNormalisation {
    fn lower_training(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, mean) = (cx.input(0), cx.output(1));
        let channels = channels_of(&x.value_type)?;
        let vectors = channels.div_ceil(LANES);
        let rows = Rows::new(x.len / (vectors * LANES), vectors, cx.adapter());
        if rows.rows == 1 {
            return Err(format!(
                "more than one value per channel is needed in training, a batch of 1 of {} has \
                 one",
                x.value_type.shape
            ));
        }
        let left = cx.statistics_of(0);
        let rows = left.map_or(rows, |(_, rows)| rows);
        let sizes = rows.sizes(cx, channels, 1); // all samples are one
        let partials = match left {
            Some((partials, _)) => partials,
            None => {
                let partials = cx.temporary("partials", rows.statistics(vectors));
                let grid = Grid::Threads(rows.splits * vectors);
                let first = Kernel::new(shader!("batch_norm_partials"), grid)
                    .bind("sizes", sizes)
                    .bind("x", &x)
                    .bind("partials", partials);
                cx.dispatch(first);
                partials
            }
        };

        let grid = Grid::Threads(Rows::group_per(vectors));
        let [inverse_std, variance, residual] = [2, 3, 4].map(|i| cx.output(i));
        let second = Kernel::new(shader!("batch_norm_statistics"), grid)
            .bind("sizes", sizes)
            .constant("epsilon", f64::from(self.epsilon))
            .bind("partials", partials)
            .bind("mean", &mean)
            .bind("residual", &residual)
            .bind("inverse_std", &inverse_std)
            .bind("unbiased_variance", &variance);
        cx.dispatch(second);

        if cx.is_used(0) {
            let last = normalise(cx)
                .flag("TRAINING", true)
                .bind("mean", &mean)
                .bind("residual", &residual)
                .bind("inverse_std", &inverse_std);
            let last = cx.epilogue(last);
            cx.dispatch(last);
        }
        Ok(())
    }

    fn lower_evaluation(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        if (1..5).any(|result| cx.is_used(result)) {
            return Err("in evaluation there are no statistics of the batch".to_owned());
        }
        let (mean, variance) = (cx.input(3), cx.input(4));
        let kernel = normalise(cx)
            .constant("epsilon", f64::from(self.epsilon))
            .bind("mean", &mean)
            .bind("variance", &variance);
        let kernel = cx.epilogue(kernel);
        cx.dispatch(kernel);
        Ok(())
    }
}

/// The kernel for `y`, without the statistics.
fn normalise(cx: &mut Lowering<'_>) -> Kernel {
    let y = cx.output(0);
    let [x, weight, bias] = [0, 1, 2].map(|i| cx.input(i));
    per_channel(cx, shader!("batch_norm"), ("y", &y), &weight)
        .bind("x", &x)
        .bind("weight", &weight)
        .bind("bias", &bias)
}
