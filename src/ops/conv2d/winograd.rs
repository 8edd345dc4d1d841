//! The variant F(2×2, 3×3) of Winograd: both factors are transformed, multiplied as 16 matrix
//! products, and the products transformed back.

use std::ops::Range;

use super::choose::{Pass, recut};
use super::geometry::{Geometry, vectors};
use super::problem::Problem;
use crate::graph::BLOCK;
use crate::layout::LANES;
use crate::ops::choice::Choice;
use crate::ops::split::{Split, workgroup};
use crate::ops::tile::{Filter, Map, OuterTile, Tile};
use crate::plan::{AdapterProfile, BufferId, Lowering, Operand};
use crate::shader::{Grid, Kernel, Shader, shader};

/// Elements of a transformed tile of 4×4.
const ELEMENTS: usize = 16;

/// Vectors of a transformed piece of the batch: 8 MiB.
const MOST_TRANSFORMED: usize = 1 << 19;

/// Fewer tiles do not share the transformed filter well.
const LEAST_TILES: usize = 256;

/// Tiles that are measured.
const MOST_CANDIDATES: usize = 4;

/// Taps of the filter.
const TAPS: usize = 9;

/// A convolution of stride 1 of one image with another, in either direction.
#[derive(Clone, Copy)]
struct Direction {
    batch: usize,
    /// Vectors, height, width.
    from: [usize; 3],
    to: [usize; 3],
    /// Negative where the outermost results of a generously padded convolution are cut off.
    padding: [i64; 2],
}

impl Direction {
    fn forward(geometry: Geometry, batch: usize) -> Self {
        let padding = geometry.padding;
        Self {
            batch,
            from: in_vectors(geometry.input),
            to: in_vectors(geometry.output),
            padding: [padding.top as i64, padding.left as i64],
        }
    }

    /// From the result's gradient to the operand's.
    fn backward(geometry: Geometry, batch: usize) -> Self {
        let forward = Self::forward(geometry, batch);
        Self {
            batch,
            from: forward.to,
            to: forward.from,
            padding: forward.padding.map(|padding| 2 - padding),
        }
    }

    /// Tiles of 2×2 results.
    fn tiles(self) -> usize {
        self.batch * self.to[1].div_ceil(2) * self.to[2].div_ceil(2)
    }

    fn of(problem: &Problem) -> Self {
        match problem.pass {
            Pass::GradInput => Self::backward(problem.geometry, problem.batch),
            Pass::Forward | Pass::GradWeight => Self::forward(problem.geometry, problem.batch),
        }
    }

    /// One of `count` equal pieces of the batch.
    fn piece(self, count: usize) -> Self {
        Self {
            batch: self.batch / count,
            ..self
        }
    }

    /// Into how many equal pieces the batch can be cut, each of which can be bound by itself.
    fn piece_counts(self) -> impl Iterator<Item = usize> {
        let aligned = move |count: &usize| {
            let piece = self.piece(*count);
            let [from, to] = [piece.from, piece.to].map(|[v, h, w]| piece.batch * v * h * w);
            (from * LANES).is_multiple_of(BLOCK) && (to * LANES).is_multiple_of(BLOCK)
        };
        let counts = (1..=self.batch).filter(move |count| self.batch.is_multiple_of(*count));
        counts.filter(move |count| *count == 1 || aligned(count))
    }

    /// As few pieces, one after the other, as keep the transformed images small: they are sixteen
    /// quarters of an image.
    fn pieces(self) -> usize {
        let most = self.from[0].max(self.to[0]);
        let fits = |count: &usize| {
            let tiles = self.piece(*count).tiles();
            ELEMENTS * tiles * most <= MOST_TRANSFORMED || tiles < 2 * LEAST_TILES
        };
        self.piece_counts().find(fits).unwrap_or(1)
    }

    /// The product of a piece, for register tiles.
    fn map(self) -> Map {
        Map {
            batch: 1,
            height: 1,
            width: self.tiles(),
            vectors: self.to[0],
            summed: self.from[0],
            taps: ELEMENTS,
            lanes: LANES,
        }
    }

    /// The product of a piece of the filters' gradient.
    fn filter(self) -> Filter {
        Filter {
            taps: 1,
            inputs: self.from[0],
            outputs: self.to[0],
            lanes: LANES,
            pixels: ELEMENTS * self.tiles(),
        }
    }

    /// The elements of piece `index` of the images that are read, and of those written.
    fn ranges(self, index: usize) -> [Range<usize>; 2] {
        [self.from, self.to].map(|[vectors, height, width]| {
            let len = self.batch * vectors * height * width * LANES;
            index * len..(index + 1) * len
        })
    }
}

/// A range of a buffer as a buffer.
fn part(cx: &mut Lowering<'_>, whole: BufferId, elements: &Range<usize>) -> BufferId {
    cx.part(whole, elements.start, elements.len())
}

fn in_vectors([channels, height, width]: [usize; 3]) -> [usize; 3] {
    [vectors(channels), height, width]
}

