//! The gradient of a convolution with respect to its input.

use super::choose::{Pass, Variant};
use super::forward::strips;
use super::geometry::Geometry;
use super::problem::{Kind, Problem};
use super::{tiled, winograd};
use crate::graph::ValueType;
use crate::layout::LANES;
use crate::ops::choice::Choice;
use crate::ops::linear;
use crate::ops::linear::subgroup;
use crate::ops::split::workgroup;
use crate::ops::{Operator, Reason};
use crate::plan::{Lowering, Operand};
use crate::shader::{Grid, Kernel, shader};

/// `δx[c] = Σ_o restored(δy[o]) ∗ rot180(w[o,c])`: δ is restored to stride 1 by inserting zeros,
/// padded, and convolved with the filters rotated by 180°.
///
/// The kernels insert no zeros: for stride S they compute S² sub-convolutions, one for every
/// parity of the pixel. Operands: δy, filters. Result: δx, zero where the stride never reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvolutionGradInput {
    pub(super) geometry: Geometry,
    pub(super) variant: Option<Variant>,
}

impl Operator for ConvolutionGradInput {
    fn name(&self) -> &'static str {
        "conv2d_grad_input"
    }

    fn infer(&self, _: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        Ok(vec![ValueType::sample(self.geometry.input)])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (dy, weight, dx) = (cx.input(0), cx.input(1), cx.output(0));
        lower(cx, self.geometry, self.variant, [&dy, &weight, &dx], None);
        Ok(())
    }

    fn flops(&self, _: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        self.geometry.flops(batch)
    }
}

/// Emits the kernels for δx; a transposed convolution, whose result it is, adds a bias.
pub(super) fn lower(
    cx: &mut Lowering<'_>,
    geometry: Geometry,
    variant: Option<Variant>,
    operands: [&Operand; 3],
    bias: Option<&Operand>,
) {
    let (problem, choice) = match bias {
        // The kernels for products add no bias to an input gradient.
        Some(_) if geometry.is_pointwise() => {
            let problem = Problem::dense(Pass::GradInput, geometry, cx.batch());
            (problem, problem.heuristic(variant, cx.adapter()))
        }
        _ => {
            let problem = Problem::new(Pass::GradInput, geometry, cx.batch());
            (problem, cx.choose(&problem, variant))
        }
    };
    lower_choice(cx, &problem, choice, operands, bias);
}

/// Emits the kernels of a convolution's or product's input gradient.
pub(in crate::ops) fn lower_choice(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    choice: Choice,
    operands: [&Operand; 3],
    bias: Option<&Operand>,
) {
    let (tile, parts) = match choice {
        Choice::Register { tile, parts } => (tile, parts),
        Choice::Tiled { tile, parts } => {
            return tiled::grad_input(cx, problem, (tile, parts), operands, bias);
        }
        Choice::Subgroup { tile, parts } => {
            return subgroup::lower_product(cx, problem, (tile, parts), operands, bias);
        }
        Choice::Winograd(cut) => {
            return winograd::convolve(cx, problem, cut, operands, bias);
        }
    };
    let kernel = match problem.kind {
        Kind::Product => return linear::lower_grad_input(cx, problem, (tile, parts), operands),
        Kind::Dense => dense(problem, tile),
        Kind::Grouped => grouped(problem, tile),
        Kind::Depthwise => depthwise(problem, tile),
    };
    let [dy, weight, dx] = operands;
    let mut kernel = kernel
        .defines(problem.geometry.defines(problem.batch))
        .define("WORKGROUP", workgroup(cx.adapter()))
        .bind("dy", dy)
        .bind("weight", weight)
        .bind("dx", dx);
    if let Some(bias) = bias {
        kernel = kernel.flag("BIAS", true).bind("bias", bias);
    }
    cx.dispatch(kernel);
}

fn dense(problem: &Problem, tile: [usize; 3]) -> Kernel {
    let (_, _, parities) = problem.parities();
    let grid = Grid::Layers(problem.register_tiles(tile), parities);
    Kernel::new(shader!("conv2d_grad_input"), grid)
        .define("TILE_H", tile[0])
        .define("TILE_W", tile[1])
        .define("TILE_C", tile[2])
}

fn grouped(problem: &Problem, tile: [usize; 3]) -> Kernel {
    let [inputs, _] = problem.group();
    Kernel::new(shader!("conv2d_grouped_grad_input"), strips(problem, tile))
        .flag("ONE_GROUP", inputs.is_multiple_of(LANES))
        .define("TILE_W", tile[1])
}

fn depthwise(problem: &Problem, tile: [usize; 3]) -> Kernel {
    let grid = strips(problem, tile);
    Kernel::new(shader!("conv2d_depthwise_grad_input"), grid).define("TILE_W", tile[1])
}
