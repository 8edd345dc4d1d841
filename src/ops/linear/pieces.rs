//! Products with a matrix that is larger than what can be bound at once: they are computed with some
//! rows of it after the others. A row holds what one input has for all outputs.

use std::ops::Range;

use super::product::Product;
use crate::graph::BLOCK;
use crate::layout::LANES;
use crate::ops::conv2d::{Pass, Problem};
use crate::ops::split::{Split, dispatch_split, finish, passes};
use crate::plan::{AdapterProfile, BufferId, Lowering, Operand};
use crate::shader::shader;

/// Vectors of inputs in a block of elements: where a row of images may be cut.
const UNIT: usize = BLOCK / LANES;

/// Vectors of inputs whose products one invocation adds at the most.
const LONGEST: usize = 1024;

/// Elements that a vector of inputs has in a matrix.
fn elements(product: Product) -> usize {
    LANES * LANES * product.outputs
}

/// Whether the matrix, and so many partial ones where it is the result, can be bound whole.
pub(in crate::ops) fn is_bound_whole(
    problem: &Problem,
    parts: usize,
    adapter: &AdapterProfile,
) -> bool {
    let product = problem.sizes();
    let copies = match problem.pass() {
        Pass::GradWeight => parts,
        Pass::Forward | Pass::GradInput => 1,
    };
    copies * product.inputs * elements(product) <= adapter.most_elements()
}

/// Vectors of inputs, a multiple of `unit` in all but the last range, so that `copies` of their rows
/// can be bound.
fn pieces(cx: &Lowering<'_>, product: Product, copies: usize, unit: usize) -> Vec<Range<usize>> {
    let most = cx.adapter().most_elements() / (copies * elements(product));
    let step = (most / unit * unit).max(unit);
    let starts = (0..product.inputs).step_by(step);
    starts
        .map(|first| first..product.inputs.min(first + step))
        .collect()
}

/// The part of a matrix that belongs to these inputs.
fn rows_of(
    cx: &mut Lowering<'_>,
    product: Product,
    matrix: &Operand,
    piece: &Range<usize>,
) -> Operand {
    let len = piece.len() * elements(product);
    Operand {
        buffer: cx.part(matrix.buffer, piece.start * elements(product), len),
        value_type: matrix.value_type.clone(),
        len,
    }
}

/// Images from the piece's first input on; the kernels step from one to the next by their full length.
fn columns_of(cx: &mut Lowering<'_>, buffer: BufferId, len: usize, first: usize) -> BufferId {
    cx.part(buffer, first * LANES, len - first * LANES)
}

/// How a forward sum is cut, and into how many such parts a piece: parts are whole blocks of inputs,
/// and so are the partial results of a piece.
fn cut(cx: &Lowering<'_>, product: Product, parts: usize) -> (Split, usize) {
    let results = product.rows * product.outputs;
    let together = (1..=UNIT).find(|n| (n * results).is_multiple_of(UNIT));
    let together = together.unwrap_or(UNIT);
    let most = cx.adapter().most_elements() / elements(product);
    let wanted = product.inputs.div_ceil(parts).min(most / together);
    let rows = (wanted / UNIT * UNIT).clamp(UNIT, LONGEST);
    let parts = product.inputs.div_ceil(rows);
    (Split { parts, rows }, together)
}

/// `y = x·W + b`.
pub(super) fn lower_product(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    (tile, parts): ([usize; 3], usize),
    [x, weight, y]: [&Operand; 3],
    bias: Option<&Operand>,
) {
    let product = problem.sizes();
    let (split, together) = cut(cx, product, parts);
    let (partials, sum) = passes(cx, split, y);
    for piece in pieces(cx, product, 1, split.rows * together) {
        let own = Split {
            parts: piece.len().div_ceil(split.rows),
            rows: split.rows,
        };
        let results = product.rows * product.outputs * LANES;
        let first = piece.start / split.rows * results;
        let kernel = product
            .piece(piece.len())
            .kernel(cx, shader!("linear"), problem.register_tiles(tile), own)
            .define("IN_STRIDE", product.inputs)
            .define("SPLIT_VECS", split.rows)
            .define("TILE_N", tile[1])
            .define("TILE_O", tile[2])
            .bind("x", columns_of(cx, x.buffer, x.len, piece.start))
            .bind("weight", &rows_of(cx, product, weight, &piece))
            .bind("y", cx.part(partials, first, own.parts * results));
        cx.dispatch(kernel.arithmetic());
    }
    finish(cx, sum, bias);
}

/// `δx = δy·Wᵀ`.
pub(super) fn lower_grad_input(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    (tile, parts): ([usize; 3], usize),
    [dy, weight, dx]: [&Operand; 3],
) {
    let product = problem.sizes();
    let split = Split::into_parts(product.outputs, LANES, parts);
    let second = (split.parts > 1).then(|| passes(cx, split, dx));
    let out = second.as_ref().map_or(dx.buffer, |(partials, _)| *partials);
    for piece in pieces(cx, product, 1, UNIT) {
        let base = problem.with_inputs(piece.len()).register_tiles(tile);
        let kernel = product
            .piece(piece.len())
            .kernel(cx, shader!("linear_grad_input"), base, split)
            .define("IN_STRIDE", product.inputs)
            .define("SPLIT_VECS", split.rows)
            .define("TILE_N", tile[1])
            .define("TILE_K", tile[2])
            .bind("dy", dy)
            .bind("weight", &rows_of(cx, product, weight, &piece))
            .bind("dx", columns_of(cx, out, split.parts * dx.len, piece.start));
        cx.dispatch(kernel.arithmetic());
    }
    if let Some((_, sum)) = second {
        cx.dispatch(sum);
    }
}

/// `δW = xᵀ·δy`.
pub(super) fn lower_grad_weight(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    (tile, parts): ([usize; 3], usize),
    [x, dy, dw]: [&Operand; 3],
) {
    let product = problem.sizes();
    let split = Split::into_parts(product.rows, 1, parts);
    for piece in pieces(cx, product, split.parts, UNIT) {
        let base = problem.with_inputs(piece.len()).register_tiles(tile);
        let kernel = product
            .piece(piece.len())
            .kernel(cx, shader!("linear_grad_weight"), base, split)
            .define("IN_STRIDE", product.inputs)
            .define("SPLIT_ROWS", split.rows)
            .define("TILE_K", tile[1])
            .define("TILE_O", tile[2])
            .bind("x", columns_of(cx, x.buffer, x.len, piece.start))
            .bind("dy", dy)
            .arithmetic();
        let rows = rows_of(cx, product, dw, &piece);
        dispatch_split(cx, split, &rows, |out| kernel.bind("partials", out));
    }
}