fn kernel(cx: &Lowering<'_>, shader: Shader, grid: Grid) -> Kernel {
    Kernel::new(shader, grid).define("WORKGROUP", workgroup(cx.adapter()))
}

/// The choice by adapter and shapes.
pub(super) fn choose(problem: &Problem, adapter: &AdapterProfile) -> Choice {
    let pieces = Direction::of(problem).pieces();
    let piece = Direction::of(problem).piece(pieces);
    let tile = match problem.pass {
        Pass::GradWeight => OuterTile::choose(piece.filter(), adapter).into(),
        Pass::Forward | Pass::GradInput => Tile::choose(piece.map(), adapter).into(),
    };
    choice_of(problem, tile, pieces, adapter)
}

/// A tile with sums cut as it suits it.
fn choice_of(
    problem: &Problem,
    [_, first, second]: [usize; 3],
    pieces: usize,
    adapter: &AdapterProfile,
) -> Choice {
    let tile = [first, second];
    let parts = match problem.pass {
        Pass::GradWeight => {
            let piece = Direction::of(problem).piece(pieces);
            let base = ELEMENTS * outer(tile).count(piece.filter());
            let wanted = if adapter.cpu { 128 } else { 65_536 };
            Split::new(piece.tiles(), 1, base, wanted, 64).parts
        }
        Pass::Forward | Pass::GradInput => 1,
    };
    Choice::Winograd {
        tile,
        parts,
        pieces,
    }
}

/// Choices worth a measurement, the one by adapter and shapes first.
pub(super) fn candidates(problem: &Problem, adapter: &AdapterProfile) -> Vec<Choice> {
    let whole = Direction::of(problem);
    let pieces = whole.pieces();
    let piece = whole.piece(pieces);
    let tiles: Vec<[usize; 3]> = match problem.pass {
        Pass::GradWeight => {
            let tiles = OuterTile::candidates(piece.filter(), adapter);
            tiles.into_iter().map(Into::into).collect()
        }
        Pass::Forward | Pass::GradInput => {
            let tiles = Tile::candidates(piece.map(), adapter);
            tiles.into_iter().map(Into::into).collect()
        }
    };
    let choices = tiles.iter().take(MOST_CANDIDATES);
    let choices = choices.map(|&tile| choice_of(problem, tile, pieces, adapter));
    let mut choices: Vec<Choice> = choices.collect();
    let fewer = whole.piece_counts().filter(|&n| n < pieces).last();
    let more = whole.piece_counts().find(|&n| n > pieces);
    let recut_batch = [more, fewer].into_iter().flatten();
    choices.extend(recut_batch.map(|pieces| choice_of(problem, tiles[0], pieces, adapter)));
    if problem.pass == Pass::GradWeight {
        choices.extend(recut(choices[0], 1, piece.tiles()));
    }
    choices
}

fn outer([inputs, outputs]: [usize; 2]) -> OuterTile {
    OuterTile::from([1, inputs, outputs])
}

/// The forward pass.
pub(super) fn forward(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    choice: ([usize; 2], usize),
    [x, weight, y]: [&Operand; 3],
    bias: Option<&Operand>,
) {
    let direction = Direction::of(problem);
    convolve(cx, direction, choice, (x.buffer, weight.buffer, y), bias);
}

/// The gradient with respect to the input: the convolution of δ with the rotated filters.
pub(super) fn grad_input(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    choice: ([usize; 2], usize),
    [dy, weight, dx]: [&Operand; 3],
    bias: Option<&Operand>,
) {
    let [inputs, outputs] = problem.geometry.vectors();
    let rotated = cx.temporary("rotated", TAPS * outputs * LANES * inputs * LANES);
    let grid = Grid::Threads(TAPS * outputs * inputs);
    let rotate = kernel(cx, shader!("conv2d_rotate_filter"), grid)
        .define("IN_VECS", inputs)
        .define("OUT_VECS", outputs)
        .define("TAPS", TAPS)
        .bind("weight", weight)
        .bind("out", rotated);
    cx.dispatch(rotate);
    let direction = Direction::of(problem);
    convolve(cx, direction, choice, (dy.buffer, rotated, dx), bias);
}

