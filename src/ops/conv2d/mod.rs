//! Two-dimensional convolution, dense, grouped and depthwise.
//!
//! The forward pass is a cross-correlation, as everywhere in the field:
//!
//! `y[n,o,i,j] = b[o] + Σ_{c,u,v} w[o,c,u,v] · x[n,c, i·S+u·D−P, j·S+v·D−P]`
//!
//! with zeros outside the image. See [`ConvolutionGradInput`] and [`ConvolutionGradWeight`] for
//! the gradients, and Dumoulin and Visin, "A guide to convolution arithmetic for deep learning"
//! (2016), for pictures of all three.

mod alone;
mod choose;
mod forward;
mod geometry;
mod grad_input;
mod grad_weight;
mod grouped;
mod problem;
mod tiled;
mod transposed;
mod winograd;

pub(crate) use alone::Alone;
pub use choose::Variant;
pub(super) use choose::{Pass, recut};
pub use forward::Convolution;
pub(super) use forward::lower as lower_forward;
pub use grad_input::ConvolutionGradInput;
pub(super) use grad_input::lower_choice as lower_grad_input;
pub use grad_weight::ConvolutionGradWeight;
pub(super) use grad_weight::lower as lower_grad_weight;
pub use problem::Problem;
pub use transposed::TransposedConvolution;

use super::window::{Padding, Window2d};
use crate::graph::{Declaration, Graph, Var};
use crate::init::{Fans, Init};
use crate::layout::Layout;
use crate::shape::Size2d;

/// A convolution layer: parameters `weight` of shape `[O, I/G, kh, kw]` and `bias` of `[O]`.
///
/// ```
/// use wgrad::graph::Graph;
/// use wgrad::ops::Conv2d;
///
/// let mut graph = Graph::new();
/// let x = graph.input("x", [3, 32, 32]);
/// let y = graph.conv2d(x, Conv2d::new(16, [3, 5]).stride(2).padding([1, 2]));
/// assert_eq!(graph.shape(y)[..], [16, 16, 16]);
/// graph.check()?;
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Conv2d {
    pub(crate) out_channels: usize,
    pub(crate) window: Window2d,
    pub(crate) groups: usize,
    pub(crate) bias: bool,
    pub(crate) variant: Option<Variant>,
    pub(crate) init: Option<Init>,
    pub(crate) name: Option<String>,
}

impl Conv2d {
    /// `out_channels` filters of `kernel` taps (`3` or `[3, 5]`), stride 1, no padding, with
    /// bias.
    pub fn new(out_channels: usize, kernel: impl Into<Size2d>) -> Self {
        Self {
            out_channels,
            window: Window2d::new(kernel),
            groups: 1,
            bias: true,
            variant: None,
            init: None,
            name: None,
        }
    }

    /// Distance of neighbouring windows.
    #[must_use]
    pub fn stride(mut self, stride: impl Into<Size2d>) -> Self {
        self.window.stride = stride.into();
        self
    }

    /// Zeros around the image: `1`, `[rows, columns]`, `[[top, bottom], [left, right]]` or
    /// [`Padding::Same`].
    #[must_use]
    pub fn padding(mut self, padding: impl Into<Padding>) -> Self {
        self.window.padding = padding.into();
        self
    }

    /// Distance of neighbouring taps.
    #[must_use]
    pub fn dilation(mut self, dilation: impl Into<Size2d>) -> Self {
        self.window.dilation = dilation.into();
        self
    }

    /// Splits the channels into this many independent groups; as many as input channels make
    /// it depthwise.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// Whether a number per output channel is added; leave it out before a normalisation.
    #[must_use]
    pub fn bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    /// The filters' first values; by default He for a rectifier that follows, else Xavier.
    #[must_use]
    pub fn init(mut self, init: Init) -> Self {
        self.init = Some(init);
        self
    }

    /// The kernels that compute the layer and its gradients, in place of the choice by adapter
    /// and shape. For tests and measurements.
    #[must_use]
    pub fn variant(mut self, variant: Variant) -> Self {
        self.variant = Some(variant);
        self
    }

    /// The layer's path, in place of `conv1`, `conv2`, ...
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl Graph {
    /// Convolves an image `[C, H, W]` to `[O, Ho, Wo]`.
    pub fn conv2d(&mut self, x: Var, layer: Conv2d) -> Var {
        let x = self.relayout(x);
        let path = self.path(layer.name.as_deref(), "conv");
        let channels = self.shape(x).first().copied().unwrap_or(0);
        let groups = layer.groups;
        if groups == 0
            || !channels.is_multiple_of(groups)
            || !layer.out_channels.is_multiple_of(groups)
        {
            let reason = format!(
                "{groups} groups do not divide {channels} input and {} output channels",
                layer.out_channels
            );
            self.fail_at(&path, "conv2d", reason);
            return x;
        }
        let Size2d { height, width } = layer.window.kernel;
        let shape = [layer.out_channels, channels / groups, height, width];
        let weight = Declaration::weight(
            shape,
            Layout::filter(shape, groups > 1),
            Fans::conv(shape[0], shape[1], height, width, groups),
            layer.init,
        );
        let mut operands = vec![x, self.parameter(&path, "weight", weight)];
        if layer.bias {
            let bias = Declaration::vector(layer.out_channels, 0.0);
            operands.push(self.parameter(&path, "bias", bias));
        }
        let operator = Convolution {
            window: layer.window,
            groups,
            variant: layer.variant,
        };
        self.apply(&path, operator, &operands)
    }
}
