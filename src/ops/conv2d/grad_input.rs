//! The gradient of a convolution with respect to its input.

use super::choose::{Pass, Variant};
use super::forward::{depthwise_strip, strip_of};
use super::geometry::{Geometry, vectors};
use super::{tiled, winograd};
use crate::graph::ValueType;
use crate::ops::linear::{self, Product};
use crate::ops::split::workgroup;
use crate::ops::tile::{Map, Tile};
use crate::ops::{Operator, Reason};
use crate::plan::{Lowering, Operand};
use crate::shader::{Grid, Kernel, shader};

/// `δx[c] = Σ_o restored(δy[o]) ∗ rot180(w[o,c])`: δ is restored to stride 1 by inserting zeros,
/// padded, and convolved with the filters rotated by 180°.
///
/// The kernels insert no zeros: for stride S they compute S² sub-convolutions, one for every
/// parity of the pixel. Operands: δy, filters. Result: δx, zero where the stride never reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvolutionGradInput {
    pub(super) geometry: Geometry,
    pub(super) variant: Option<Variant>,
}

impl Operator for ConvolutionGradInput {
    fn name(&self) -> &'static str {
        "conv2d_grad_input"
    }

    fn infer(&self, _: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        Ok(vec![ValueType::sample(self.geometry.input)])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (dy, weight, dx) = (cx.input(0), cx.input(1), cx.output(0));
        lower(cx, self.geometry, self.variant, [&dy, &weight, &dx], None);
        Ok(())
    }

    fn flops(&self, _: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        self.geometry.flops(batch)
    }
}

/// Emits the kernels for δx; a transposed convolution, whose result it is, adds a bias.
pub(super) fn lower(
    cx: &mut Lowering<'_>,
    geometry: Geometry,
    variant: Option<Variant>,
    [dy, weight, dx]: [&Operand; 3],
    bias: Option<&Operand>,
) {
    let batch = cx.batch();
    match Variant::choose(variant, Pass::GradInput, geometry, batch, cx.adapter()) {
        Variant::Tiled => {
            let walk = tiled::Walk { geometry, batch };
            return tiled::lower_grad_input(cx, walk, dy, weight, dx, bias);
        }
        Variant::Winograd => {
            return winograd::grad_input(cx, geometry, [dy, weight, dx], bias);
        }
        Variant::Register => {}
    }
    if geometry.is_pointwise() && bias.is_none() {
        let rows = batch * geometry.output[1] * geometry.output[2];
        let product = Product {
            rows,
            inputs: vectors(geometry.input[0]),
            outputs: vectors(geometry.output[0]),
        };
        return linear::lower_grad_input(cx, product, dy, weight, dx);
    }
    let kernel = match (geometry.is_depthwise(), geometry.groups) {
        (true, _) => depthwise(cx, geometry),
        (false, 1) => dense(cx, geometry),
        _ => grouped(cx, geometry),
    };
    let mut kernel = kernel
        .defines(geometry.defines(batch))
        .define("WORKGROUP", workgroup(cx.adapter()))
        .bind("dy", dy)
        .bind("weight", weight)
        .bind("dx", dx);
    if let Some(bias) = bias {
        kernel = kernel.flag("BIAS", true).bind("bias", bias);
    }
    cx.dispatch(kernel);
}

/// Pixels of one parity along each axis, and the number of parities.
fn parities(geometry: Geometry) -> (usize, usize, usize) {
    let [_, height, width] = geometry.input;
    let stride = geometry.window.stride;
    (
        height.div_ceil(stride.height),
        width.div_ceil(stride.width),
        stride.height * stride.width,
    )
}

fn dense(cx: &Lowering<'_>, geometry: Geometry) -> Kernel {
    let (height, width, parities) = parities(geometry);
    let map = Map {
        batch: cx.batch(),
        height,
        width,
        vectors: vectors(geometry.input[0]),
        summed: vectors(geometry.output[0]),
        taps: geometry.window.taps().div_ceil(parities),
        lanes: 4,
    };
    let tile = Tile::choose(map, cx.adapter());
    let grid = Grid::Layers(tile.invocations(map), parities);
    Kernel::new(shader!("conv2d_grad_input"), grid)
        .define("TILE_H", tile.height)
        .define("TILE_W", tile.width)
        .define("TILE_C", tile.vectors)
}

fn grouped(cx: &Lowering<'_>, geometry: Geometry) -> Kernel {
    let (height, width, parities) = parities(geometry);
    let columns = strip_of(cx, width);
    let channels = geometry.input[0];
    let invocations = vectors(channels) * width.div_ceil(columns) * height * cx.batch();
    let grid = Grid::Layers(invocations, parities);
    Kernel::new(shader!("conv2d_grouped_grad_input"), grid)
        .flag("ONE_GROUP", (channels / geometry.groups).is_multiple_of(4))
        .define("TILE_W", columns)
}

fn depthwise(cx: &Lowering<'_>, geometry: Geometry) -> Kernel {
    let (height, width, parities) = parities(geometry);
    let columns = depthwise_strip(cx, geometry, width);
    let invocations = vectors(geometry.input[0]) * width.div_ceil(columns) * height * cx.batch();
    let grid = Grid::Layers(invocations, parities);
    Kernel::new(shader!("conv2d_depthwise_grad_input"), grid).define("TILE_W", columns)
}
