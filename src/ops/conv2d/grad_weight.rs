//! The gradient of a convolution with respect to its filters.

use super::choose::{Pass, Variant};
use super::geometry::Geometry;
use super::problem::{Kind, Problem};
use super::{tiled, winograd};
use crate::graph::ValueType;
use crate::layout::LANES;
use crate::ops::choice::Choice;
use crate::ops::linear;
use crate::ops::linear::subgroup;
use crate::ops::split::{Split, dispatch_split, workgroup};
use crate::ops::{Operator, Reason};
use crate::plan::{AdapterProfile, Lowering, Operand};
use crate::shader::{Grid, Kernel, shader};

/// `δw[o,c,u,v] = Σ_{n,i,j} δy[n,o,i,j] · x[n,c, i·S+u·D−P, j·S+v·D−P]`: the cross-correlation of
/// the input with δ as the filter, summed over the batch.
///
/// The long sum is cut into parts that are added in a fixed order. Operands: x, δy. Result: δw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvolutionGradWeight {
    pub(super) geometry: Geometry,
    pub(super) variant: Option<Variant>,
}

impl Operator for ConvolutionGradWeight {
    fn name(&self) -> &'static str {
        "conv2d_grad_weight"
    }

    fn infer(&self, _: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        Ok(vec![self.geometry.weight_type()])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, dy, dw) = (cx.input(0), cx.input(1), cx.output(0));
        let problem = Problem::new(Pass::GradWeight, self.geometry, cx.batch());
        let choice = cx.choose(&problem, self.variant);
        lower(cx, &problem, choice, [&x, &dy, &dw]);
        Ok(())
    }

    fn flops(&self, _: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        self.geometry.flops(batch)
    }
}

/// Emits the kernels of the filters' gradient of a convolution or product.
pub(in crate::ops) fn lower(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    choice: Choice,
    operands: [&Operand; 3],
) {
    let (tile, parts) = match choice {
        Choice::Register { tile, parts } => (tile, parts),
        Choice::Tiled { tile, parts } => {
            return tiled::grad_weight(cx, problem, (tile, parts), operands);
        }
        Choice::Subgroup { parts, .. } => {
            return subgroup::lower_outer_product(cx, problem, parts, operands);
        }
        Choice::Winograd(cut) => {
            return winograd::grad_weight(cx, problem, cut, operands);
        }
    };
    if problem.kind == Kind::Product {
        return linear::lower_grad_weight(cx, problem, (tile, parts), operands);
    }
    let [rows, columns] = rows_and_columns(problem);
    let split = Split::into_parts(rows, columns, parts);
    let grid = Grid::Threads(tiles(problem, tile) * split.parts);
    let kernel = match problem.kind {
        Kind::Depthwise => {
            Kernel::new(shader!("conv2d_depthwise_grad_weight"), grid).define("TILE_W", tile[1])
        }
        Kind::Grouped => Kernel::new(shader!("conv2d_grouped_grad_weight"), grid)
            .flag("ONE_GROUP", problem.group()[1].is_multiple_of(LANES))
            .define("TILE_K", tile[1]),
        Kind::Dense | Kind::Product => Kernel::new(shader!("conv2d_grad_weight"), grid)
            .define("IN_LANES", problem.geometry.input_lanes())
            .define("TILE_T", tile[0])
            .define("TILE_C", tile[1])
            .define("TILE_O", tile[2]),
    };
    let [x, dy, dw] = operands;
    let kernel = kernel
        .defines(problem.geometry.defines(problem.batch))
        .define("SPLITS", split.parts)
        .define("SPLIT_ROWS", split.rows)
        .define("WORKGROUP", workgroup(cx.adapter()))
        .bind("x", x)
        .bind("dy", dy);
    dispatch_split(cx, split, dw, |out| kernel.bind("partials", out));
}

/// The sum of a filter's gradient: rows of the batch, and pixels of each.
fn rows_and_columns(problem: &Problem) -> [usize; 2] {
    let [_, rows, columns] = problem.geometry.output;
    [problem.batch * rows, columns]
}

/// Tiles that cover the filter.
fn tiles(problem: &Problem, tile: [usize; 3]) -> usize {
    let geometry = problem.geometry;
    match problem.kind {
        Kind::Depthwise => problem.result_vectors() * geometry.window.kernel.height,
        Kind::Grouped => {
            let inputs = problem.group()[0].div_ceil(tile[1]);
            problem.result_vectors() * inputs * geometry.window.taps()
        }
        Kind::Dense | Kind::Product => problem.register_tiles(tile),
    }
}

/// Into how many parts the sums of register kernels with this tile are cut.
pub(super) fn parts(problem: &Problem, tile: [usize; 3], adapter: &AdapterProfile) -> usize {
    let (wanted, most) = if adapter.cpu {
        (128, 64)
    } else {
        (65_536, 256)
    };
    let [rows, columns] = rows_and_columns(problem);
    Split::new(rows, columns, tiles(problem, tile), wanted, most).parts
}
