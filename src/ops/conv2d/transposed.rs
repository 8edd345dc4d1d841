//! The transposed convolution: a convolution's input gradient, used forward.

use super::choose::Variant;
use super::forward::Convolution;
use super::geometry::Geometry;
use super::grad_input;
use super::grad_weight::ConvolutionGradWeight;
use crate::autodiff::Backward;
use crate::graph::ValueType;
use crate::onnx::{OnnxNode, Translation};
use crate::ops::channel_sum::ChannelSum;
use crate::ops::window::{Padding, Window2d, countable};
use crate::ops::{Operator, Reason, image};
use crate::plan::Lowering;
use crate::shape::Size2d;

/// `y[o] = b[o] + Σ_c restored(x[c]) ∗ rot180(w[c,o])`: the image is restored to stride 1 by
/// inserting S−1 zeros between its elements, padded, and convolved with the filters rotated by
/// 180°.
///
/// It is the transpose of the convolution that has these filters and this window, and maps
/// `[O, Ho, Wo]` to `[C, H, W]`: δx is that convolution of δy, and δw its filter gradient with x
/// and δy in each other's place. Operands: x `[C, H, W]`, filters `[C, O/G, kh, kw]`, and a bias
/// `[O]` or none. Result: `[O, Ho, Wo]`, `Ho = (H−1)·S − P + D(K−1) + 1` plus the output padding,
/// P the padding of both sides; `H·S` for [`Padding::Same`].
///
/// Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016);
/// PyTorch, `torch.nn.ConvTranspose2d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransposedConvolution {
    /// The window of the convolution that it transposes.
    pub window: Window2d,
    /// Rows and columns added at the bottom and right of the result, fewer than the stride:
    /// those of the convolution's input that its last window did not reach.
    pub output_padding: Size2d,
    /// Independent groups of channels.
    pub groups: usize,
    /// The kernels to use for it and for its gradients; `None` leaves the choice to adapter and
    /// shape.
    pub variant: Option<Variant>,
}

impl TransposedConvolution {
    /// The convolution that it transposes: from the result's shape to the operand's.
    fn geometry(&self, inputs: &[&ValueType]) -> Result<Geometry, Reason> {
        let ([x, weight] | [x, weight, _]) = inputs else {
            return Err("an image, filters and perhaps a bias are needed".to_owned());
        };
        let input = image(x)?;
        let [filters, outputs, ..] = weight.shape[..] else {
            return Err(format!("the filters' shape is {}", weight.shape));
        };
        if input[0] != filters {
            return Err(format!(
                "the input {} has {} channels, the filter {} reads {filters}",
                x.shape, input[0], weight.shape
            ));
        }
        let [height, width] = self.output_size([input[1], input[2]])?;
        let output = [outputs * self.groups, height, width];
        let geometry = Geometry::new(self.window, self.groups, output, filters)?;
        if let Some(variant) = self.variant {
            variant.check(geometry)?;
        }
        Ok(geometry)
    }

    fn output_size(&self, [height, width]: [usize; 2]) -> Result<[usize; 2], Reason> {
        let (stride, added) = (self.window.stride, self.output_padding);
        let reach = self.window.reach()?;
        if added.height >= stride.height || added.width >= stride.width {
            return Err(format!(
                "the output padding {added} is not smaller than the stride {stride}"
            ));
        }
        let Padding::Sides(sides) = self.window.padding else {
            if added != Size2d::square(0) {
                return Err(format!(
                    "the output padding {added} goes with a padding in numbers only"
                ));
            }
            return countable([
                height.saturating_mul(stride.height),
                width.saturating_mul(stride.width),
            ]);
        };
        let size = |length: usize, stride: usize, reach: usize, added: usize, padding: usize| {
            let last = (length - 1).checked_mul(stride)?;
            let full = last.checked_add(reach)?.checked_add(added)?;
            full.checked_sub(padding).filter(|size| *size > 0)
        };
        let [rows, columns] = sides.around([0, 0]);
        let rows = size(height, stride.height, reach.height, added.height, rows);
        let columns = size(width, stride.width, reach.width, added.width, columns);
        match (rows, columns) {
            (Some(rows), Some(columns)) => countable([rows, columns]),
            _ => Err(format!("the padding {sides} leaves nothing of the result")),
        }
    }
}

impl Operator for TransposedConvolution {
    fn name(&self) -> &'static str {
        "conv_transpose2d"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let geometry = self.geometry(inputs)?;
        Ok(vec![ValueType::sample(geometry.input)])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let (x, weight) = (cx.input(0), cx.input(1));
        let types = [cx.type_of(x), cx.type_of(weight)];
        let geometry = self.geometry(&[&types[0], &types[1]])?;
        let variant = self.variant;
        if cx.wants(0) {
            let convolution = Convolution {
                window: self.window,
                groups: self.groups,
                variant,
            };
            let dx = cx.apply(convolution, &[delta, weight]);
            cx.set(0, dx);
        }
        if cx.wants(1) {
            let dw = cx.apply(ConvolutionGradWeight { geometry, variant }, &[delta, x]);
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
        let operands = [&x, &weight, &y];
        grad_input::lower(cx, geometry, self.variant, operands, bias.as_ref());
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let ([_, rows, columns], [_, height, width]) =
            (image(cx.input_type(0))?, image(cx.output_type())?);
        let (window, reach) = (&self.window, self.window.reach()?);
        let padding = window.sides(height, width)?;
        // What the windows of all inputs cover; what the result has beyond is added.
        let covered = |inputs: usize, stride, reach| (inputs.saturating_sub(1)) * stride + reach;
        let high = covered(rows, window.stride.height, reach.height);
        let wide = covered(columns, window.stride.width, reach.width);
        let added = Size2d {
            height: (height + padding.top + padding.bottom).saturating_sub(high),
            width: (width + padding.left + padding.right).saturating_sub(wide),
        };
        let node = OnnxNode::new("ConvTranspose", cx.all_inputs()?)
            .size("kernel_shape", window.kernel)
            .size("strides", window.stride)
            .pads(padding.in_onnx_order())
            .size("output_padding", added)
            .size("dilations", window.dilation)
            .int("group", self.groups as i64);
        cx.result(node);
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        self.geometry(inputs).map_or(0, |g| g.flops(batch))
    }
}
