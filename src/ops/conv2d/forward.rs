//! The convolution itself.

use super::choose::{Pass, Variant};
use super::geometry::{Geometry, vectors};
use super::grad_input::ConvolutionGradInput;
use super::grad_weight::ConvolutionGradWeight;
use super::{tiled, winograd};
use crate::autodiff::Backward;
use crate::graph::ValueType;
use crate::onnx::{OnnxNode, Translation};
use crate::ops::channel_sum::ChannelSum;
use crate::ops::linear::{self, Product};
use crate::ops::split::workgroup;
use crate::ops::tile::{Map, Tile, strip};
use crate::ops::window::Window2d;
use crate::ops::{Operator, Reason, image};
use crate::plan::{Lowering, Operand};
use crate::shader::{Grid, Kernel, shader};

/// The cross-correlation of an image with a bank of filters.
///
/// Operands: x `[C, H, W]`, filters `[O, C/G, kh, kw]`, and a bias `[O]` or none. Result:
/// `[O, Ho, Wo]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Kernel, stride, padding, dilation.
    pub window: Window2d,
    /// Independent groups of channels.
    pub groups: usize,
    /// The kernels to use for it and for its gradients; `None` leaves the choice to adapter and
    /// shape.
    pub variant: Option<Variant>,
}

impl Convolution {
    fn geometry(&self, inputs: &[&ValueType]) -> Result<Geometry, Reason> {
        let ([x, weight] | [x, weight, _]) = inputs else {
            return Err("an image, filters and perhaps a bias are needed".to_owned());
        };
        let geometry = Geometry::of(self.window, self.groups, x, weight)?;
        match self.variant {
            Some(variant) => variant.check(geometry).map(|()| geometry),
            None => Ok(geometry),
        }
    }
}

impl Operator for Convolution {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let geometry = self.geometry(inputs)?;
        Ok(vec![ValueType::sample(geometry.output)])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let (x, weight) = (cx.input(0), cx.input(1));
        let types = [cx.type_of(x), cx.type_of(weight)];
        let geometry = self.geometry(&[&types[0], &types[1]])?;
        let variant = self.variant;
        if cx.wants(0) {
            let dx = cx.apply(ConvolutionGradInput { geometry, variant }, &[delta, weight]);
            cx.set(0, dx);
        }
        if cx.wants(1) {
            let dw = cx.apply(ConvolutionGradWeight { geometry, variant }, &[x, delta]);
            cx.set(1, dw);
        }
        if cx.inputs() > 2 && cx.wants(2) {
            let db = cx.apply(ChannelSum, &[delta]);
            cx.set(2, db);
        }
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, weight, y) = (cx.input(0), cx.input(1), cx.output(0));
        let bias = (cx.inputs() > 2).then(|| cx.input(2));
        let geometry = self.geometry(&[&x.value_type, &weight.value_type])?;
        let batch = cx.batch();
        match Variant::choose(self.variant, Pass::Forward, geometry, batch, cx.adapter()) {
            Variant::Tiled => {
                let walk = tiled::Walk { geometry, batch };
                tiled::lower_product(cx, walk, &x, &weight, &y, bias.as_ref());
                return Ok(());
            }
            Variant::Winograd => {
                winograd::forward(cx, geometry, [&x, &weight, &y], bias.as_ref());
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
            linear::lower_product(cx, product, &x, &weight, &y, bias.as_ref());
            return Ok(());
        }
        let kernel = match (geometry.is_depthwise(), geometry.groups) {
            (true, _) => depthwise(cx, geometry),
            (false, 1) => dense(cx, geometry),
            _ => grouped(cx, geometry),
        };
        let kernel = bind(kernel, &x, &weight, &y, bias.as_ref());
        let kernel = cx.epilogue(kernel);
        cx.dispatch(kernel);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let window = &self.window;
        let [_, height, width] = image(cx.input_type(0))?;
        let padding = window.sides(height, width)?;
        let node = OnnxNode::new("Conv", cx.all_inputs()?)
            .size("kernel_shape", window.kernel)
            .size("strides", window.stride)
            .pads(padding.in_onnx_order())
            .size("dilations", window.dilation)
            .int("group", self.groups as i64);
        cx.result(node);
        Ok(())
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        self.geometry(inputs).map_or(0, |g| g.flops(batch))
    }
}

fn bind(
    kernel: Kernel,
    x: &Operand,
    weight: &Operand,
    y: &Operand,
    bias: Option<&Operand>,
) -> Kernel {
    let kernel = kernel.bind("x", x).bind("weight", weight).bind("y", y);
    match bias {
        Some(bias) => kernel.flag("BIAS", true).bind("bias", bias),
        None => kernel,
    }
}

fn dense(cx: &Lowering<'_>, geometry: Geometry) -> Kernel {
    let [outputs, height, width] = geometry.output;
    let map = Map {
        batch: cx.batch(),
        height,
        width,
        vectors: vectors(outputs),
        summed: vectors(geometry.input[0]),
        taps: geometry.window.taps(),
        lanes: geometry.input_lanes(),
    };
    let tile = Tile::choose(map, cx.adapter());
    Kernel::new(shader!("conv2d"), Grid::Threads(tile.invocations(map)))
        .defines(geometry.defines(cx.batch()))
        .define("IN_LANES", geometry.input_lanes())
        .define("TILE_H", tile.height)
        .define("TILE_W", tile.width)
        .define("TILE_O", tile.vectors)
        .define("WORKGROUP", workgroup(cx.adapter()))
}

/// Columns of outputs that one invocation of the grouped kernels computes.
pub(super) fn strip_of(cx: &Lowering<'_>, width: usize) -> usize {
    if cx.adapter().cpu {
        strip(width, 14)
    } else {
        width.clamp(1, 4)
    }
}

fn grouped(cx: &Lowering<'_>, geometry: Geometry) -> Kernel {
    let [outputs, height, width] = geometry.output;
    let columns = strip_of(cx, width);
    let invocations = vectors(outputs) * width.div_ceil(columns) * height * cx.batch();
    Kernel::new(shader!("conv2d_grouped"), Grid::Threads(invocations))
        .defines(geometry.defines(cx.batch()))
        .flag("ONE_GROUP", (outputs / geometry.groups).is_multiple_of(4))
        .define("TILE_W", columns)
        .define("WORKGROUP", workgroup(cx.adapter()))
}

fn depthwise(cx: &Lowering<'_>, geometry: Geometry) -> Kernel {
    let [channels, height, width] = geometry.output;
    let columns = depthwise_strip(cx, geometry, width);
    let invocations = vectors(channels) * width.div_ceil(columns) * height * cx.batch();
    Kernel::new(shader!("conv2d_depthwise"), Grid::Threads(invocations))
        .defines(geometry.defines(cx.batch()))
        .define("TILE_W", columns)
        .define("WORKGROUP", workgroup(cx.adapter()))
}

/// A depthwise kernel keeps the row of inputs under its strip in registers: at most 32 vectors.
pub(super) fn depthwise_strip(cx: &Lowering<'_>, geometry: Geometry, width: usize) -> usize {
    let window = geometry.window;
    let reach = (window.kernel.width - 1) * window.dilation.width + 1;
    let fitting = 32_usize.saturating_sub(reach) / window.stride.width + 1;
    strip_of(cx, width).min(fitting).max(1)
}
