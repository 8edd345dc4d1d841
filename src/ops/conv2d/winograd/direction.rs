//! What is transformed: a convolution in either direction, in tiles, in pieces of the batch.

use std::ops::Range;

use crate::graph::BLOCK;
use crate::layout::LANES;
use crate::ops::conv2d::choose::Pass;
use crate::ops::conv2d::geometry::{Geometry, vectors};
use crate::ops::conv2d::problem::Problem;
use crate::ops::tile::{Filter, Map};

/// Vectors of a transformed piece of the batch: 10 MiB.
const MOST_TRANSFORMED: usize = 10 << 16;

/// Fewer tiles do not share the transformed filter well.
const LEAST_TILES: usize = 256;

/// A convolution of stride 1 of one image with another, in either direction.
#[derive(Clone, Copy)]
pub(super) struct Direction {
    pub(super) batch: usize,
    /// Vectors, height, width.
    pub(super) from: [usize; 3],
    pub(super) to: [usize; 3],
    /// Negative where the outermost results of a generously padded convolution are cut off.
    pub(super) padding: [i64; 2],
    /// Pixels along a side of a tile of results.
    pub(super) side: usize,
}

impl Direction {
    fn forward(geometry: Geometry, batch: usize, side: usize) -> Self {
        let padding = geometry.padding;
        Self {
            batch,
            side,
            from: in_vectors(geometry.input),
            to: in_vectors(geometry.output),
            padding: [padding.top as i64, padding.left as i64],
        }
    }

    /// From the result's gradient to the operand's.
    fn backward(geometry: Geometry, batch: usize, side: usize) -> Self {
        let forward = Self::forward(geometry, batch, side);
        Self {
            batch,
            from: forward.to,
            to: forward.from,
            padding: forward.padding.map(|padding| 2 - padding),
            ..forward
        }
    }

    pub(super) fn of(problem: &Problem, side: usize) -> Self {
        match problem.pass {
            Pass::GradInput => Self::backward(problem.geometry, problem.batch, side),
            Pass::Forward | Pass::GradWeight => {
                Self::forward(problem.geometry, problem.batch, side)
            }
        }
    }

    /// Tiles of an image, down and across.
    pub(super) fn grid(self) -> [usize; 2] {
        [self.to[1], self.to[2]].map(|length| length.div_ceil(self.side))
    }

    /// Tiles of all images.
    pub(super) fn tiles(self) -> usize {
        let [down, across] = self.grid();
        self.batch * down * across
    }

    /// Elements of a transformed tile: matrix products.
    pub(super) fn elements(self) -> usize {
        (self.side + 2) * (self.side + 2)
    }

    /// One of `count` equal pieces of the batch.
    pub(super) fn piece(self, count: usize) -> Self {
        Self {
            batch: self.batch / count,
            ..self
        }
    }

    /// Into how many equal pieces the batch can be cut, each of which can be bound by itself.
    pub(super) fn piece_counts(self) -> impl Iterator<Item = usize> {
        let aligned = move |count: &usize| {
            let piece = self.piece(*count);
            let [from, to] = [piece.from, piece.to].map(|[v, h, w]| piece.batch * v * h * w);
            (from * LANES).is_multiple_of(BLOCK) && (to * LANES).is_multiple_of(BLOCK)
        };
        let counts = (1..=self.batch).filter(move |count| self.batch.is_multiple_of(*count));
        counts.filter(move |count| *count == 1 || aligned(count))
    }

    /// As few pieces, one after the other, as keep the transformed images small: they are 16/4 or
    /// 36/16 of an image.
    pub(super) fn pieces(self) -> usize {
        let most = self.from[0].max(self.to[0]);
        let fits = |count: &usize| {
            let tiles = self.piece(*count).tiles();
            self.elements() * tiles * most <= MOST_TRANSFORMED || tiles < 2 * LEAST_TILES
        };
        self.piece_counts().find(fits).unwrap_or(1)
    }

    /// The product of a piece, for register tiles.
    pub(super) fn map(self) -> Map {
        Map {
            batch: 1,
            height: 1,
            width: self.tiles(),
            vectors: self.to[0],
            summed: self.from[0],
            taps: self.elements(),
            lanes: LANES,
        }
    }

    /// The product of a piece of the filters' gradient.
    pub(super) fn filter(self) -> Filter {
        Filter {
            taps: 1,
            inputs: self.from[0],
            outputs: self.to[0],
            lanes: LANES,
            pixels: self.elements() * self.tiles(),
        }
    }

    /// The elements of piece `index` of the images that are read, and of those written.
    pub(super) fn ranges(self, index: usize) -> [Range<usize>; 2] {
        [self.from, self.to].map(|[vectors, height, width]| {
            let len = self.batch * vectors * height * width * LANES;
            index * len..(index + 1) * len
        })
    }
}

fn in_vectors([channels, height, width]: [usize; 3]) -> [usize; 3] {
    [vectors(channels), height, width]
}
