//! A window that slides over an image: what convolutions and pooling have in common.

use std::fmt;

use super::Reason;
use crate::shape::Size2d;

/// What is put around an image before a window slides over it: zeros, and −∞ for max pooling.
///
/// A number stands for all four sides, `[rows, columns]` for both sides of an axis, and
/// `[[top, bottom], [left, right]]` for each side by itself.
///
/// ```
/// use wgrad::ops::{Padding, Sides};
///
/// assert_eq!(Padding::from(2), Padding::from([2, 2]));
/// let sides = Sides { top: 0, bottom: 1, left: 2, right: 3 };
/// assert_eq!(Padding::from([[0, 1], [2, 3]]), Padding::Sides(sides));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Padding {
    /// So many rows and columns.
    Sides(Sides),
    /// As many as give ⌈L/S⌉ results per axis: an image of the same size for stride 1. They lie
    /// evenly on both sides, an odd one at the bottom or right, as TensorFlow's `SAME` and, for
    /// stride 1, PyTorch's `same` have it.
    Same,
}

/// Rows and columns of padding on every side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sides {
    /// Rows above the image.
    pub top: usize,
    /// Rows below it.
    pub bottom: usize,
    /// Columns to its left.
    pub left: usize,
    /// Columns to its right.
    pub right: usize,
}

impl Padding {
    /// The padding of an image of `[height, width]` for windows that cover `reach` rows and
    /// columns; the stride is not zero.
    pub(super) fn of(self, input: [usize; 2], reach: Size2d, stride: Size2d) -> Sides {
        let same = |length: usize, reach: usize, stride: usize| {
            let last = length.div_ceil(stride).saturating_sub(1) * stride;
            let total = last.saturating_add(reach).saturating_sub(length);
            [total / 2, total.div_ceil(2)]
        };
        match self {
            Self::Sides(sides) => sides,
            Self::Same => Sides::from([
                same(input[0], reach.height, stride.height),
                same(input[1], reach.width, stride.width),
            ]),
        }
    }
}

impl Sides {
    /// Rows and columns of an image with its padding.
    pub(super) fn around(self, [height, width]: [usize; 2]) -> [usize; 2] {
        let sum = |a: usize, b: usize, c: usize| a.saturating_add(b).saturating_add(c);
        [
            sum(height, self.top, self.bottom),
            sum(width, self.left, self.right),
        ]
    }
}

impl Sides {
    /// Rows above, columns on the left, rows below, columns on the right.
    pub(crate) fn in_onnx_order(self) -> [usize; 4] {
        [self.top, self.left, self.bottom, self.right]
    }
}

impl From<[[usize; 2]; 2]> for Sides {
    fn from([[top, bottom], [left, right]]: [[usize; 2]; 2]) -> Self {
        Self {
            top,
            bottom,
            left,
            right,
        }
    }
}

impl From<Size2d> for Sides {
    fn from(Size2d { height, width }: Size2d) -> Self {
        Self::from([[height; 2], [width; 2]])
    }
}

impl fmt::Display for Sides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            top,
            bottom,
            left,
            right,
        } = self;
        if top == bottom && left == right {
            return write!(f, "{top}x{left}");
        }
        write!(f, "[[{top}, {bottom}], [{left}, {right}]]")
    }
}

impl From<Sides> for Padding {
    fn from(sides: Sides) -> Self {
        Self::Sides(sides)
    }
}

impl From<[[usize; 2]; 2]> for Padding {
    fn from(sides: [[usize; 2]; 2]) -> Self {
        Self::Sides(sides.into())
    }
}

impl From<Size2d> for Padding {
    fn from(size: Size2d) -> Self {
        Self::Sides(size.into())
    }
}

impl From<[usize; 2]> for Padding {
    fn from(size: [usize; 2]) -> Self {
        Size2d::from(size).into()
    }
}

impl From<usize> for Padding {
    fn from(size: usize) -> Self {
        Size2d::square(size).into()
    }
}

