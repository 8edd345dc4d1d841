//! Winograd's minimal filtering F(2×2, 3×3) and F(4×4, 3×3): both factors are transformed,
//! multiplied as 16 or 36 matrix products, and the products transformed back.

use std::ops::Range;

use super::choose::{Pass, recut};
use super::geometry::{Geometry, vectors};
use super::problem::Problem;
use crate::graph::BLOCK;
use crate::layout::LANES;
use crate::ops::choice::{Choice, WinogradCut};
use crate::ops::linear::subgroup::{self, Products};
use crate::ops::split::{Split, workgroup};
use crate::ops::tile::{Filter, Map, OuterTile, Tile};
use crate::plan::{AdapterProfile, BufferId, Lowering, Operand};
use crate::shader::{Grid, Kernel, Shader, shader};

/// Vectors of a transformed piece of the batch: 10 MiB.
const MOST_TRANSFORMED: usize = 10 << 16;

/// Fewer tiles do not share the transformed filter well.
const LEAST_TILES: usize = 256;

/// Tiles that are measured.
const MOST_CANDIDATES: usize = 4;

/// Sides of a tile of results. The larger takes fewer multiplications, the smaller wastes fewer at
/// the borders of small images.
const SIDES: [usize; 2] = [2, 4];

/// Fewer tiles leave half of a product's kernel idle.
const LEAST_LARGE_TILES: usize = 32;

/// A convolution of stride 1 of one image with another, in either direction.
#[derive(Clone, Copy)]
struct Direction {
    batch: usize,
    /// Vectors, height, width.
    from: [usize; 3],
    to: [usize; 3],
    /// Negative where the outermost results of a generously padded convolution are cut off.
    padding: [i64; 2],
    /// Pixels along a side of a tile of results.
    side: usize,
}

impl Direction {
    fn forward(geometry: Geometry, batch: usize, side: usize) -> Self {
        let padding = geometry.padding;
        Self {
            batch,
            side,
            from: in_vectors(geometry.input),
            to: in_vectors(geometry.output),
            padding: [padding.top as i64, padding.left as i64],
        }
    }

    /// From the result's gradient to the operand's.
    fn backward(geometry: Geometry, batch: usize, side: usize) -> Self {
        let forward = Self::forward(geometry, batch, side);
        Self {
            batch,
            from: forward.to,
            to: forward.from,
            padding: forward.padding.map(|padding| 2 - padding),
            ..forward
        }
    }

    fn of(problem: &Problem, side: usize) -> Self {
        match problem.pass {
            Pass::GradInput => Self::backward(problem.geometry, problem.batch, side),
            Pass::Forward | Pass::GradWeight => {
                Self::forward(problem.geometry, problem.batch, side)
            }
        }
    }

    /// Tiles of an image, down and across.
    fn grid(self) -> [usize; 2] {
        [self.to[1], self.to[2]].map(|length| length.div_ceil(self.side))
    }

    /// Tiles of all images.
    fn tiles(self) -> usize {
        let [down, across] = self.grid();
        self.batch * down * across
    }

