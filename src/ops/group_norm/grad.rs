//! The backward pass, where μ and σ² depend on x as well.

use super::forward::{Sizes, check, period, statistics};
use crate::graph::ValueType;
use crate::layout::LANES;
use crate::ops::batch_norm::Rows;
use crate::ops::sum_partials::SumPartials;
use crate::ops::{Operator, Reason, elementwise};
use crate::plan::{BufferId, Lowering, Operand};
use crate::shader::{Grid, Kernel, shader};

/// With `x̂ = (x − μ)/√(σ² + ε)`, `g = γ·δ` and m numbers a group:
/// `δx = (g − Σg/m − x̂·Σ(g·x̂)/m)/√(σ² + ε)`, the sums over the group of the sample, and
/// `δβ = Σ δ`, `δγ = Σ δ·x̂`, the sums over all samples (and all positions where γ is a number per
/// channel).
///
/// Operands: x, the statistics, δ of y, and γ if there is one. Results: δx, and with γ: δγ, δβ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupNormalisationGrad {
    /// Groups, which divide the channels.
    pub groups: usize,
}

impl Operator for GroupNormalisationGrad {
    fn name(&self) -> &'static str {
        "group_norm_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let (x, known, delta, weight) = match inputs {
            [x, known, delta] => (x, known, delta, None),
            [x, known, delta, weight] => (x, known, delta, Some(*weight)),
            _ => return Err(format!("3 or 4 operands are needed, not {}", inputs.len())),
        };
        check(x, self.groups, weight)?;
        elementwise::same_type::<2>(&[x, delta])?;
        if **known != statistics(self.groups) {
            return Err(format!(
                "the statistics {} are not those of {} groups",
                known.shape, self.groups
            ));
        }
        let mut results = vec![(*x).clone()];
        results.extend(weight.into_iter().flat_map(|w| [w.clone(), w.clone()]));
        Ok(results)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let operands = Operands {
            x: cx.input(0),
            statistics: cx.input(1),
            dy: cx.input(2),
            weight: (cx.inputs() > 3).then(|| cx.input(3)),
        };
        let sizes = Sizes::of(&operands.x, self.groups, cx.batch())?;
        if cx.is_used(0) {
            operands.lower_input(cx, &sizes);
        }
        match &operands.weight {
            Some(weight) if cx.is_used(1) || cx.is_used(2) => {
                operands.lower_affine(cx, &sizes, period(weight));
            }
            _ => {}
        }
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        inputs
            .first()
            .map_or(0, |x| 12 * x.logical_len(batch) as u64)
    }
}

struct Operands {
    x: Operand,
    statistics: Operand,
    dy: Operand,
    weight: Option<Operand>,
}

impl Operands {
    /// δx.
    fn lower_input(&self, cx: &mut Lowering<'_>, sizes: &Sizes) {
        let rows = sizes.rows(cx);
        let partials = cx.temporary("partials", sizes.partials(&rows, 2));
        let first = Kernel::new(shader!("group_norm_grad_partials"), sizes.pieces(&rows))
            .define("SAMPLES", sizes.samples)
            .bind("statistics", &self.statistics)
            .bind("partials", partials);
        cx.dispatch(rows.define(self.bind(sizes.define(first))));

        let coefficients = cx.temporary("coefficients", self.statistics.len);
        let second = Kernel::new(shader!("group_norm_grad_sums"), sizes.group_each())
            .define("SAMPLES", sizes.samples)
            .define("SPLITS", rows.splits)
            .bind("partials", partials)
            .bind("statistics", &self.statistics)
            .bind("coefficients", coefficients);
        cx.dispatch(sizes.define(second));

        let dx = cx.output(0);
        let last = elementwise::kernel(shader!("group_norm_grad"), "dx", &dx)
            .bind("coefficients", coefficients);
        cx.dispatch(self.bind(sizes.define(last)));
    }

    /// x, δy, and γ if there is one.
    fn bind(&self, kernel: Kernel) -> Kernel {
        let kernel = kernel.bind("x", &self.x).bind("dy", &self.dy);
        match &self.weight {
            Some(weight) => kernel
                .define("AFFINE_PERIOD", period(weight))
                .bind("weight", weight),
            None => kernel,
        }
    }

    /// δγ and δβ.
    fn lower_affine(&self, cx: &mut Lowering<'_>, sizes: &Sizes, period: usize) {
        let rows = Rows::new(self.x.len / (period * LANES), period, cx.adapter());
        let results = [cx.output(1).buffer, cx.output(2).buffer];
        let partials: [BufferId; 2] = match rows.splits {
            1 => results,
            splits => ["partials_weight", "partials_bias"]
                .map(|name| cx.temporary(name, splits * period * LANES)),
        };
        let grid = Grid::Threads(rows.splits * period);
        let kernel = Kernel::new(shader!("group_norm_grad_affine"), grid)
            .define("PERIOD", period)
            .bind("x", &self.x)
            .bind("statistics", &self.statistics)
            .bind("dy", &self.dy)
            .bind("dweight", partials[0])
            .bind("dbias", partials[1]);
        cx.dispatch(rows.define(sizes.define(kernel)));
        if rows.splits > 1 {
            let sum = SumPartials {
                samples: 1,
                splits: rows.splits,
                vectors: period,
                scale: 1.0,
                lanes: false,
            };
            let [weights, biases] = partials;
            sum.lower_pair(cx, [(weights, results[0]), (biases, results[1])]);
        }
    }
}
