//! The forward pass: statistics of every group of every sample, then `y`.

use super::grad::GroupNormalisationGrad;
use crate::autodiff::Backward;
use crate::graph::ValueType;
use crate::layout::LANES;
use crate::onnx::{Constant, OnnxNode, Translation};
use crate::ops::batch_norm::{Rows, channels_of};
use crate::ops::{Operator, Reason, elementwise};
use crate::plan::{Lowering, Operand};
use crate::shader::{Grid, Kernel, shader};

/// `y = γ·(x − μ)/√(σ² + ε) + β` per group and sample; see [`GroupNorm`](super::GroupNorm).
///
/// Operands: x (image or features); and, if there are any, γ and β, both of shape `[C]` or both of
/// the shape of x. Results: 0 y; 1 the statistics, per sample and group: mean, what is left over
/// of the mean after rounding, inverse standard deviation `1/√(σ² + ε)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupNormalisation {
    /// Groups, which divide the channels.
    pub groups: usize,
    /// ε.
    pub epsilon: f32,
}

/// The sizes that all kernels of the operator and its gradient know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) samples: usize,
    pub(super) channels: usize,
    pub(super) positions: usize,
    pub(super) groups: usize,
}

impl Sizes {
    /// For a batch `x`, which was checked when the graph was built.
    pub(super) fn of(x: &Operand, groups: usize, samples: usize) -> Result<Self, Reason> {
        let channels = channels_of(&x.value_type)?;
        Ok(Self {
            samples,
            channels,
            positions: x.value_type.shape.elements() / channels,
            groups,
        })
    }

    /// vec4s of one position.
    pub(super) fn vectors(&self) -> usize {
        self.channels.div_ceil(LANES)
    }

    /// The positions of each sample and channel, cut into pieces.
    pub(super) fn rows(&self, cx: &Lowering<'_>) -> Rows {
        Rows::of_samples(self.samples, self.positions, self.vectors(), cx.adapter())
    }

    /// Elements of `numbers` numbers for each piece of each channel of each sample.
    pub(super) fn partials(&self, rows: &Rows, numbers: usize) -> usize {
        numbers * self.samples * rows.splits * self.vectors() * LANES
    }

    /// Invocations of which each has a piece.
    pub(super) fn pieces(&self, rows: &Rows) -> Grid {
        Grid::Threads(self.samples * rows.splits * self.vectors())
    }

    /// A workgroup for each group of each sample.
    pub(super) fn group_each(&self) -> Grid {
        Grid::Threads(Rows::group_per(self.samples * self.groups))
    }

    pub(super) fn define(&self, kernel: Kernel) -> Kernel {
        kernel.defines([
            ("CHANNELS", self.channels),
            ("POSITIONS", self.positions),
            ("GROUPS", self.groups),
        ])
    }
}

/// The statistics of `groups` groups.
pub(super) fn statistics(groups: usize) -> ValueType {
    ValueType::sample([3, groups])
}

/// vec4s after which γ repeats: those of a position or of a sample.
pub(super) fn period(weight: &Operand) -> usize {
    weight.len / LANES
}

/// Checks x and γ.
pub(super) fn check(
    x: &ValueType,
    groups: usize,
    weight: Option<&ValueType>,
) -> Result<(), Reason> {
    let channels = channels_of(x)?;
    if groups == 0 || !channels.is_multiple_of(groups) {
        return Err(format!("{groups} groups do not divide {channels} channels"));
    }
    if x.shape.elements() == groups {
        return Err(format!(
            "more than one number is needed to normalise, each of the {groups} groups of {} has \
             one",
            x.shape
        ));
    }
    let fits = |weight: &ValueType| {
        *weight == ValueType::fixed([channels]) || *weight == ValueType::fixed(x.shape.clone())
    };
    match weight {
        Some(weight) if !fits(weight) => Err(format!(
            "a weight for each of the {channels} channels or for each element of {} is needed, \
             not {}",
            x.shape, weight.shape
        )),
        _ => Ok(()),
    }
}

