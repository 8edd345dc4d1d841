//! The variant for GPUs: products through workgroup memory. Linear layers use it too.

use super::choose::{Pass, recut};
use super::problem::Problem;
use crate::ops::choice::{Choice, WorkgroupTile};
use crate::ops::split::{Split, dispatch_biased, dispatch_split};
use crate::plan::{Lowering, Operand};
use crate::shader::{Grid, Kernel, Shader, shader};

const fn tile(threads: [usize; 2], each: [usize; 2]) -> WorkgroupTile {
    WorkgroupTile { threads, each }
}

/// What the choice by shapes may find, for each pass.
const MAP_TILES: [WorkgroupTile; 4] = [
    tile([16, 16], [8, 2]),
    tile([16, 16], [4, 1]),
    tile([32, 8], [4, 1]),
    tile([32, 4], [4, 1]),
];
const INPUT_TILES: [WorkgroupTile; 4] = [
    tile([16, 16], [8, 1]),
    tile([16, 16], [4, 1]),
    tile([32, 8], [4, 1]),
    tile([32, 4], [4, 1]),
];
const FILTER_TILES: [WorkgroupTile; 4] = [
    tile([16, 16], [2, 2]),
    tile([16, 8], [2, 2]),
    tile([16, 8], [2, 1]),
    tile([32, 4], [1, 1]),
];

/// Workgroups that keep a GPU busy; with fewer, sums are cut as long as sixteen steps remain.
const WORKGROUPS: usize = 256;
const LEAST_STEPS: usize = 16;

/// Vectors of a sum that a workgroup loads at a time.
const SLAB: usize = 4;

/// Pixels of a filter gradient's sum that a workgroup loads at a time, and the most of them in a
/// part, which bounds the rounding.
const SLAB_PIXELS: usize = 16;
const MOST_PIXELS: usize = 4_096;

impl WorkgroupTile {
    /// For `rows` pixels and `vectors` channel vectors: as near to a square as the channels
    /// allow, and large where there is work for many.
    fn of_map(rows: usize, vectors: usize) -> Self {
        match vectors {
            24.. if rows.div_ceil(128) * vectors.div_ceil(32) >= 128 => tile([16, 16], [8, 2]),
            12.. => tile([16, 16], [4, 1]),
            5.. => tile([32, 8], [4, 1]),
            _ => tile([32, 4], [4, 1]),
        }
    }

    /// As `of_map` for the input gradient, whose filters take more workgroup memory: 16 KiB is
    /// what every adapter has.
    fn of_input(rows: usize, vectors: usize) -> Self {
        match vectors {
            16.. if rows.div_ceil(128) * vectors.div_ceil(16) >= 128 => tile([16, 16], [8, 1]),
            _ => match Self::of_map(rows, vectors) {
                Self { each: [8, 2], .. } => tile([16, 16], [4, 1]),
                tile => tile,
            },
        }
    }

    /// For `rows` vectors of filter rows and `vectors` channel vectors of a filter's gradient.
    fn of_filter(rows: usize, vectors: usize) -> Self {
        match vectors {
            24.. if rows >= 32 => tile([16, 16], [2, 2]),
            12.. => tile([16, 8], [2, 2]),
            5.. => tile([16, 8], [2, 1]),
            _ => tile([32, 4], [1, 1]),
        }
    }

    fn workgroups(self, rows: usize, vectors: usize) -> usize {
        rows.div_ceil(self.threads[0] * self.each[0])
            * vectors.div_ceil(self.threads[1] * self.each[1])
    }

    /// `workgroups` in a row and `layers` along z.
    fn grid(self, workgroups: usize, layers: usize) -> Grid {
        Grid::Layers(workgroups * self.threads[0] * self.threads[1], layers)
    }

