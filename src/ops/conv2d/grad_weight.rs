//! The gradient of a convolution with respect to its filters.

use super::choose::{Pass, Variant};
use super::geometry::{Geometry, vectors};
use super::{tiled, winograd};
use crate::graph::ValueType;
use crate::layout::LANES;
use crate::ops::linear::{self, Product};
use crate::ops::split::{Split, dispatch_split, workgroup};
use crate::ops::tile::{Filter, OuterTile};
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
    pub(super) variant: Option<Variant>,
}

/// The first pass of a register kernel, and how its sum is cut.
struct FirstPass {
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
        let batch = cx.batch();
        match Variant::choose(
            self.variant,
            Pass::GradWeight,
            geometry,
            batch,
            cx.adapter(),
        ) {
            Variant::Tiled => {
                let walk = tiled::Walk { geometry, batch };
                tiled::lower_grad_weight(cx, walk, &x, &dy, &dw);
                return Ok(());
            }
            Variant::Winograd => {
                winograd::grad_weight(cx, geometry, [&x, &dy, &dw]);
                return Ok(());
            }
            Variant::Register => {}
        }
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
        let first_pass = match (geometry.is_depthwise(), geometry.groups) {
            (true, _) => depthwise(cx, geometry),
            (false, 1) => dense(cx, geometry),
            _ => grouped(cx, geometry),
        };
        let FirstPass { kernel, split } = first_pass;
        let kernel = kernel
            .defines(geometry.defines(cx.batch()))
            .define("SPLITS", split.parts)
            .define("SPLIT_ROWS", split.rows)
            .define("WORKGROUP", workgroup(cx.adapter()))
            .bind("x", &x)
            .bind("dy", &dy);
        dispatch_split(cx, split, &dw, |out| kernel.bind("partials", out));
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

fn dense(cx: &Lowering<'_>, geometry: Geometry) -> FirstPass {
    let lanes = geometry.input_lanes();
    let [_, height, width] = geometry.output;
    let [inputs, outputs] = geometry.vectors();
    let filter = Filter {
        taps: geometry.window.taps(),
        inputs,
        outputs,
        lanes,
        pixels: cx.batch() * height * width,
    };
    let tile = OuterTile::choose(filter, cx.adapter());
    let base = tile.count(filter);
    let split = split_rows(cx, geometry, base);
    let grid = Grid::Threads(base * split.parts);
    let kernel = Kernel::new(shader!("conv2d_grad_weight"), grid)
        .define("IN_LANES", lanes)
        .define("TILE_T", tile.taps)
        .define("TILE_C", tile.inputs)
        .define("TILE_O", tile.outputs);
    FirstPass { kernel, split }
}

fn grouped(cx: &Lowering<'_>, geometry: Geometry) -> FirstPass {
    let group_in = geometry.input[0] / geometry.groups;
    let group_out = geometry.output[0] / geometry.groups;
    let tile = group_in.min(if cx.adapter().cpu { 8 } else { 4 });
    let base = vectors(geometry.output[0]) * group_in.div_ceil(tile) * geometry.window.taps();
    let split = split_rows(cx, geometry, base);
    let grid = Grid::Threads(base * split.parts);
    let kernel = Kernel::new(shader!("conv2d_grouped_grad_weight"), grid)
        .flag("ONE_GROUP", group_out.is_multiple_of(LANES))
        .define("TILE_K", tile);
    FirstPass { kernel, split }
}

fn depthwise(cx: &Lowering<'_>, geometry: Geometry) -> FirstPass {
    let base = vectors(geometry.input[0]) * geometry.window.kernel.height;
    let split = split_rows(cx, geometry, base);
    let columns = super::forward::depthwise_strip(cx, geometry, geometry.output[2]);
    let grid = Grid::Threads(base * split.parts);
    let kernel =
        Kernel::new(shader!("conv2d_depthwise_grad_weight"), grid).define("TILE_W", columns);
    FirstPass { kernel, split }
}
