//! The kernels of each step.

use std::ops::Range;

use super::direction::Direction;
use super::outer;
use crate::graph::BLOCK;
use crate::layout::LANES;
use crate::ops::batch_norm::Rows;
use crate::ops::choice::WinogradCut;
use crate::ops::conv2d::choose::Pass;
use crate::ops::conv2d::problem::Problem;
use crate::ops::linear::subgroup::{self, Products};
use crate::ops::split::{Split, workgroup};
use crate::ops::tile::Tile;
use crate::plan::{BufferId, Lowering, Operand};
use crate::shader::{Grid, Kernel, Shader, shader};

/// A range of a buffer as a buffer.
fn part(cx: &mut Lowering<'_>, whole: BufferId, elements: &Range<usize>) -> BufferId {
    cx.part(whole, elements.start, elements.len())
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
            vec![u32::from(problem.pass == Pass::GradInput)], // rotated
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
            let kernel = self.products().product(cx, tile, false);
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

    /// A buffer for statistics of every tile of the result, if a batch normalisation asks for them,
    /// and the elements of a piece's. Of large tiles that are all whole: so each has as many pixels,
    /// and there are few.
    fn statistics(&self, cx: &mut Lowering<'_>) -> Option<(BufferId, usize)> {
        let Self { piece, cut, .. } = self;
        let [vectors, height, width] = piece.to;
        let rows = |pieces| {
            let pixels = pieces * piece.batch * height * width;
            Rows::blocks(pixels, cut.side * cut.side)
        };
        let length = rows(1).statistics(vectors);
        let whole = [height, width].iter().all(|n| n.is_multiple_of(cut.side));
        let bindable = cut.pieces == 1 || length.is_multiple_of(BLOCK);
        if cut.side < 4 || !whole || !bindable {
            return None;
        }
        let buffer = cx.leave_statistics(rows(cut.pieces), vectors)?;
        Some((buffer, length))
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
pub(in crate::ops::conv2d) fn convolve(
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
        .bind("weight", weight)
        .bind("u", u);
    cx.dispatch(filter);
    let v = steps.transformed(cx, "v", piece.tiles() * inputs);
    let m = steps.transformed(cx, "m", piece.tiles() * outputs);
    let product = steps.product(cx, [v, u, m]).arithmetic();
    let statistics = steps.statistics(cx);
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
        let mut output = cx.epilogue_of(output, to);
        if let Some((statistics, length)) = statistics {
            let part = cx.part(statistics, index * length, length);
            output = output.flag("STATISTICS", true).bind("statistics", part);
        }
        cx.dispatch(output);
    }
}

/// The gradient with respect to the filters: sums over the tiles of transformed products.
pub(in crate::ops::conv2d) fn grad_weight(
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
