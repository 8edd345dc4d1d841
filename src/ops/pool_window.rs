//! Where pooling windows lie: shared by max and mean pooling.

use super::Reason;
use super::window::{Padding, Sides};
use crate::layout::LANES;
use crate::onnx::OnnxNode;
use crate::shader::Kernel;
use crate::shape::Size2d;

/// More elements than this in a window are refused: some drivers cut longer loops silently.
const LARGEST: usize = 32_768;

/// Kernel, stride, padding and the rounding of the output's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub kernel: Size2d,
    /// The kernel's size unless given.
    pub stride: Option<Size2d>,
    pub padding: Padding,
    pub ceil_mode: bool,
}

impl Window {
    pub const fn new(kernel: Size2d) -> Self {
        Self {
            kernel,
            stride: None,
            padding: Padding::Sides(Sides {
                top: 0,
                bottom: 0,
                left: 0,
                right: 0,
            }),
            ceil_mode: false,
        }
    }

    pub fn steps(&self) -> Size2d {
        self.stride.unwrap_or(self.kernel)
    }

    /// Elements of a window.
    pub fn area(&self) -> usize {
        self.kernel.height.saturating_mul(self.kernel.width)
    }

    /// Whether no two windows overlap.
    pub fn is_disjoint(&self) -> bool {
        let stride = self.steps();
        self.kernel.height <= stride.height && self.kernel.width <= stride.width
    }

    /// Whether windows side by side cover images of this shape exactly.
    pub fn tiles(&self, input: [usize; 3]) -> bool {
        let (kernel, [_, rows, columns]) = (self.kernel, input);
        self.steps() == kernel
            && self.sides(input) == Sides::default()
            && rows % kernel.height == 0
            && columns % kernel.width == 0
    }

    /// The shape of the result for an image of this shape.
    pub fn output(&self, input: [usize; 3]) -> Result<[usize; 3], Reason> {
        let (kernel, stride) = (self.kernel, self.steps());
        let [channels, height, width] = input;
        if self.area() == 0 {
            return Err(format!("the window {kernel} has no elements"));
        }
        if self.area() > LARGEST {
            return Err(format!(
                "the window {kernel} has more than {LARGEST} elements"
            ));
        }
        if stride.height == 0 || stride.width == 0 {
            return Err(format!("the stride {stride} does not advance"));
        }
        let padding = self.sides(input);
        let (rows, columns) = (
            padding.top.max(padding.bottom),
            padding.left.max(padding.right),
        );
        if rows > kernel.height / 2 || columns > kernel.width / 2 {
            return Err(format!(
                "the padding {padding} is more than half of the window {kernel}"
            ));
        }
        let rows = self.count(
            height,
            kernel.height,
            stride.height,
            [padding.top, padding.bottom],
        );
        let columns = self.count(
            width,
            kernel.width,
            stride.width,
            [padding.left, padding.right],
        );
        match (rows, columns) {
            (Some(rows), Some(columns)) => Ok([channels, rows, columns]),
            _ => Err(format!(
                "the window {kernel} is larger than the input {input:?} with its padding {padding}"
            )),
        }
    }

    /// The padding of this image; the stride is not zero.
    pub fn sides(&self, [_, height, width]: [usize; 3]) -> Sides {
        self.padding.of([height, width], self.kernel, self.steps())
    }

    /// Windows along an axis: `⌊(L + P − K)/S⌋ + 1`, P the padding of both sides. With `ceil_mode` the quotient is rounded
    /// up, and the last window dropped again if it would begin in the padding behind the input
    /// (PyTorch's rule, after Caffe's).
    fn count(
        &self,
        input: usize,
        kernel: usize,
        stride: usize,
        [before, after]: [usize; 2],
    ) -> Option<usize> {
        let padded = input.checked_add(before)?.checked_add(after)?;
        let room = padded.checked_sub(kernel)?;
        if !self.ceil_mode {
            return Some(room / stride + 1);
        }
        let last = room.div_ceil(stride);
        let begins_behind = last.saturating_mul(stride) >= input + before;
        Some(if begins_behind { last } else { last + 1 })
    }

    /// The padding that was asked for, and what the last windows cover beyond it; both as rows
    /// above, columns on the left, rows below, columns on the right.
    pub fn pads(&self, input: [usize; 3], output: [usize; 3]) -> [[usize; 4]; 2] {
        let (kernel, stride) = (self.kernel, self.steps());
        let asked = self.sides(input).in_onnx_order();
        let beyond = |windows: usize, stride: usize, kernel: usize, padded: usize| {
            let covered = windows.saturating_sub(1) * stride + kernel;
            covered.saturating_sub(padded)
        };
        let [_, rows, columns] = output;
        let (high, wide) = (
            input[1] + asked[0] + asked[2],
            input[2] + asked[1] + asked[3],
        );
        let below = beyond(rows, stride.height, kernel.height, high);
        let right = beyond(columns, stride.width, kernel.width, wide);
        [asked, [0, 0, below, right]]
    }

    /// An ONNX pooling with these windows; the padding is still to be set.
    pub fn onnx(&self, kind: &'static str, x: String) -> OnnxNode {
        OnnxNode::new(kind, [x])
            .size("kernel_shape", self.kernel)
            .size("strides", self.steps())
    }

    /// What the pooling shaders know of their windows.
    pub fn define(&self, kernel: Kernel, input: [usize; 3], output: [usize; 3]) -> Kernel {
        let (size, stride, padding) = (self.kernel, self.steps(), self.sides(input));
        // Whether the last window ends behind the input.
        let beyond =
            |count: usize, stride, size, input| count.saturating_sub(1) * stride + size > input;
        let clipped = padding != Sides::default()
            || beyond(output[1], stride.height, size.height, input[1])
            || beyond(output[2], stride.width, size.width, input[2]);
        kernel.flag("CLIPPED", clipped).defines([
            ("VECS", input[0].div_ceil(LANES)),
            ("IN_HEIGHT", input[1]),
            ("IN_WIDTH", input[2]),
            ("OUT_HEIGHT", output[1]),
            ("OUT_WIDTH", output[2]),
            ("KERNEL_HEIGHT", size.height),
            ("KERNEL_WIDTH", size.width),
            ("STRIDE_HEIGHT", stride.height),
            ("STRIDE_WIDTH", stride.width),
            ("PADDING_TOP", padding.top),
            ("PADDING_LEFT", padding.left),
        ])
    }
}