impl Operator for GroupNormalisation {
    fn name(&self) -> &'static str {
        "group_norm"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let (x, weights) = match inputs {
            [x] => (x, None),
            [x, weight, bias] => (x, Some([weight, bias])),
            _ => return Err("an input, and both weight and bias or none are needed".to_owned()),
        };
        check(x, self.groups, weights.map(|[weight, _]| *weight))?;
        if let Some([weight, bias]) = weights {
            elementwise::same_type::<2>(&[weight, bias])?;
        }
        if !(self.epsilon > 0.0 && self.epsilon.is_finite()) {
            return Err(format!("epsilon must be above 0, it is {}", self.epsilon));
        }
        Ok(vec![(*x).clone(), statistics(self.groups)])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        if cx.delta(1).is_some() {
            return Err("there is no gradient through the statistics alone".to_owned());
        }
        let delta = cx.output_delta()?;
        let mut operands = vec![cx.input(0), cx.output(1), delta];
        if cx.inputs() > 1 {
            operands.push(cx.input(1));
        }
        let gradient = GroupNormalisationGrad {
            groups: self.groups,
        };
        let deltas = cx.apply_all(gradient, &operands);
        for (operand, delta) in deltas.into_iter().take(cx.inputs()).enumerate() {
            cx.set(operand, delta);
        }
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, statistics) = (cx.input(0), cx.output(1));
        let sizes = Sizes::of(&x, self.groups, cx.batch())?;
        let rows = sizes.rows(cx);
        let partials = cx.temporary("partials", sizes.partials(&rows, 3));
        // The first pass is batch normalisation's, sample by sample.
        let first = Kernel::new(shader!("batch_norm_partials"), sizes.pieces(&rows))
            .bind(
                "sizes",
                rows.sizes(cx, LANES * sizes.vectors(), sizes.samples),
            )
            .bind("x", &x)
            .bind("partials", partials);
        cx.dispatch(first);

        let second = Kernel::new(shader!("group_norm_statistics"), sizes.group_each())
            .define("SAMPLES", sizes.samples)
            .define("CHANNELS", sizes.channels)
            .define("GROUPS", sizes.groups)
            .constant("epsilon", f64::from(self.epsilon))
            .bind("partials", partials)
            .bind("statistics", &statistics);
        cx.dispatch(rows.define(second));

        if cx.is_used(0) {
            let y = cx.output(0);
            let mut last = elementwise::kernel(shader!("group_norm"), "y", &y)
                .bind("x", &x)
                .bind("statistics", &statistics);
            if cx.inputs() > 1 {
                let (weight, bias) = (cx.input(1), cx.input(2));
                last = last
                    .define("AFFINE_PERIOD", period(&weight))
                    .bind("weight", &weight)
                    .bind("bias", &bias);
            }
            cx.dispatch(sizes.define(last));
        }
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        // A group is an instance of one channel whose positions are all its elements.
        let groups = cx.constant("groups", Constant::Ints(vec![0, self.groups as i64, -1]));
        let split = OnnxNode::new("Reshape", [cx.input(0)?, groups]);
        let [one, zero] = [("one", 1.0), ("zero", 0.0)].map(|(name, value)| {
            let values = vec![value; self.groups];
            cx.constant(name, Constant::Floats(vec![self.groups], values))
        });
        let split = cx.step(split);
        let normalised = OnnxNode::new("InstanceNormalization", [split, one, zero])
            .float("epsilon", f64::from(self.epsilon));
        let normalised = cx.step(normalised);
        let y = cx.reshaped_as_input(normalised);
        if cx.inputs() < 3 {
            cx.result(y);
            return Ok(());
        }
        let y = cx.step(y);
        let weight = cx.per_channel(1)?;
        let scaled = cx.step(OnnxNode::new("Mul", [y, weight]));
        let bias = cx.per_channel(2)?;
        cx.result(OnnxNode::new("Add", [scaled, bias]));
        Ok(())
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