fn convolve(
    cx: &mut Lowering<'_>,
    direction: Direction,
    (tile, pieces): ([usize; 2], usize),
    (x, weight, y): (BufferId, BufferId, &Operand),
    bias: Option<&Operand>,
) {
    let piece = direction.piece(pieces);
    let ([inputs, ..], [outputs, height, width]) = (piece.from, piece.to);
    let tiles = piece.tiles();
    let u = cx.temporary("u", ELEMENTS * inputs * LANES * outputs * LANES);
    let grid = Grid::Threads(inputs * LANES * outputs * LANES);
    let filter = kernel(cx, shader!("conv2d_winograd_filter"), grid)
        .define("ROWS", inputs * LANES)
        .define("OUT_VECS", outputs)
        .bind("weight", weight)
        .bind("u", u);
    cx.dispatch(filter);
    let v = cx.temporary("v", ELEMENTS * tiles * inputs * LANES);
    let m = cx.temporary("m", ELEMENTS * tiles * outputs * LANES);
    let invocations = Tile::from([1, tile[0], tile[1]]).invocations(piece.map());
    let grid = Grid::Layers(invocations, ELEMENTS);
    let product = kernel(cx, shader!("conv2d_winograd_product"), grid)
        .arithmetic()
        .define("TILES", tiles)
        .define("IN_VECS", inputs)
        .define("OUT_VECS", outputs)
        .define("TILE_N", tile[0])
        .define("TILE_O", tile[1])
        .bind("v", v)
        .bind("u", u)
        .bind("m", m);
    let grid = Grid::Threads(tiles * outputs);
    let mut output = kernel(cx, shader!("conv2d_winograd_output"), grid)
        .define("BATCH", piece.batch)
        .define("OUT_HEIGHT", height)
        .define("OUT_WIDTH", width)
        .define("OUT_VECS", outputs)
        .bind("m", m);
    if let Some(bias) = bias {
        output = output.flag("BIAS", true).bind("bias", bias);
    }
    for index in 0..pieces {
        let [from, to] = piece.ranges(index);
        let x = part(cx, x, &from);
        transform_input(cx, piece, x, v);
        cx.dispatch(product.clone());
        let output = output.clone().bind("y", part(cx, y.buffer, &to));
        let output = cx.epilogue_of(output, to);
        cx.dispatch(output);
    }
}

/// The transformed patches of 4×4 pixels under every tile of results.
fn transform_input(cx: &mut Lowering<'_>, direction: Direction, x: BufferId, v: BufferId) {
    let [inputs, height, width] = direction.from;
    let grid = Grid::Threads(direction.tiles() * inputs);
    let input = kernel(cx, shader!("conv2d_winograd_input"), grid)
        .define("BATCH", direction.batch)
        .define("IN_HEIGHT", height)
        .define("IN_WIDTH", width)
        .define("IN_VECS", inputs)
        .define_signed("PADDING_H", direction.padding[0])
        .define_signed("PADDING_W", direction.padding[1])
        .define("TILES_H", direction.to[1].div_ceil(2))
        .define("TILES_W", direction.to[2].div_ceil(2))
        .bind("x", x)
        .bind("v", v);
    cx.dispatch(input);
}

/// The gradient with respect to the filters: sums over the tiles of transformed products.
pub(super) fn grad_weight(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    (tile, parts, pieces): ([usize; 2], usize, usize),
    [x, dy, dw]: [&Operand; 3],
) {
    let piece = Direction::of(problem).piece(pieces);
    let ([inputs, ..], [outputs, height, width]) = (piece.from, piece.to);
    let tiles = piece.tiles();
    let v = cx.temporary("v", ELEMENTS * tiles * inputs * LANES);
    let d = cx.temporary("d", ELEMENTS * tiles * outputs * LANES);
    let grid = Grid::Threads(tiles * outputs);
    let delta = kernel(cx, shader!("conv2d_winograd_grad_output"), grid)
        .define("BATCH", piece.batch)
        .define("OUT_HEIGHT", height)
        .define("OUT_WIDTH", width)
        .define("OUT_VECS", outputs)
        .bind("d", d);

    let base = outer(tile).count(piece.filter());
    let split = Split::into_parts(tiles, 1, parts);
    let length = inputs * LANES * outputs * LANES;
    let piece_len = split.parts * ELEMENTS * length;
    let partials = cx.temporary("partials", pieces * piece_len);
    let grid = Grid::Layers(base * split.parts, ELEMENTS);
    let product = kernel(cx, shader!("conv2d_winograd_grad_product"), grid)
        .arithmetic()
        .define("TILES", tiles)
        .define("IN_VECS", inputs)
        .define("OUT_VECS", outputs)
        .define("SPLITS", split.parts)
        .define("SPLIT_TILES", split.rows)
        .define("TILE_C", tile[0])
        .define("TILE_O", tile[1])
        .bind("v", v)
        .bind("d", d);
    for index in 0..pieces {
        let [from, to] = piece.ranges(index);
        let x = part(cx, x.buffer, &from);
        transform_input(cx, piece, x, v);
        let dy = part(cx, dy.buffer, &to);
        cx.dispatch(delta.clone().bind("dy", dy));
        let sums = cx.part(partials, index * piece_len, piece_len);
        cx.dispatch(product.clone().bind("partials", sums));
    }

    let grid = Grid::Threads(inputs * LANES * outputs * LANES);
    let result = kernel(cx, shader!("conv2d_winograd_grad_weight"), grid)
        .define("ROWS", inputs * LANES)
        .define("OUT_VECS", outputs)
        .define("SPLITS", pieces * split.parts)
        .bind("partials", partials)
        .bind("dw", dw);
    cx.dispatch(result);
}
