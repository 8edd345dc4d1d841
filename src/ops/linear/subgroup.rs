//! Matrix products for CPU drivers with subgroups: values that several invocations need are loaded
//! once and handed round.

use super::longest_cut;
use crate::layout::LANES;
use crate::ops::choice::Choice;
use crate::ops::conv2d::{Pass, Problem, recut};
use crate::ops::split::{Split, dispatch_biased, dispatch_split};
use crate::plan::{AdapterProfile, BufferId, Lowering, Operand};
use crate::shader::{Grid, Kernel, shader};

/// Invocations that hand loaded values round.
const INVOCATIONS: usize = 8;

/// Rows and vectors of one invocation, the usual ones first.
const TILES: [[usize; 2]; 3] = [[4, 8], [8, 4], [4, 4]];

/// The tiles for results of so many vectors, the best first: one that is not half empty.
pub(in crate::ops) fn tiles(vectors: usize) -> Vec<[usize; 2]> {
    let mut tiles = TILES.to_vec();
    if vectors <= 4 {
        tiles.swap(0, 1);
    }
    tiles
}

/// Input and output vectors of a workgroup for a gradient of weights.
pub(in crate::ops) const OUTER_TILE: [usize; 2] = [8, 8];

/// Workgroups that keep the cores busy.
const WORKGROUPS: usize = 16;

/// Vectors of a part of a sum that pays for its second pass.
const LONG: usize = 32;

/// Vectors of a small result.
const SMALL: usize = 1 << 14;

/// Whether the adapter has subgroups of the kernels' size, and is one that they are fast on.
pub(in crate::ops) fn available(adapter: &AdapterProfile) -> bool {
    adapter.cpu && adapter.subgroup == Some(INVOCATIONS as u32)
}

/// Choices worth a measurement, the one by sizes first.
pub(in crate::ops) fn candidates(problem: &Problem) -> Vec<Choice> {
    let tiles = match problem.pass() {
        Pass::GradWeight => &[OUTER_TILE][..],
        Pass::Forward | Pass::GradInput => &TILES,
    };
    let choice = |&tile: &[usize; 2]| {
        let parts = parts(problem, tile);
        Choice::Subgroup { tile, parts }
    };
    let mut choices: Vec<Choice> = tiles.iter().map(choice).collect();
    choices.extend(recut(choices[0], 1, longest_cut(problem)));
    choices
}

/// Into how many parts sums are cut: so many that the cores are busy, if the sums are long. A small
/// result is worth a second pass always: that takes bias and rectifier, so that one compiled product
/// serves all.
fn parts(problem: &Problem, tile: [usize; 2]) -> usize {
    let sizes = problem.sizes();
    let (rows, vectors, least) = match problem.pass() {
        Pass::Forward => (sizes.rows.div_ceil(INVOCATIONS), sizes.outputs, 2),
        Pass::GradInput => (sizes.rows.div_ceil(INVOCATIONS), sizes.inputs, 1),
        Pass::GradWeight => (sizes.inputs, sizes.outputs, 1),
    };
    let long = match problem.pass() {
        Pass::Forward | Pass::GradInput => LONG,
        Pass::GradWeight => LONG * LANES,
    };
    if problem.pass() != Pass::GradWeight && sizes.rows * vectors > SMALL {
        return 1;
    }
    let workgroups = rows.div_ceil(tile[0]) * vectors.div_ceil(tile[1]);
    let length = longest_cut(problem);
    let parts = WORKGROUPS.div_ceil(workgroups).min(length / long);
    parts.max(least).min(length).max(1)
}

/// Several products of the same sizes.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) struct Products {
    pub(in crate::ops) layers: usize,
    pub(in crate::ops) rows: usize,
    /// Vectors of a row of the left factor.
    pub(in crate::ops) inputs: usize,
    /// Vectors of a row of the right one.
    pub(in crate::ops) outputs: usize,
    pub(in crate::ops) split: Split,
}

impl Products {
    /// With the distances of a weight to the next row's and the next column's.
    fn sizes(self, cx: &mut Lowering<'_>, strides: [usize; 2]) -> BufferId {
        let Split { parts, rows } = self.split;
        let [row, column] = strides;
        let sizes = [
            self.rows,
            self.inputs,
            self.outputs,
            parts,
            rows,
            row,
            column,
        ];
        cx.words("products", &sizes.map(|size| size as u32))
    }

    /// Sums over the inputs, of weights by input and output or, transposed, by output and input:
    /// lacks `x`, `weight` and `y`.
    pub(in crate::ops) fn product(
        self,
        cx: &mut Lowering<'_>,
        tile: [usize; 2],
        transposed: bool,
    ) -> Kernel {
        let strides = match transposed {
            false => [self.outputs * LANES, 1],
            true => [1, self.inputs * LANES],
        };
        let rows = self.rows.div_ceil(INVOCATIONS * tile[0]);
        let invocations = INVOCATIONS * rows * self.outputs.div_ceil(tile[1]);
        let grid = Grid::Layers(invocations, self.layers * self.split.parts);
        Kernel::new(shader!("product_subgroup"), grid)
            .define("TILE_N", tile[0])
            .define("TILE_O", tile[1])
            .bind("sizes", self.sizes(cx, strides))
    }

    /// Sums over the rows: lacks `x`, `dy` and `partials`.
    pub(in crate::ops) fn outer_product(self, cx: &mut Lowering<'_>) -> Kernel {
        let [inputs, outputs] = OUTER_TILE;
        let tiles = self.inputs.div_ceil(inputs) * self.outputs.div_ceil(outputs);
        let invocations = INVOCATIONS * tiles * self.split.parts;
        let grid = Grid::Layers(invocations, self.layers);
        Kernel::new(shader!("outer_product_subgroup"), grid).bind("sizes", self.sizes(cx, [0, 0]))
    }
}

/// `y = x·W + b`, or `δx = δy·Wᵀ`.
pub(in crate::ops) fn lower_product(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    (tile, parts): ([usize; 2], usize),
    [x, weight, y]: [&Operand; 3],
    bias: Option<&Operand>,
) {
    let sizes = problem.sizes();
    let backward = problem.pass() == Pass::GradInput;
    let (inputs, outputs) = match backward {
        false => (sizes.inputs, sizes.outputs),
        true => (sizes.outputs, sizes.inputs),
    };
    let products = Products {
        layers: 1,
        rows: sizes.rows,
        inputs,
        outputs,
        split: Split::into_parts(inputs, LANES, parts),
    };
    let kernel = products
        .product(cx, tile, backward)
        .bind("x", x)
        .bind("weight", weight);
    dispatch_biased(cx, products.split, ("y", y), bias, kernel);
}

/// `δW = xᵀ·δy`.
pub(in crate::ops) fn lower_outer_product(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    parts: usize,
    [x, dy, dw]: [&Operand; 3],
) {
    let sizes = problem.sizes();
    let products = Products {
        layers: 1,
        rows: sizes.rows,
        inputs: sizes.inputs,
        outputs: sizes.outputs,
        split: Split::into_parts(sizes.rows, 1, parts),
    };
    let kernel = products.outer_product(cx).bind("x", x).bind("dy", dy);
    dispatch_split(cx, products.split, dw, |out| kernel.bind("partials", out));
}
