//! Matrix products: linear layers, and convolutions that are products over pixels.

use crate::layout::LANES;
use crate::ops::split::{Split, dispatch_split, workgroup};
use crate::plan::{AdapterProfile, Lowering, Operand};
use crate::shader::{Grid, Kernel, Shader, shader};

/// `rows × inputs` times `inputs × outputs`, the latter two in vectors of four.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) struct Product {
    pub(in crate::ops) rows: usize,
    pub(in crate::ops) inputs: usize,
    pub(in crate::ops) outputs: usize,
}

/// The sides of a register tile: rows (or input vectors), and vectors of the result.
struct Tile {
    long: usize,
    wide: usize,
}

impl Product {
    fn kernel(self, cx: &Lowering<'_>, shader: Shader, base: usize, split: Split) -> Kernel {
        Kernel::new(shader, Grid::Threads(base * split.parts))
            .define("BATCH", self.rows)
            .define("IN_VECS", self.inputs)
            .define("OUT_VECS", self.outputs)
            .define("SPLITS", split.parts)
            .define("WORKGROUP", workgroup(cx.adapter()))
    }
}

/// A tile over `rows` rows and `vectors` vectors.
fn tile(adapter: &AdapterProfile, rows: usize, vectors: usize) -> Tile {
    let (long, wide) = if adapter.cpu { (16, 4) } else { (4, 2) };
    Tile {
        long: rows.min(long),
        wide: vectors.min(wide),
    }
}

/// Cuts a sum over `summed` vectors (or rows) only where there are too few results to keep the
/// adapter busy and the sum is long enough to be worth a second pass.
fn split(adapter: &AdapterProfile, summed: usize, base: usize) -> Split {
    if adapter.cpu {
        let wanted = if summed >= 128 { 64 } else { 1 };
        Split::new(summed, 1, base, wanted, 64)
    } else {
        Split::new(summed, 1, base, 32_768, (summed / 16).max(1))
    }
}

/// `y = x·W + b`.
pub(in crate::ops) fn lower_product(
    cx: &mut Lowering<'_>,
    product: Product,
    x: &Operand,
    weight: &Operand,
    y: &Operand,
    bias: Option<&Operand>,
) {
    let tile = tile(cx.adapter(), product.rows, product.outputs);
    let base = product.rows.div_ceil(tile.long) * product.outputs.div_ceil(tile.wide);
    let split = split(cx.adapter(), product.inputs, base);
    let kernel = product
        .kernel(cx, shader!("linear"), base, split)
        .define("SPLIT_VECS", split.rows)
        .define("TILE_N", tile.long)
        .define("TILE_O", tile.wide)
        .bind("x", x)
        .bind("weight", weight);
    match bias {
        // A single pass adds the bias itself.
        Some(bias) if split.parts == 1 => {
            cx.dispatch(kernel.flag("BIAS", true).bind("bias", bias).bind("y", y));
        }
        _ => dispatch_split(cx, split, y, bias, |out| kernel.bind("y", out)),
    }
}

/// `δx = δy·Wᵀ`.
pub(in crate::ops) fn lower_grad_input(
    cx: &mut Lowering<'_>,
    product: Product,
    dy: &Operand,
    weight: &Operand,
    dx: &Operand,
) {
    let tile = tile(cx.adapter(), product.rows, product.inputs);
    let base = product.rows.div_ceil(tile.long) * product.inputs.div_ceil(tile.wide);
    let split = split(cx.adapter(), product.outputs, base);
    let kernel = product
        .kernel(cx, shader!("linear_grad_input"), base, split)
        .define("SPLIT_VECS", split.rows)
        .define("TILE_N", tile.long)
        .define("TILE_K", tile.wide)
        .bind("dy", dy)
        .bind("weight", weight);
    dispatch_split(cx, split, dx, None, |out| kernel.bind("dx", out));
}

/// `δW = xᵀ·δy`.
pub(in crate::ops) fn lower_grad_weight(
    cx: &mut Lowering<'_>,
    product: Product,
    x: &Operand,
    dy: &Operand,
    dw: &Operand,
) {
    let most = if cx.adapter().cpu { 4 } else { 2 };
    let (tile_k, tile_o) = (product.inputs.min(most), product.outputs.min(most));
    let base = product.inputs.div_ceil(tile_k) * product.outputs.div_ceil(tile_o);
    // Rows, unlike vectors, are four times shorter work each.
    let split = match split(cx.adapter(), product.rows / LANES, base).parts {
        1 => Split::new(product.rows, 1, base, 1, 1),
        parts => Split::new(product.rows, 1, 1, parts, parts),
    };
    let kernel = product
        .kernel(cx, shader!("linear_grad_weight"), base, split)
        .define("SPLIT_ROWS", split.rows)
        .define("TILE_K", tile_k)
        .define("TILE_O", tile_o)
        .bind("x", x)
        .bind("dy", dy);
    dispatch_split(cx, split, dw, None, |out| kernel.bind("partials", out));
}
