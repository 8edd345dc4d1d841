//! The gradient of a convolution with respect to its filters.

use super::geometry::{Geometry, vectors};
use crate::graph::ValueType;
use crate::layout::LANES;
use crate::ops::linear::{self, Product};
use crate::ops::split::{Split, dispatch_split, workgroup};
use crate::ops::{Operator, Reason};
use crate::plan::Lowering;
use crate::shader::{Grid, Kernel, shader};

/// `δw[o,c,u,v] = Σ_{n,i,j} δy[n,o,i,j] · x[n,c, i·S+u·D−P, j·S+v·D−P]`: the cross-correlation of
/// the input with δ as the filter, summed over the batch.
///
/// The long sum is cut into parts that are added in a fixed order. Operands: x, δy. Result: δw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvolutionGradWeight {
    pub(super) geometry: Geometry,
}

/// A kernel variant: its grid per part, and the tile it needs to know.
struct Variant {
    kernel: Kernel,
    split: Split,
}

impl Operator for ConvolutionGradWeight {
    fn name(&self) -> &'static str {
        "conv2d_grad_weight"
    }

    fn infer(&self, _: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        Ok(vec![self.geometry.weight_type()])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let geometry = self.geometry;
        let (x, dy, dw) = (cx.input(0), cx.input(1), cx.output(0));
        if geometry.is_pointwise() {
            let rows = cx.batch() * geometry.output[1] * geometry.output[2];
            let product = Product {
                rows,
                inputs: vectors(geometry.input[0]),
                outputs: vectors(geometry.output[0]),
            };
            linear::lower_grad_weight(cx, product, &x, &dy, &dw);
            return Ok(());
        }
        let variant = match (geometry.is_depthwise(), geometry.groups) {
            (true, _) => depthwise(cx, geometry),
            (false, 1) => dense(cx, geometry),
            _ => grouped(cx, geometry),
        };
        let Variant { kernel, split } = variant;
        let kernel = kernel
            .defines(geometry.defines(cx.batch()))
            .define("SPLITS", split.parts)
            .define("SPLIT_ROWS", split.rows)
            .define("WORKGROUP", workgroup(cx.adapter()))
            .bind("x", &x)
            .bind("dy", &dy);
        dispatch_split(cx, split, &dw, None, |out| kernel.bind("partials", out));
        Ok(())
    }

    fn flops(&self, _: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        self.geometry.flops(batch)
    }
}

/// Cuts the sum over all rows of the batch, when one part has `base` invocations.
fn split_rows(cx: &Lowering<'_>, geometry: Geometry, base: usize) -> Split {
    let [_, rows, columns] = geometry.output;
    let (wanted, most) = if cx.adapter().cpu {
        (128, 64)
    } else {
        (65_536, 256)
    };
    Split::new(cx.batch() * rows, columns, base, wanted, most)
}

fn dense(cx: &Lowering<'_>, geometry: Geometry) -> Variant {
    let taps = geometry.window.taps();
    let (inputs, outputs) = (vectors(geometry.input[0]), vectors(geometry.output[0]));
    let lanes = geometry.input_lanes();
    let (tile_t, tile_c, tile_o) = dense_tile(cx.adapter().cpu, taps, inputs, outputs, lanes);
    let base = taps.div_ceil(tile_t) * inputs.div_ceil(tile_c) * outputs.div_ceil(tile_o);
    let split = split_rows(cx, geometry, base);
    let grid = Grid::Threads(base * split.parts);
    let kernel = Kernel::new(shader!("conv2d_grad_weight"), grid)
        .define("IN_LANES", lanes)
        .define("TILE_T", tile_t)
        .define("TILE_C", tile_c)
        .define("TILE_O", tile_o);
    Variant { kernel, split }
}

/// Taps, input vectors and output vectors of one invocation: about sixteen accumulating
/// matrices on a CPU driver, of as equal sides as the shape allows.
fn dense_tile(
    cpu: bool,
    taps: usize,
    inputs: usize,
    outputs: usize,
    lanes: usize,
) -> (usize, usize, usize) {
    if !cpu {
        return (1, 1, outputs.min(2));
    }
    let (tile_c, tile_o) = (inputs.min(4), outputs.min(4));
    if lanes < LANES {
        return (taps.min(9), 1, tile_o);
    }
    let tile_t = (12 / (tile_c * tile_o)).clamp(1, taps.min(3));
    (tile_t, tile_c, tile_o)
}

fn grouped(cx: &Lowering<'_>, geometry: Geometry) -> Variant {
    let group_in = geometry.input[0] / geometry.groups;
    let group_out = geometry.output[0] / geometry.groups;
    let tile = group_in.min(if cx.adapter().cpu { 8 } else { 4 });
    let base = vectors(geometry.output[0]) * group_in.div_ceil(tile) * geometry.window.taps();
    let split = split_rows(cx, geometry, base);
    let grid = Grid::Threads(base * split.parts);
    let kernel = Kernel::new(shader!("conv2d_grouped_grad_weight"), grid)
        .flag("ONE_GROUP", group_out.is_multiple_of(LANES))
        .define("TILE_K", tile);
    Variant { kernel, split }
}

fn depthwise(cx: &Lowering<'_>, geometry: Geometry) -> Variant {
    let base = vectors(geometry.input[0]) * geometry.window.kernel.height;
    let split = split_rows(cx, geometry, base);
    let columns = super::forward::depthwise_strip(cx, geometry, geometry.output[2]);
    let grid = Grid::Threads(base * split.parts);
    let kernel =
        Kernel::new(shader!("conv2d_depthwise_grad_weight"), grid).define("TILE_W", columns);
    Variant { kernel, split }
}
