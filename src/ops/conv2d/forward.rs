//! The convolution itself.

use super::choose::{Pass, Variant};
use super::geometry::Geometry;
use super::grad_input::ConvolutionGradInput;
use super::grad_weight::ConvolutionGradWeight;
use super::problem::{Kind, Problem};
use super::{tiled, winograd};
use crate::autodiff::Backward;
use crate::graph::ValueType;
use crate::layout::LANES;
use crate::onnx::{OnnxNode, Translation};
use crate::ops::channel_sum::ChannelSum;
use crate::ops::choice::Choice;
use crate::ops::linear;
use crate::ops::linear::subgroup;
use crate::ops::split::workgroup;
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
        let problem = Problem::new(Pass::Forward, geometry, cx.batch());
        let choice = cx.choose(&problem, self.variant);
        lower(cx, &problem, choice, [&x, &weight, &y], bias.as_ref());
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

/// Emits the kernels of a convolution or product.
pub(in crate::ops) fn lower(
    cx: &mut Lowering<'_>,
    problem: &Problem,
    choice: Choice,
    operands: [&Operand; 3],
    bias: Option<&Operand>,
) {
    let (tile, parts) = match choice {
        Choice::Register { tile, parts } => (tile, parts),
        Choice::Tiled { tile, parts } => {
            return tiled::forward(cx, problem, (tile, parts), operands, bias);
        }
        Choice::Subgroup { tile, parts } => {
            return subgroup::lower_product(cx, problem, (tile, parts), operands, bias);
        }
        Choice::Winograd(cut) => {
            return winograd::convolve(cx, problem, cut, operands, bias);
        }
    };
    let kernel = match problem.kind {
        Kind::Product => return linear::lower_product(cx, problem, (tile, parts), operands, bias),
        Kind::Dense => dense(problem, tile),
        Kind::Grouped => grouped(problem, tile),
        Kind::Depthwise => depthwise(problem, tile),
    };
    let [x, weight, y] = operands;
    let mut kernel = kernel
        .defines(problem.geometry.defines(problem.batch))
        .define("WORKGROUP", workgroup(cx.adapter()))
        .bind("x", x)
        .bind("weight", weight)
        .bind("y", y);
    if let Some(bias) = bias {
        kernel = kernel.flag("BIAS", true).bind("bias", bias);
    }
    let kernel = cx.epilogue(kernel);
    cx.dispatch(kernel);
}

fn dense(problem: &Problem, tile: [usize; 3]) -> Kernel {
    let grid = Grid::Threads(problem.register_tiles(tile));
    Kernel::new(shader!("conv2d"), grid)
        .define("IN_LANES", problem.geometry.input_lanes())
        .define("TILE_H", tile[0])
        .define("TILE_W", tile[1])
        .define("TILE_O", tile[2])
}

fn grouped(problem: &Problem, tile: [usize; 3]) -> Kernel {
    let [_, outputs] = problem.group();
    Kernel::new(shader!("conv2d_grouped"), strips(problem, tile))
        .flag("ONE_GROUP", outputs.is_multiple_of(LANES))
        .define("TILE_W", tile[1])
}

fn depthwise(problem: &Problem, tile: [usize; 3]) -> Kernel {
    Kernel::new(shader!("conv2d_depthwise"), strips(problem, tile)).define("TILE_W", tile[1])
}

/// One invocation for every strip of a row of every vector, and a layer for every parity.
pub(super) fn strips(problem: &Problem, [_, columns, _]: [usize; 3]) -> Grid {
    let (height, width, parities) = problem.parities();
    let strips = problem.batch * height * width.div_ceil(columns);
    Grid::Layers(strips * problem.result_vectors(), parities)
}
