//! The sizes of one convolution, as all its kernels need them.

use super::super::window::{Sides, Window2d};
use super::super::{Reason, image};
use crate::graph::ValueType;
use crate::layout::{LANES, Layout};
use crate::shape::Shape;

/// Input, output, window and groups of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) struct Geometry {
    pub(super) window: Window2d,
    /// The window's padding for this input.
    pub(super) padding: Sides,
    pub(super) groups: usize,
    /// C, H, W of the input.
    pub(super) input: [usize; 3],
    /// O, Ho, Wo of the output.
    pub(super) output: [usize; 3],
}

/// Vectors of four channels.
pub(super) fn vectors(channels: usize) -> usize {
    channels.div_ceil(LANES)
}

impl Geometry {
    /// Of an input and the number of output channels.
    pub(super) fn new(
        window: Window2d,
        groups: usize,
        input: [usize; 3],
        out_channels: usize,
    ) -> Result<Self, Reason> {
        let [_, height, width] = input;
        let [rows, columns] = window.output_size(height, width)?;
        Ok(Self {
            window,
            padding: window.sides(height, width)?,
            groups,
            input,
            output: [out_channels, rows, columns],
        })
    }

    /// Of an input image and a filter `[O, I/G, kh, kw]`.
    pub(super) fn of(
        window: Window2d,
        groups: usize,
        x: &ValueType,
        weight: &ValueType,
    ) -> Result<Self, Reason> {
        let input = image(x)?;
        let expected = weight.shape.get(1).map_or(0, |i| i * groups);
        if input[0] != expected {
            return Err(format!(
                "the input {} has {} channels, the filter {} reads {expected}",
                x.shape, input[0], weight.shape
            ));
        }
        Self::new(window, groups, input, weight.shape[0])
    }

    /// Of a product of `rows` rows of `inputs` vectors with a matrix: a 1x1 convolution of an
    /// image of one row. The batch is then 1.
    pub(in crate::ops) fn product(rows: usize, inputs: usize, outputs: usize) -> Self {
        Self {
            window: Window2d::new(1),
            padding: Sides::default(),
            groups: 1,
            input: [inputs * LANES, 1, rows],
            output: [outputs * LANES, 1, rows],
        }
    }

    /// `[O, I/G, kh, kw]`.
    pub(super) fn weight_shape(&self) -> [usize; 4] {
        [
            self.output[0],
            self.input[0] / self.groups,
            self.window.kernel.height,
            self.window.kernel.width,
        ]
    }

    /// The type of the filter and of its gradient.
    pub(super) fn weight_type(&self) -> ValueType {
        let shape = self.weight_shape();
        ValueType {
            layout: Layout::filter(shape, self.groups > 1),
            shape: Shape::from(shape),
            batched: false,
            element: crate::graph::Element::F32,
        }
    }

    /// Whether every group has one input and one output channel.
    pub(super) fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.input[0] && self.groups == self.output[0]
    }

    /// Vectors of input and of output channels.
    pub(super) fn vectors(&self) -> [usize; 2] {
        [vectors(self.input[0]), vectors(self.output[0])]
    }

    /// Whether it is a matrix product over pixels.
    pub(super) fn is_pointwise(&self) -> bool {
        let window = Window2d {
            padding: self.padding.into(),
            ..self.window
        };
        self.groups == 1 && window == Window2d::new(1)
    }

    /// The sizes as shader constants, those of the window included.
    pub(super) fn defines(&self, batch: usize) -> Vec<(&'static str, usize)> {
        let [inputs, height, width] = self.input;
        let [outputs, rows, columns] = self.output;
        let mut defines = vec![
            ("BATCH", batch),
            ("IN_HEIGHT", height),
            ("IN_WIDTH", width),
            ("OUT_HEIGHT", rows),
            ("OUT_WIDTH", columns),
        ];
        if self.is_depthwise() {
            defines.push(("VECS", vectors(inputs)));
        } else {
            defines.push(("IN_VECS", vectors(inputs)));
            defines.push(("OUT_VECS", vectors(outputs)));
        }
        if self.groups > 1 && !self.is_depthwise() {
            defines.push(("GROUPS", self.groups));
            defines.push(("GROUP_IN", inputs / self.groups));
            defines.push(("GROUP_OUT", outputs / self.groups));
        }
        defines.extend(self.window.defines(self.padding));
        defines
    }

    /// Lanes of every input vector that hold channels: fewer than four only for images of one
    /// to three channels, which then cost no more than they must.
    pub(super) fn input_lanes(&self) -> usize {
        self.input[0].min(LANES)
    }

    /// Operations of each of the three passes: a multiplication and an addition per tap.
    pub(super) fn flops(&self, batch: usize) -> u64 {
        let [outputs, rows, columns] = self.output;
        let taps = self.window.taps() * (self.input[0] / self.groups);
        2 * (batch * rows * columns * outputs * taps) as u64
    }
}