    fn kernel(self, shader: Shader, grid: Grid, problem: &Problem, names: [&str; 4]) -> Kernel {
        let [threads_rows, threads_vectors, rows, vectors] = names;
        Kernel::new(shader, grid)
            .defines(problem.geometry.defines(problem.batch))
            .define(threads_rows, self.threads[0])
            .define(threads_vectors, self.threads[1])
            .define(rows, self.each[0])
            .define(vectors, self.each[1])
    }
}

/// Doubles the parts while there are too few workgroups and the walk of each stays long enough.
fn parts(workgroups: usize, wanted: usize, steps: usize, least: usize) -> usize {
    let mut parts = least.max(1);
    while workgroups * parts < wanted && steps / parts >= LEAST_STEPS {
        parts *= 2;
    }
    parts
}

/// What tiles cover: pixels or filter rows, channel vectors, parities; and the steps of each sum,
/// with the least parts that it must be cut into.
struct Extent {
    rows: usize,
    vectors: usize,
    layers: usize,
    steps: usize,
    least: usize,
}

impl Extent {
    fn of(problem: &Problem) -> Self {
        let window = problem.geometry.window;
        let [inputs, outputs] = problem.geometry.vectors();
        let (height, width, phases) = problem.parities();
        let pixels = problem.batch * height * width;
        match problem.pass {
            Pass::Forward => Self {
                rows: pixels,
                vectors: outputs,
                layers: 1,
                steps: (window.taps() * inputs).div_ceil(SLAB),
                least: 1,
            },
            Pass::GradInput => Self {
                rows: pixels,
                vectors: inputs,
                layers: phases,
                steps: (window.taps() * outputs).div_ceil(SLAB) / phases,
                least: 1,
            },
            Pass::GradWeight => Self {
                rows: window.taps() * inputs,
                vectors: outputs,
                layers: 1,
                steps: pixels.div_ceil(SLAB_PIXELS),
                least: pixels.div_ceil(MOST_PIXELS),
            },
        }
    }

    fn workgroups(&self, tile: WorkgroupTile) -> usize {
        tile.workgroups(self.rows, self.vectors)
    }
}

/// The choice by shapes.
pub(super) fn choose(problem: &Problem) -> Choice {
    let extent = Extent::of(problem);
    let (rows, vectors) = (extent.rows, extent.vectors);
    let tile = match problem.pass {
        Pass::Forward => WorkgroupTile::of_map(rows, vectors),
        Pass::GradInput => WorkgroupTile::of_input(rows, vectors),
        Pass::GradWeight => WorkgroupTile::of_filter(rows, vectors),
    };
    choice_of(problem, tile)
}

/// A tile with sums cut as it suits it.
fn choice_of(problem: &Problem, tile: WorkgroupTile) -> Choice {
    let extent = Extent::of(problem);
    let wanted = match problem.pass {
        Pass::Forward | Pass::GradInput => WORKGROUPS,
        Pass::GradWeight => 2 * WORKGROUPS,
    };
    let workgroups = extent.workgroups(tile) * extent.layers;
    Choice::Tiled {
        tile,
        parts: parts(workgroups, wanted, extent.steps, extent.least),
    }
}

/// Choices worth a measurement, the one by shapes first.
pub(super) fn candidates(problem: &Problem) -> Vec<Choice> {
    let extent = Extent::of(problem);
    let chosen = choose(problem);
    let tiles = match problem.pass {
        Pass::Forward => &MAP_TILES[..],
        Pass::GradInput => &INPUT_TILES,
        Pass::GradWeight => &FILTER_TILES,
    };
    let others = tiles.iter().map(|&tile| choice_of(problem, tile));
    let mut choices = vec![chosen];
    choices.extend(others.filter(|other| *other != chosen));
    choices.extend(recut(chosen, extent.least.max(1), extent.steps));
    choices
}

/// How the sums are cut into so many parts, and the grid.
fn split_and_grid(problem: &Problem, tile: WorkgroupTile, parts: usize) -> (Split, Grid) {
    let extent = Extent::of(problem);
    let rows = extent.steps.div_ceil(parts);
    let grid = tile.grid(extent.workgroups(tile), extent.layers * parts);
    (Split { parts, rows }, grid)
}