    /// Elements of a transformed tile: matrix products.
    fn elements(self) -> usize {
        (self.side + 2) * (self.side + 2)
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

    /// As few pieces, one after the other, as keep the transformed images small: they are 16/4 or
    /// 36/16 of an image.
    fn pieces(self) -> usize {
        let most = self.from[0].max(self.to[0]);
        let fits = |count: &usize| {
            let tiles = self.piece(*count).tiles();
            self.elements() * tiles * most <= MOST_TRANSFORMED || tiles < 2 * LEAST_TILES
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
            taps: self.elements(),
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
            pixels: self.elements() * self.tiles(),
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

/// The side of the tiles with the fewest multiplications, borders included.
fn side(problem: &Problem) -> usize {
    let [small, large] = SIDES.map(|side| Direction::of(problem, side));
    let products = |direction: Direction| direction.elements() * direction.tiles();
    let pays = products(large) < products(small) && large.tiles() >= LEAST_LARGE_TILES;
    if pays { large.side } else { small.side }
}

/// Vectors of the largest transformed array.
pub(super) fn largest(problem: &Problem) -> usize {
    let of_side = |side| {
        let whole = Direction::of(problem, side);
        whole.elements() * whole.tiles() * whole.from[0].max(whole.to[0])
    };
    SIDES.map(of_side).into_iter().max().unwrap_or(0)
}

/// The choice by adapter and shapes.
pub(super) fn choose(problem: &Problem, adapter: &AdapterProfile) -> Choice {
    let whole = Direction::of(problem, side(problem));
    let pieces = whole.pieces();
    let tile = tiles(problem, whole.piece(pieces), adapter)[0];
    choice_of(problem, whole, tile, pieces, adapter)
}

/// Tiles of the products' kernels, the one by adapter and shapes first.
fn tiles(problem: &Problem, piece: Direction, adapter: &AdapterProfile) -> Vec<[usize; 2]> {
    let of_sides = |[_, first, second]: [usize; 3]| [first, second];
    match (problem.pass, subgroup::available(adapter)) {
        (Pass::GradWeight, true) => vec![subgroup::OUTER_TILE],
        (_, true) => subgroup::TILES.to_vec(),
        (Pass::GradWeight, false) => {
            let tiles = OuterTile::candidates(piece.filter(), adapter);
            tiles
                .into_iter()
                .map(|tile| of_sides(tile.into()))
                .collect()
        }
        _ => {
            let tiles = Tile::candidates(piece.map(), adapter);
            tiles
                .into_iter()
                .map(|tile| of_sides(tile.into()))
                .collect()
        }
    }
}

/// A tile with sums cut as it suits it.
fn choice_of(
    problem: &Problem,
    whole: Direction,
    tile: [usize; 2],
    pieces: usize,
    adapter: &AdapterProfile,
) -> Choice {
    let parts = match problem.pass {
        Pass::GradWeight => {
            let piece = whole.piece(pieces);
            let base = piece.elements() * outer(tile).count(piece.filter());
            let wanted = if adapter.cpu { 128 } else { 65_536 };
            Split::new(piece.tiles(), 1, base, wanted, 64).parts
        }
        Pass::Forward | Pass::GradInput => 1,
    };
    Choice::Winograd(WinogradCut {
        side: whole.side,
        tile,
        parts,
        pieces,
    })
}

/// Choices worth a measurement, the one by adapter and shapes first.
pub(super) fn candidates(problem: &Problem, adapter: &AdapterProfile) -> Vec<Choice> {
    let best = side(problem);
    let sides = [&[best][..], &SIDES].concat();
    let mut choices: Vec<Choice> = sides
        .into_iter()
        .flat_map(|side| candidates_of(problem, side, adapter))
        .collect();
    let mut seen = Vec::new();
    choices.retain(|choice| {
        let new = !seen.contains(choice);
        seen.push(*choice);
        new
    });
    choices
}

/// Those with tiles of this side.
fn candidates_of(problem: &Problem, side: usize, adapter: &AdapterProfile) -> Vec<Choice> {
    let whole = Direction::of(problem, side);
    let pieces = whole.pieces();
    let piece = whole.piece(pieces);
    let tiles = tiles(problem, piece, adapter);
    let choice = |tile, pieces| choice_of(problem, whole, tile, pieces, adapter);
    let of_tiles = tiles.iter().take(MOST_CANDIDATES);
    let mut choices: Vec<Choice> = of_tiles.map(|&tile| choice(tile, pieces)).collect();
    let fewer = whole.piece_counts().filter(|&n| n < pieces).last();
    let more = whole.piece_counts().find(|&n| n > pieces);
    let recut_batch = [more, fewer].into_iter().flatten();
    choices.extend(recut_batch.map(|pieces| choice(tiles[0], pieces)));
    if problem.pass == Pass::GradWeight {
        choices.extend(recut(choices[0], 1, piece.tiles()));
    }
    choices
}

fn outer([inputs, outputs]: [usize; 2]) -> OuterTile {
    OuterTile::from([1, inputs, outputs])
}

/// The kernels of one pass: a piece of the batch, and its sizes as the kernels read them.
struct Steps {
    piece: Direction,
    cut: WinogradCut,
    split: Split,
    sizes: BufferId,
}

impl Steps {
    fn new(cx: &mut Lowering<'_>, problem: &Problem, cut: WinogradCut) -> Self {
        let piece = Direction::of(problem, cut.side).piece(cut.pieces);
        let split = match problem.pass {
            Pass::GradWeight => Split::into_parts(piece.tiles(), 1, cut.parts),
            Pass::Forward | Pass::GradInput => Split {
                parts: 1,
                rows: piece.from[0],
            },
        };
        let [
            [inputs, in_height, in_width],
            [outputs, out_height, out_width],
        ] = [piece.from, piece.to];
        let [down, across] = piece.grid();
        let lengths = |values: &[usize]| values.iter().map(|&v| v as u32).collect::<Vec<_>>();
        let sizes = [
            lengths(&[in_height, in_width, inputs, out_height, out_width, outputs]),
            piece.padding.map(|padding| padding as u32).to_vec(),
            lengths(&[down, across, piece.tiles()]),
            lengths(&[split.parts, split.rows, cut.pieces * split.parts]),
        ];
        Self {
            piece,
            cut,
            split,
            sizes: cx.words("sizes", &sizes.concat()),
        }
    }

    fn kernel(&self, cx: &Lowering<'_>, shader: Shader, grid: Grid) -> Kernel {
        Kernel::new(shader, grid)
            .define("SIDE", self.cut.side)
            .flag("FOUR", self.cut.side == 4)
            .define("WORKGROUP", workgroup(cx.adapter()))
            .bind("sizes", self.sizes)
    }

    /// A buffer for so many transformed vectors or rows of them.
    fn transformed(&self, cx: &mut Lowering<'_>, name: &str, vectors: usize) -> BufferId {
        cx.temporary(name, self.piece.elements() * vectors * LANES)
    }

    /// The patches under every tile of results.
    fn input(&self, cx: &mut Lowering<'_>, x: BufferId, v: BufferId) {
        let grid = Grid::Threads(self.piece.tiles() * self.piece.from[0]);
        let input = self.kernel(cx, shader!("conv2d_winograd_input"), grid);
        cx.dispatch(input.bind("x", x).bind("v", v));
    }

    fn products(&self) -> Products {
        let piece = self.piece;
        Products {
            layers: piece.elements(),
            rows: piece.tiles(),
            inputs: piece.from[0],
            outputs: piece.to[0],
            split: self.split,
        }
    }

    /// The sums over channels.
    fn product(&self, cx: &mut Lowering<'_>, [v, u, m]: [BufferId; 3]) -> Kernel {
        let tile = self.cut.tile;
        if subgroup::available(cx.adapter()) {
            let kernel = self.products().product(cx, tile);
            return kernel.bind("x", v).bind("weight", u).bind("y", m);
        }
        let invocations = Tile::from([1, tile[0], tile[1]]).invocations(self.piece.map());
        let grid = Grid::Layers(invocations, self.piece.elements());
        self.kernel(cx, shader!("conv2d_winograd_product"), grid)
            .define("TILE_N", tile[0])
            .define("TILE_O", tile[1])
            .bind("v", v)
            .bind("u", u)
            .bind("m", m)
    }

    /// The sums over tiles: lacks `partials`.
    fn grad_product(&self, cx: &mut Lowering<'_>, [v, d]: [BufferId; 2]) -> Kernel {
        if subgroup::available(cx.adapter()) {
            let kernel = self.products().outer_product(cx);
            return kernel.bind("x", v).bind("dy", d);
        }
        let count = outer(self.cut.tile).count(self.piece.filter()) * self.split.parts;
        let grid = Grid::Layers(count, self.piece.elements());
        self.kernel(cx, shader!("conv2d_winograd_grad_product"), grid)
            .define("TILE_C", self.cut.tile[0])
            .define("TILE_O", self.cut.tile[1])
            .bind("v", v)
            .bind("d", d)
    }
}

/// The forward pass, or the gradient with respect to the input: the convolution of δ with the
/// rotated filters.
pub(super) fn convolve(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    cut: WinogradCut,
    [x, weight, y]: [&Operand; 3],
    bias: Option<&Operand>,
) {
    let steps = Steps::new(cx, problem, cut);
    let piece = steps.piece;
    let ([inputs, ..], [outputs, ..]) = (piece.from, piece.to);
    let u = steps.transformed(cx, "u", inputs * LANES * outputs);
    let grid = Grid::Threads(inputs * LANES * outputs * LANES);
    let filter = steps
        .kernel(cx, shader!("conv2d_winograd_filter"), grid)
        .flag("ROTATED", problem.pass == Pass::GradInput)
        .bind("weight", weight)
        .bind("u", u);
    cx.dispatch(filter);
    let v = steps.transformed(cx, "v", piece.tiles() * inputs);
    let m = steps.transformed(cx, "m", piece.tiles() * outputs);
    let product = steps.product(cx, [v, u, m]).arithmetic();
    let grid = Grid::Threads(piece.tiles() * outputs);
    let mut output = steps
        .kernel(cx, shader!("conv2d_winograd_output"), grid)
        .bind("m", m);
    if let Some(bias) = bias {
        output = output.flag("BIAS", true).bind("bias", bias);
    }
    for index in 0..cut.pieces {
        let [from, to] = piece.ranges(index);
        let x = part(cx, x.buffer, &from);
        steps.input(cx, x, v);
        cx.dispatch(product.clone());
        let output = output.clone().bind("y", part(cx, y.buffer, &to));
        let output = cx.epilogue_of(output, to);
        cx.dispatch(output);
    }
}

/// The gradient with respect to the filters: sums over the tiles of transformed products.
pub(super) fn grad_weight(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    cut: WinogradCut,
    [x, dy, dw]: [&Operand; 3],
) {
    let steps = Steps::new(cx, problem, cut);
    let piece = steps.piece;
    let ([inputs, ..], [outputs, ..]) = (piece.from, piece.to);
    let v = steps.transformed(cx, "v", piece.tiles() * inputs);
    let d = steps.transformed(cx, "d", piece.tiles() * outputs);
    let grid = Grid::Threads(piece.tiles() * outputs);
    let delta = steps
        .kernel(cx, shader!("conv2d_winograd_grad_output"), grid)
        .bind("d", d);
    let length = steps.split.parts * piece.elements() * inputs * LANES * outputs * LANES;
    let partials = cx.temporary("partials", cut.pieces * length);
    let product = steps.grad_product(cx, [v, d]).arithmetic();
    for index in 0..cut.pieces {
        let [from, to] = piece.ranges(index);
        let x = part(cx, x.buffer, &from);
        steps.input(cx, x, v);
        let dy = part(cx, dy.buffer, &to);
        cx.dispatch(delta.clone().bind("dy", dy));
        let sums = cx.part(partials, index * length, length);
        cx.dispatch(product.clone().bind("partials", sums));
    }
    let grid = Grid::Threads(inputs * LANES * outputs * LANES);
    let result = steps
        .kernel(cx, shader!("conv2d_winograd_grad_weight"), grid)
        .bind("partials", partials)
        .bind("dw", dw);
    cx.dispatch(result);
}
