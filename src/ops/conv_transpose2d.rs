//! Two-dimensional transposed convolution, dense, grouped and depthwise: enlarges images with
//! learned filters, as in autoencoders, segmentation and generators.
//!
//! See [`TransposedConvolution`] for the formula and the gradients.

pub use super::conv2d::TransposedConvolution;

use super::conv2d::{Conv2d, Variant};
use super::window::Padding;
use crate::graph::{Declaration, Graph, Var};
use crate::init::{Fans, Init};
use crate::layout::Layout;
use crate::shape::Size2d;

/// A transposed convolution layer: parameters `weight` of shape `[C, O/G, kh, kw]`, as PyTorch has
/// it, and `bias` of `[O]`.
///
/// The filters are those of the convolution from O to C channels that it transposes, and so are
/// their fans: `fan_in = O/G·kh·kw` and `fan_out = C/G·kh·kw`. PyTorch computes the same `fan_in`
/// from the shape (and a `fan_out` that ignores groups). It is what one *input* of this layer
/// feeds; a result sums about `fan_out/S²` terms, so that [`Init::mode`] with
/// [`Fan::Out`](crate::init::Fan::Out) is the choice that keeps the forward signal. Each of the
/// C filters counts as an output for the structured laws.
///
/// ```
/// use wgrad::graph::Graph;
/// use wgrad::ops::ConvTranspose2d;
///
/// let mut graph = Graph::new();
/// let x = graph.input("x", [16, 7, 7]);
/// let y = graph.conv_transpose2d(x, ConvTranspose2d::new(8, 4).stride(2).padding(1));
/// assert_eq!(graph.shape(y)[..], [8, 14, 14]);
/// graph.check()?;
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConvTranspose2d {
    convolution: Conv2d,
    output_padding: Size2d,
}

impl ConvTranspose2d {
    /// `out_channels` results by filters of `kernel` taps (`3` or `[3, 5]`), stride 1, no padding,
    /// with bias.
    pub fn new(out_channels: usize, kernel: impl Into<Size2d>) -> Self {
        Self {
            convolution: Conv2d::new(out_channels, kernel),
            output_padding: Size2d::square(0),
        }
    }

    fn change(mut self, change: impl FnOnce(Conv2d) -> Conv2d) -> Self {
        self.convolution = change(self.convolution);
        self
    }

    /// Distance of neighbouring inputs in the result: the factor by which the image grows.
    #[must_use]
    pub fn stride(self, stride: impl Into<Size2d>) -> Self {
        self.change(|conv| conv.stride(stride))
    }

    /// Rows and columns cut off the result: `1`, `[rows, columns]`,
    /// `[[top, bottom], [left, right]]`, or [`Padding::Same`] for a result of the input's size
    /// times the stride.
    #[must_use]
    pub fn padding(self, padding: impl Into<Padding>) -> Self {
        self.change(|conv| conv.padding(padding))
    }

    /// Rows and columns added at the result's bottom and right, fewer than the stride. With it
    /// every input size of a strided convolution can be had back.
    #[must_use]
    pub fn output_padding(mut self, output_padding: impl Into<Size2d>) -> Self {
        self.output_padding = output_padding.into();
        self
    }

    /// Distance of neighbouring taps.
    #[must_use]
    pub fn dilation(self, dilation: impl Into<Size2d>) -> Self {
        self.change(|conv| conv.dilation(dilation))
    }

    /// Splits the channels into this many independent groups; as many as input and output
    /// channels make it depthwise.
    #[must_use]
    pub fn groups(self, groups: usize) -> Self {
        self.change(|conv| conv.groups(groups))
    }

    /// Whether a number per output channel is added; leave it out before a normalisation.
    #[must_use]
    pub fn bias(self, bias: bool) -> Self {
        self.change(|conv| conv.bias(bias))
    }

    /// The filters' first values; by default He for a rectifier that follows, else Xavier.
    /// [`Init::Bilinear`] with as many groups as channels interpolates.
    #[must_use]
    pub fn init(self, init: Init) -> Self {
        self.change(|conv| conv.init(init))
    }

    /// The kernels that compute the layer and its gradients, in place of the choice by adapter
    /// and shape. For tests and measurements.
    #[must_use]
    pub fn variant(self, variant: Variant) -> Self {
        self.change(|conv| conv.variant(variant))
    }

    /// The layer's path, in place of `conv_transpose1`, `conv_transpose2`, ...
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        self.change(|conv| conv.name(name))
    }
}

impl Graph {
    /// Applies [`ConvTranspose2d`]: an image `[C, H, W]` becomes `[O, Ho, Wo]`.
    pub fn conv_transpose2d(&mut self, x: Var, layer: ConvTranspose2d) -> Var {
        let ConvTranspose2d {
            convolution: conv,
            output_padding,
        } = layer;
        let x = self.relayout(x);
        let path = self.path(conv.name.as_deref(), "conv_transpose");
        let channels = self.shape(x).first().copied().unwrap_or(0);
        let (groups, outputs) = (conv.groups, conv.out_channels);
        if groups == 0 || !channels.is_multiple_of(groups) || !outputs.is_multiple_of(groups) {
            let reason = format!(
                "{groups} groups do not divide {channels} input and {outputs} output channels"
            );
            self.fail_at(&path, "conv_transpose2d", reason);
            return x;
        }
        let Size2d { height, width } = conv.window.kernel;
        let shape = [channels, outputs / groups, height, width];
        let weight = Declaration::weight(
            shape,
            Layout::filter(shape, groups > 1),
            Fans::conv(shape[0], shape[1], height, width, groups),
            conv.init,
        );
        let mut operands = vec![x, self.parameter(&path, "weight", weight)];
        if conv.bias {
            let bias = Declaration::vector(outputs, 0.0);
            operands.push(self.parameter(&path, "bias", bias));
        }
        let operator = TransposedConvolution {
            window: conv.window,
            output_padding,
            groups,
            variant: conv.variant,
        };
        self.apply(&path, operator, &operands)
    }
}
