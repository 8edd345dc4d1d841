//! The variant for GPUs: products through workgroup memory. Linear layers use it too.

use super::geometry::Geometry;
use crate::ops::split::{Split, dispatch_biased, dispatch_split};
use crate::plan::{Lowering, Operand};
use crate::shader::{Grid, Kernel, Shader, shader};

/// A convolution over a batch; for a linear layer the rows are the image's width and the batch
/// is 1.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) struct Walk {
    pub(in crate::ops) geometry: Geometry,
    pub(in crate::ops) batch: usize,
}

/// The tile of a workgroup along the product's two sides: invocations, and results of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tile {
    threads: [usize; 2],
    each: [usize; 2],
}

const fn tile(threads: [usize; 2], each: [usize; 2]) -> Tile {
    Tile { threads, each }
}

/// Workgroups that keep a GPU busy; with fewer, sums are cut as long as sixteen steps remain.
const WORKGROUPS: usize = 256;
const LEAST_STEPS: usize = 16;

/// Vectors of a sum that a workgroup loads at a time.
const SLAB: usize = 4;

/// Pixels of a filter gradient's sum that a workgroup loads at a time, and the most of them in a
/// part, which bounds the rounding.
const SLAB_PIXELS: usize = 16;
const MOST_PIXELS: usize = 4_096;

impl Tile {
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

    fn kernel(self, shader: Shader, grid: Grid, walk: Walk, names: [&str; 4]) -> Kernel {
        let [threads_rows, threads_vectors, rows, vectors] = names;
        Kernel::new(shader, grid)
            .defines(walk.geometry.defines(walk.batch))
            .define(threads_rows, self.threads[0])
            .define(threads_vectors, self.threads[1])
            .define(rows, self.each[0])
            .define(vectors, self.each[1])
    }
}

/// Doubles the parts while there are too few workgroups and the walk of each stays long enough.
fn split(workgroups: usize, wanted: usize, steps: usize, least: usize) -> Split {
    let mut parts = least.max(1);
    while workgroups * parts < wanted && steps / parts >= LEAST_STEPS {
        parts *= 2;
    }
    Split {
        parts,
        rows: steps.div_ceil(parts),
    }
}

/// The forward pass.
pub(in crate::ops) fn lower_product(
    cx: &mut Lowering<'_>,
    walk: Walk,
    x: &Operand,
    weight: &Operand,
    y: &Operand,
    bias: Option<&Operand>,
) {
    let [inputs, outputs] = walk.geometry.vectors();
    let [_, height, width] = walk.geometry.output;
    let pixels = walk.batch * height * width;
    let tile = Tile::of_map(pixels, outputs);
    let workgroups = tile.workgroups(pixels, outputs);
    let steps = (walk.geometry.window.taps() * inputs).div_ceil(SLAB);
    let split = split(workgroups, WORKGROUPS, steps, 1);
    let grid = tile.grid(workgroups, split.parts);
    let names = ["THREADS_M", "THREADS_O", "THREAD_M", "THREAD_O"];
    let kernel = tile
        .kernel(shader!("conv2d_tiled"), grid, walk, names)
        .define("SPLITS", split.parts)
        .bind("x", x)
        .bind("weight", weight);
    dispatch_biased(cx, split, ("y", y), bias, kernel);
}

/// The gradient with respect to the input, or with a bias the transposed convolution.
pub(in crate::ops) fn lower_grad_input(
    cx: &mut Lowering<'_>,
    walk: Walk,
    dy: &Operand,
    weight: &Operand,
    dx: &Operand,
    bias: Option<&Operand>,
) {
    let window = walk.geometry.window;
    let [inputs, outputs] = walk.geometry.vectors();
    let [_, height, width] = walk.geometry.input;
    let phases = window.stride.height * window.stride.width;
    let pixels =
        walk.batch * height.div_ceil(window.stride.height) * width.div_ceil(window.stride.width);
    let tile = Tile::of_input(pixels, inputs);
    let workgroups = tile.workgroups(pixels, inputs);
    let steps = (window.taps() * outputs).div_ceil(SLAB) / phases;
    let split = split(workgroups * phases, WORKGROUPS, steps, 1);
    let grid = tile.grid(workgroups, phases * split.parts);
    let names = ["THREADS_M", "THREADS_C", "THREAD_M", "THREAD_C"];
    let step = |stride: usize, dilation: usize| stride / divisor(stride, dilation);
    let kernel = tile
        .kernel(shader!("conv2d_grad_input_tiled"), grid, walk, names)
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
pub(in crate::ops) fn lower_grad_weight(
    cx: &mut Lowering<'_>,
    walk: Walk,
    x: &Operand,
    dy: &Operand,
    dw: &Operand,
) {
    let [inputs, outputs] = walk.geometry.vectors();
    let [_, height, width] = walk.geometry.output;
    let pixels = walk.batch * height * width;
    let rows = walk.geometry.window.taps() * inputs;
    let tile = Tile::of_filter(rows, outputs);
    let workgroups = tile.workgroups(rows, outputs);
    let steps = pixels.div_ceil(SLAB_PIXELS);
    let least = pixels.div_ceil(MOST_PIXELS);
    let split = split(workgroups, 2 * WORKGROUPS, steps, least);
    let grid = tile.grid(workgroups, split.parts);
    let names = ["THREADS_R", "THREADS_O", "THREAD_R", "THREAD_O"];
    let kernel = tile
        .kernel(shader!("conv2d_grad_weight_tiled"), grid, walk, names)
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
                for tile in [Tile::of_map(rows, vectors), Tile::of_filter(rows, vectors)] {
                    assert!(tile.threads[0] * tile.threads[1] <= 256);
                }
                let Tile { threads, each } = Tile::of_map(rows, vectors);
                let (m, o) = (threads[0] * each[0], threads[1] * each[1]);
                assert!(16 * (m * SLAB + 4 * SLAB * o) <= 16_384);
                let Tile { threads, each } = Tile::of_input(rows, vectors);
                let (m, c) = (threads[0] * each[0], threads[1] * each[1]);
                assert!(16 * (m * SLAB + 4 * (SLAB + 1) * c) <= 16_384);
                let Tile { threads, each } = Tile::of_filter(rows, vectors);
                let (r, o) = (threads[0] * each[0], threads[1] * each[1]);
                assert!(16 * SLAB_PIXELS * (r + o) <= 16_384);
            }
        }
    }

    #[test]
    fn few_workgroups_are_made_more_by_cutting_long_sums() {
        assert_eq!(split(4, 256, 1_000, 1).parts, 64);
        assert_eq!(split(4, 256, 10, 1).parts, 1);
        assert_eq!(split(1_000, 256, 1_000, 3).parts, 3);
    }
}