/// The forward pass.
pub(super) fn forward(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    (tile, parts): (WorkgroupTile, usize),
    [x, weight, y]: [&Operand; 3],
    bias: Option<&Operand>,
) {
    let (split, grid) = split_and_grid(problem, tile, parts);
    let names = ["THREADS_M", "THREADS_O", "THREAD_M", "THREAD_O"];
    let kernel = tile
        .kernel(shader!("conv2d_tiled"), grid, problem, names)
        .define("SPLITS", split.parts)
        .bind("x", x)
        .bind("weight", weight);
    dispatch_biased(cx, split, ("y", y), bias, kernel);
}

/// The gradient with respect to the input, or with a bias the transposed convolution.
pub(super) fn grad_input(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    (tile, parts): (WorkgroupTile, usize),
    [dy, weight, dx]: [&Operand; 3],
    bias: Option<&Operand>,
) {
    let (split, grid) = split_and_grid(problem, tile, parts);
    let window = problem.geometry.window;
    let names = ["THREADS_M", "THREADS_C", "THREAD_M", "THREAD_C"];
    let step = |stride: usize, dilation: usize| stride / divisor(stride, dilation);
    let kernel = tile
        .kernel(shader!("conv2d_grad_input_tiled"), grid, problem, names)
        .define("STEP_H", step(window.stride.height, window.dilation.height))
        .define("STEP_W", step(window.stride.width, window.dilation.width))
        .define("SPLITS", split.parts)
        .bind("dy", dy)
        .bind("weight", weight);
    dispatch_biased(cx, split, ("dx", dx), bias, kernel);
}

/// The greatest common divisor.
fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a.max(1) } else { divisor(b, a % b) }
}

/// The gradient with respect to the filters.
pub(super) fn grad_weight(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    (tile, parts): (WorkgroupTile, usize),
    [x, dy, dw]: [&Operand; 3],
) {
    let (split, grid) = split_and_grid(problem, tile, parts);
    let names = ["THREADS_R", "THREADS_O", "THREAD_R", "THREAD_O"];
    let kernel = tile
        .kernel(shader!("conv2d_grad_weight_tiled"), grid, problem, names)
        .define("SPLITS", split.parts)
        .bind("x", x)
        .bind("dy", dy);
    dispatch_split(cx, split, dw, |out| kernel.bind("partials", out));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workgroup_memory_and_size_are_what_every_adapter_has() {
        for vectors in 1..200 {
            for rows in [1, 100, 10_000, 1_000_000] {
                for tile in [
                    WorkgroupTile::of_map(rows, vectors),
                    WorkgroupTile::of_filter(rows, vectors),
                ] {
                    assert!(tile.threads[0] * tile.threads[1] <= 256);
                }
                let WorkgroupTile { threads, each } = WorkgroupTile::of_map(rows, vectors);
                let (m, o) = (threads[0] * each[0], threads[1] * each[1]);
                assert!(16 * (m * SLAB + 4 * SLAB * o) <= 16_384);
                let WorkgroupTile { threads, each } = WorkgroupTile::of_input(rows, vectors);
                let (m, c) = (threads[0] * each[0], threads[1] * each[1]);
                assert!(16 * (m * SLAB + 4 * (SLAB + 1) * c) <= 16_384);
                let WorkgroupTile { threads, each } = WorkgroupTile::of_filter(rows, vectors);
                let (r, o) = (threads[0] * each[0], threads[1] * each[1]);
                assert!(16 * SLAB_PIXELS * (r + o) <= 16_384);
            }
        }
    }

    #[test]
    fn few_workgroups_are_made_more_by_cutting_long_sums() {
        assert_eq!(parts(4, 256, 1_000, 1), 64);
        assert_eq!(parts(4, 256, 10, 1), 1);
        assert_eq!(parts(1_000, 256, 1_000, 3), 3);
    }
}
