//! A window that slides over an image: what convolutions and pooling have in common.

use super::Reason;
use crate::shape::Size2d;

/// Kernel size, stride, zero padding on both sides, and dilation, per axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window2d {
    /// Taps.
    pub kernel: Size2d,
    /// Distance of neighbouring windows.
    pub stride: Size2d,
    /// Rows and columns added on each side.
    pub padding: Size2d,
    /// Distance of neighbouring taps.
    pub dilation: Size2d,
}

impl Window2d {
    /// A window of this size with stride 1, no padding and no dilation.
    pub fn new(kernel: impl Into<Size2d>) -> Self {
        Self {
            kernel: kernel.into(),
            stride: Size2d::square(1),
            padding: Size2d::square(0),
            dilation: Size2d::square(1),
        }
    }

    /// Rows and columns of the result: `⌊(H + 2P − D(K−1) − 1)/S⌋ + 1` per axis.
    ///
    /// # Errors
    /// When an attribute is zero that must not be, or the window is larger than the padded
    /// image.
    pub fn output_size(&self, height: usize, width: usize) -> Result<[usize; 2], Reason> {
        let positive = [
            ("kernel", self.kernel),
            ("stride", self.stride),
            ("dilation", self.dilation),
        ];
        for (name, size) in positive {
            if size.height == 0 || size.width == 0 {
                return Err(format!("the {name} is {size}, but must be at least 1x1"));
            }
        }
        let span = |k: usize, d: usize| (k - 1).saturating_mul(d).saturating_add(1);
        let rows = span(self.kernel.height, self.dilation.height);
        let columns = span(self.kernel.width, self.dilation.width);
        let padded = |n: usize, p: usize| p.saturating_mul(2).saturating_add(n);
        let (high, wide) = (
            padded(height, self.padding.height),
            padded(width, self.padding.width),
        );
        if rows > high || columns > wide {
            return Err(format!(
                "the filter of {rows}x{columns} (with dilation) is larger than the padded input \
                 of {high}x{wide}"
            ));
        }
        Ok([
            (high - rows) / self.stride.height + 1,
            (wide - columns) / self.stride.width + 1,
        ])
    }

    /// The window as shader constants.
    pub(crate) fn defines(&self) -> [(&'static str, usize); 8] {
        [
            ("KERNEL_H", self.kernel.height),
            ("KERNEL_W", self.kernel.width),
            ("STRIDE_H", self.stride.height),
            ("STRIDE_W", self.stride.width),
            ("DILATION_H", self.dilation.height),
            ("DILATION_W", self.dilation.width),
            ("PADDING_H", self.padding.height),
            ("PADDING_W", self.padding.width),
        ]
    }

    /// Taps of the kernel.
    pub(crate) fn taps(&self) -> usize {
        self.kernel.height * self.kernel.width
    }
}
