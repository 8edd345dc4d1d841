//! What a choice of kernels is for: one pass of a convolution or matrix product, with its sizes.

use std::fmt;

use super::choose::Pass;
use super::geometry::{Geometry, vectors};
use crate::layout::LANES;
use crate::ops::linear::Product;
use crate::ops::tile::{Filter, Map, OuterTile, Tile};

/// One pass of a convolution or a matrix product with everything on which the speed of its
/// kernels depends. Its text says it all, and is what [`Choices`](crate::ops::choice::Choices) are
/// looked up by.
///
/// Linear layers and convolutions that are products over pixels are one kind of problem: rows
/// times a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    pub(super) pass: Pass,
    pub(super) kind: Kind,
    /// Of a product that of a 1×1 convolution of an image of one row, and the batch 1.
    pub(super) geometry: Geometry,
    pub(super) batch: usize,
}

/// Which kernels there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Rows times a matrix.
    Product,
    /// A convolution without groups.
    Dense,
    Grouped,
    Depthwise,
}

impl Problem {
    pub(super) fn new(pass: Pass, geometry: Geometry, batch: usize) -> Self {
        if geometry.is_pointwise() {
            let [inputs, outputs] = geometry.vectors();
            let rows = batch * geometry.output[1] * geometry.output[2];
            return Self::product(pass, rows, inputs, outputs);
        }
        Self {
            pass,
            kind: match (geometry.is_depthwise(), geometry.groups) {
                (true, _) => Kind::Depthwise,
                (false, 1) => Kind::Dense,
                _ => Kind::Grouped,
            },
            geometry,
            batch,
        }
    }

    /// A convolution without groups, also where it could be computed as a product.
    pub(super) fn dense(pass: Pass, geometry: Geometry, batch: usize) -> Self {
        Self {
            pass,
            kind: Kind::Dense,
            geometry,
            batch,
        }
    }

    /// `rows` rows of `inputs` vectors of four times a matrix with rows of `outputs` vectors.
    pub(in crate::ops) fn product(pass: Pass, rows: usize, inputs: usize, outputs: usize) -> Self {
        Self {
            pass,
            kind: Kind::Product,
            geometry: Geometry::product(rows, inputs, outputs),
            batch: 1,
        }
    }

    /// The same product with so many vectors of inputs.
    pub(in crate::ops) fn with_inputs(&self, inputs: usize) -> Self {
        let product = self.sizes();
        Self::product(self.pass, product.rows, inputs, product.outputs)
    }

    /// The sizes of a product.
    pub(in crate::ops) fn sizes(&self) -> Product {
        let [inputs, outputs] = self.geometry.vectors();
        Product {
            rows: self.geometry.output[2],
            inputs,
            outputs,
        }
    }

    pub(in crate::ops) fn pass(&self) -> Pass {
        self.pass
    }

    /// Register tiles that cover the result of a dense convolution or a product.
    pub(in crate::ops) fn register_tiles(&self, tile: [usize; 3]) -> usize {
        match self.pass {
            Pass::GradWeight => OuterTile::from(tile).count(self.filter()),
            Pass::Forward | Pass::GradInput => Tile::from(tile).invocations(self.map()),
        }
    }

    /// Operations: a multiplication and an addition per tap, whatever the kernels do.
    pub fn flops(&self) -> u64 {
        self.geometry.flops(self.batch)
    }

    /// Result pixels of one parity along each axis, and the number of parities. A stride makes
    /// the input gradient as many convolutions as there are parities; else there is one.
    pub(super) fn parities(&self) -> (usize, usize, usize) {
        match self.pass {
            Pass::GradInput => {
                let [_, height, width] = self.geometry.input;
                let stride = self.geometry.window.stride;
                (
                    height.div_ceil(stride.height),
                    width.div_ceil(stride.width),
                    stride.height * stride.width,
                )
            }
            Pass::Forward | Pass::GradWeight => {
                let [_, height, width] = self.geometry.output;
                (height, width, 1)
            }
        }
    }

    /// The result of the forward pass or of the input gradient, for register tiles.
    pub(super) fn map(&self) -> Map {
        let [inputs, outputs] = self.geometry.vectors();
        let forward = self.pass == Pass::Forward;
        let (vectors, summed) = if forward {
            (outputs, inputs)
        } else {
            (inputs, outputs)
        };
        let (height, width, parities) = self.parities();
        Map {
            batch: self.batch,
            height,
            width,
            vectors,
            summed,
            taps: self.geometry.window.taps().div_ceil(parities),
            lanes: match forward && self.kind == Kind::Dense {
                true => self.geometry.input_lanes(),
                false => LANES,
            },
        }
    }

    /// The gradient of the filters, for register tiles.
    pub(super) fn filter(&self) -> Filter {
        let [inputs, outputs] = self.geometry.vectors();
        let [_, height, width] = self.geometry.output;
        Filter {
            taps: self.geometry.window.taps(),
            inputs,
            outputs,
            lanes: match self.kind {
                Kind::Dense => self.geometry.input_lanes(),
                _ => LANES,
            },
            pixels: self.batch * height * width,
        }
    }

    /// Channel vectors of the result, and vectors of the terms of each of its sums.
    pub(super) fn vectors_and_summed(&self) -> [usize; 2] {
        let [inputs, outputs] = self.geometry.vectors();
        let taps = self.geometry.window.taps();
        match self.pass {
            Pass::Forward | Pass::GradWeight => [outputs, taps * inputs],
            Pass::GradInput => [inputs, taps * outputs],
        }
    }

    /// Input and output channels of one group.
    pub(super) fn group(&self) -> [usize; 2] {
        [self.geometry.input[0], self.geometry.output[0]].map(|c| c / self.geometry.groups)
    }

    /// Vectors of the channels that the pass computes, for kernels with groups.
    pub(super) fn result_vectors(&self) -> usize {
        match self.pass {
            Pass::GradInput => vectors(self.geometry.input[0]),
            Pass::Forward | Pass::GradWeight => vectors(self.geometry.output[0]),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pass = match self.pass {
            Pass::Forward => "",
            Pass::GradInput => "_grad_input",
            Pass::GradWeight => "_grad_weight",
        };
        let Geometry {
            window,
            padding,
            groups,
            input,
            output,
        } = self.geometry;
        if self.kind == Kind::Product {
            let rows = self.geometry.output[2];
            return write!(
                f,
                "linear{pass} {rows}x{} to {rows}x{}",
                input[0], output[0]
            );
        }
        let [[channels, height, width], [filters, rows, columns]] = [input, output];
        write!(
            f,
            "conv2d{pass} {batch}x{channels}x{height}x{width} to \
             {batch}x{filters}x{rows}x{columns}, kernel {kernel}, stride {stride}, \
             padding {padding}, dilation {dilation}, groups {groups}",
            batch = self.batch,
            kernel = window.kernel,
            stride = window.stride,
            dilation = window.dilation,
        )
    }
}
