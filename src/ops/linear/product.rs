//! Matrix products: linear layers, and convolutions that are products over pixels.

use crate::layout::LANES;
use crate::ops::conv2d::{self, Geometry, Walk, pays_for_tiles};
use crate::ops::split::{Split, dispatch_biased, dispatch_split, workgroup};
use crate::ops::tile::{Filter, Map, OuterTile, Tile};
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
    fn kernel(self, cx: &Lowering<'_>, shader: Shader, base: usize, split: Split) -> Kernel {
        Kernel::new(shader, Grid::Threads(base * split.parts))
            .define("BATCH", self.rows)
            .define("IN_VECS", self.inputs)
            .define("OUT_VECS", self.outputs)
            .define("SPLITS", split.parts)
            .define("WORKGROUP", workgroup(cx.adapter()))
    }
}

/// The register tile of a map of `rows` rows and `vectors` vectors, and how many cover it.
fn tile(adapter: &AdapterProfile, rows: usize, vectors: usize, summed: usize) -> (Tile, usize) {
    let map = Map {
        batch: 1,
        height: 1,
        width: rows,
        vectors,
        summed,
        taps: 1,
        lanes: LANES,
    };
    let tile = Tile::choose(map, adapter);
    (tile, tile.invocations(map))
}

/// The product as the tiled kernels see it, if they pay for results of so many vectors.
fn walk(adapter: &AdapterProfile, product: Product, vectors: usize, summed: usize) -> Option<Walk> {
    let pays = !adapter.cpu && pays_for_tiles(vectors, summed);
    pays.then(|| Walk {
        geometry: Geometry::product(product.rows, product.inputs, product.outputs),
        batch: 1,
    })
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
    product: Product,
    x: &Operand,
    weight: &Operand,
    y: &Operand,
    bias: Option<&Operand>,
) {
    if let Some(walk) = walk(cx.adapter(), product, product.outputs, product.inputs) {
        return conv2d::lower_product(cx, walk, x, weight, y, bias);
    }
    let (tile, base) = tile(cx.adapter(), product.rows, product.outputs, product.inputs);
    let split = split(cx.adapter(), product.inputs, base);
    let kernel = product
        .kernel(cx, shader!("linear"), base, split)
        .define("SPLIT_VECS", split.rows)
        .define("TILE_N", tile.width)
        .define("TILE_O", tile.vectors)
        .bind("x", x)
        .bind("weight", weight);
    dispatch_biased(cx, split, ("y", y), bias, kernel);
}

/// `δx = δy·Wᵀ`.
pub(in crate::ops) fn lower_grad_input(
    cx: &mut Lowering<'_>,
    product: Product,
    dy: &Operand,
    weight: &Operand,
    dx: &Operand,
) {
    if let Some(walk) = walk(cx.adapter(), product, product.inputs, product.outputs) {
        return conv2d::lower_grad_input(cx, walk, dy, weight, dx, None);
    }
    let (tile, base) = tile(cx.adapter(), product.rows, product.inputs, product.outputs);
    let split = split(cx.adapter(), product.outputs, base);
    let kernel = product
        .kernel(cx, shader!("linear_grad_input"), base, split)
        .define("SPLIT_VECS", split.rows)
        .define("TILE_N", tile.width)
        .define("TILE_K", tile.vectors)
        .bind("dy", dy)
        .bind("weight", weight);
    dispatch_split(cx, split, dx, |out| kernel.bind("dx", out));
}

/// `δW = xᵀ·δy`.
pub(in crate::ops) fn lower_grad_weight(
    cx: &mut Lowering<'_>,
    product: Product,
    x: &Operand,
    dy: &Operand,
    dw: &Operand,
) {
    if let Some(walk) = walk(cx.adapter(), product, product.outputs, product.inputs) {
        return conv2d::lower_grad_weight(cx, walk, x, dy, dw);
    }
    let filter = Filter {
        taps: 1,
        inputs: product.inputs,
        outputs: product.outputs,
        lanes: LANES,
        pixels: product.rows,
    };
    let tile = OuterTile::choose(filter, cx.adapter());
    let base = tile.count(filter);
    // Rows, unlike vectors, are four times shorter work each.
    let split = match split(cx.adapter(), product.rows / LANES, base).parts {
        1 => Split::new(product.rows, 1, base, 1, 1),
        parts => Split::new(product.rows, 1, 1, parts, parts),
    };
    let kernel = product
        .kernel(cx, shader!("linear_grad_weight"), base, split)
        .define("SPLIT_ROWS", split.rows)
        .define("TILE_K", tile.inputs)
        .define("TILE_O", tile.outputs)
        .bind("x", x)
        .bind("dy", dy);
    dispatch_split(cx, split, dw, |out| kernel.bind("partials", out));
}