/// Kernel size, stride, zero padding, and dilation, per axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window2d {
    /// Taps.
    pub kernel: Size2d,
    /// Distance of neighbouring windows.
    pub stride: Size2d,
    /// Rows and columns added around the image.
    pub padding: Padding,
    /// Distance of neighbouring taps.
    pub dilation: Size2d,
}

impl Window2d {
    /// A window of this size with stride 1, no padding and no dilation.
    pub fn new(kernel: impl Into<Size2d>) -> Self {
        Self {
            kernel: kernel.into(),
            stride: Size2d::square(1),
            padding: Padding::from(0),
            dilation: Size2d::square(1),
        }
    }

    /// Rows and columns of the result: `⌊(H + P − D(K−1) − 1)/S⌋ + 1` per axis, P the padding of
    /// both sides together.
    ///
    /// # Errors
    /// When an attribute is zero that must not be, or the window is larger than the padded
    /// image.
    pub fn output_size(&self, height: usize, width: usize) -> Result<[usize; 2], Reason> {
        let Size2d {
            height: rows,
            width: columns,
        } = self.reach()?;
        let [high, wide] = self.sides(height, width)?.around([height, width]);
        if rows > high || columns > wide {
            return Err(format!(
                "the filter of {rows}x{columns} (with dilation) is larger than the padded input \
                 of {high}x{wide}"
            ));
        }
        countable([
            (high - rows) / self.stride.height + 1,
            (wide - columns) / self.stride.width + 1,
        ])
    }

    /// The padding of an image of this size.
    ///
    /// # Errors
    /// When an attribute is zero that must not be.
    pub fn sides(&self, height: usize, width: usize) -> Result<Sides, Reason> {
        let reach = self.reach()?;
        Ok(self.padding.of([height, width], reach, self.stride))
    }

    /// Rows and columns from the first tap to the last: `D(K−1) + 1`.
    pub(crate) fn reach(&self) -> Result<Size2d, Reason> {
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
        Ok(Size2d {
            height: span(self.kernel.height, self.dilation.height),
            width: span(self.kernel.width, self.dilation.width),
        })
    }

    /// The window as shader constants: windows are counted from the first row and column of
    /// the padding, and where it ends follows from the number of results.
    pub(crate) fn defines(&self, padding: Sides) -> [(&'static str, usize); 8] {
        [
            ("KERNEL_H", self.kernel.height),
            ("KERNEL_W", self.kernel.width),
            ("STRIDE_H", self.stride.height),
            ("STRIDE_W", self.stride.width),
            ("DILATION_H", self.dilation.height),
            ("DILATION_W", self.dilation.width),
            ("PADDING_H", padding.top),
            ("PADDING_W", padding.left),
        ]
    }

    /// Taps of the kernel.
    pub(crate) fn taps(&self) -> usize {
        self.kernel.height * self.kernel.width
    }
}

/// The size of a result unless its pixels are more than shaders count.
pub(super) fn countable([rows, columns]: [usize; 2]) -> Result<[usize; 2], Reason> {
    let pixels = rows.checked_mul(columns);
    match pixels.map(u32::try_from) {
        Some(Ok(_)) => Ok([rows, columns]),
        _ => Err(format!("a result of {rows}x{columns} is too large")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `tf.nn.conv2d(..., padding="SAME")`: the result has ⌈L/S⌉ rows, whatever the kernel.
    #[test]
    fn same_padding_gives_the_input_divided_by_the_stride() {
        for length in 1..12_usize {
            for case in 0..48 {
                let (kernel, stride, dilation) = (case % 4 + 1, case / 4 % 4 + 1, case / 16 + 1);
                let window = Window2d {
                    stride: Size2d::square(stride),
                    dilation: Size2d::square(dilation),
                    padding: Padding::Same,
                    ..Window2d::new(kernel)
                };
                let expected = length.div_ceil(stride);
                assert_eq!(window.output_size(length, length), Ok([expected; 2]));
                let Sides { left, right, .. } = window.sides(length, length).unwrap();
                assert!(right == left || right == left + 1, "{left}, {right}");
            }
        }
    }
}
