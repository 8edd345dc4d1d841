//! Matrix products from registers: linear layers, and convolutions that are products over pixels.

use super::pieces;
use crate::layout::LANES;
use crate::ops::conv2d::{Pass, Problem};
use crate::ops::split::{Split, dispatch_biased, dispatch_split, workgroup};
use crate::plan::{AdapterProfile, Lowering, Operand};
use crate::shader::{Grid, Kernel, Shader, shader};

/// `rows × inputs` times `inputs × outputs`, the latter two in vectors of four.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) struct Product {
    pub(in crate::ops) rows: usize,
    pub(in crate::ops) inputs: usize,
    pub(in crate::ops) outputs: usize,
}

impl Product {
    /// The same with so many vectors of inputs.
    pub(super) fn piece(self, inputs: usize) -> Self {
        Self { inputs, ..self }
    }

    /// A register kernel; it lacks `IN_STRIDE`, the vectors from one row of inputs to the next.
    pub(super) fn kernel(
        self,
        cx: &Lowering<'_>,
        shader: Shader,
        base: usize,
        split: Split,
    ) -> Kernel {
        Kernel::new(shader, Grid::Threads(base * split.parts))
            .define("BATCH", self.rows)
            .define("IN_VECS", self.inputs)
            .define("OUT_VECS", self.outputs)
            .define("SPLITS", split.parts)
            .define("WORKGROUP", workgroup(cx.adapter()))
    }
}

/// Into how many parts the sums of register kernels with this tile are cut.
pub(in crate::ops) fn parts(
    problem: &Problem,
    tile: [usize; 3],
    adapter: &AdapterProfile,
) -> usize {
    let product = problem.sizes();
    let base = problem.register_tiles(tile);
    match problem.pass() {
        Pass::Forward => split(adapter, product.inputs, base).parts,
        Pass::GradInput => split(adapter, product.outputs, base).parts,
        Pass::GradWeight => {
            // Rows, unlike vectors, are four times shorter work each.
            let parts = split(adapter, product.rows / LANES, base).parts;
            Split::into_parts(product.rows, 1, parts).parts
        }
    }
}

/// The most parts into which a sum can be cut.
pub(in crate::ops) fn longest_cut(problem: &Problem) -> usize {
    let product = problem.sizes();
    match problem.pass() {
        Pass::Forward => product.inputs,
        Pass::GradInput => product.outputs,
        Pass::GradWeight => product.rows,
    }
}

/// Cuts a sum over `summed` vectors only where there are too few results to keep the
/// adapter busy and the sum is long enough to be worth a second pass.
fn split(adapter: &AdapterProfile, summed: usize, base: usize) -> Split {
    if adapter.cpu {
        let wanted = if summed >= 128 { 64 } else { 1 };
        Split::new(summed, LANES, base, wanted, 64)
    } else {
        Split::new(summed, LANES, base, 32_768, (summed / 16).max(1))
    }
}

/// `y = x·W + b`.
pub(in crate::ops) fn lower_product(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    (tile, parts): ([usize; 3], usize),
    [x, weight, y]: [&Operand; 3],
    bias: Option<&Operand>,
) {
    if !pieces::is_bound_whole(problem, parts, cx.adapter()) {
        return pieces::lower_product(cx, problem, (tile, parts), [x, weight, y], bias);
    }
    let product = problem.sizes();
    let split = Split::into_parts(product.inputs, LANES, parts);
    let kernel = product
        .kernel(cx, shader!("linear"), problem.register_tiles(tile), split)
        .define("IN_STRIDE", product.inputs)
        .define("SPLIT_VECS", split.rows)
        .define("TILE_N", tile[1])
        .define("TILE_O", tile[2])
        .bind("x", x)
        .bind("weight", weight);
    dispatch_biased(cx, split, ("y", y), bias, kernel);
}

/// `δx = δy·Wᵀ`.
pub(in crate::ops) fn lower_grad_input(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    (tile, parts): ([usize; 3], usize),
    [dy, weight, dx]: [&Operand; 3],
) {
    if !pieces::is_bound_whole(problem, parts, cx.adapter()) {
        return pieces::lower_grad_input(cx, problem, (tile, parts), [dy, weight, dx]);
    }
    let (product, base) = (problem.sizes(), problem.register_tiles(tile));
    let split = Split::into_parts(product.outputs, LANES, parts);
    let kernel = product
        .kernel(cx, shader!("linear_grad_input"), base, split)
        .define("IN_STRIDE", product.inputs)
        .define("SPLIT_VECS", split.rows)
        .define("TILE_N", tile[1])
        .define("TILE_K", tile[2])
        .bind("dy", dy)
        .bind("weight", weight);
    dispatch_split(cx, split, dx, |out| kernel.bind("dx", out));
}

/// `δW = xᵀ·δy`.
pub(in crate::ops) fn lower_grad_weight(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    (tile, parts): ([usize; 3], usize),
    [x, dy, dw]: [&Operand; 3],
) {
    if !pieces::is_bound_whole(problem, parts, cx.adapter()) {
        return pieces::lower_grad_weight(cx, problem, (tile, parts), [x, dy, dw]);
    }
    let (product, base) = (problem.sizes(), problem.register_tiles(tile));
    let split = Split::into_parts(product.rows, 1, parts);
    let kernel = product
        .kernel(cx, shader!("linear_grad_weight"), base, split)
        .define("IN_STRIDE", product.inputs)
        .define("SPLIT_ROWS", split.rows)
        .define("TILE_K", tile[1])
        .define("TILE_O", tile[2])
        .bind("x", x)
        .bind("dy", dy);
    dispatch_split(cx, split, dw, |out| kernel.bind("partials", out));
}
