//! Where the bins of adaptive pooling lie: shared by max and mean.

use super::Reason;
use super::window::countable;
use crate::layout::LANES;
use crate::shader::Kernel;
use crate::shape::Size2d;

/// More elements than this in a bin are refused: some drivers cut longer loops silently.
const LARGEST: usize = 32_768;

/// More elements than this in a bin are pooled in two passes: one invocation would work long
/// while most of the device waits.
const LONG: usize = 1_024;

/// Rows and columns of bins that cover an image of any size: bin `i` of `B` over `L` positions
/// goes from `⌊i·L/B⌋` to before `⌈(i+1)·L/B⌉` (PyTorch's rule). Neighbours overlap in a
/// position where B does not divide L.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bins(Size2d);

impl Bins {
    pub const fn new(bins: Size2d) -> Self {
        Self(bins)
    }

    /// At most so many elements are in a bin of an image of this size.
    fn largest(self, height: usize, width: usize) -> usize {
        let longest = |length: usize, bins: usize| length.min(length.div_ceil(bins) + 1);
        longest(height, self.0.height).saturating_mul(longest(width, self.0.width))
    }

    /// The bins of one pass, or of two that give the same: those of every row, then those of
    /// the rows' results. The first maximum in row order is the first of the rows' maxima.
    pub fn passes(self, [_, height, width]: [usize; 3]) -> impl Iterator<Item = Size2d> {
        let Self(bins) = self;
        let empty = bins.height == 0 || bins.width == 0;
        let rows = Size2d { height, ..bins };
        let two = !empty && rows != bins && self.largest(height, width) > LONG;
        two.then_some(rows).into_iter().chain([bins])
    }

    /// The shape of the result for an image of this shape.
    pub fn output(self, [channels, height, width]: [usize; 3]) -> Result<[usize; 3], Reason> {
        let Self(bins) = self;
        if bins.height == 0 || bins.width == 0 {
            return Err(format!("{bins} bins are no result"));
        }
        if self.largest(height, width) > LARGEST {
            return Err(format!(
                "a bin of {bins} over an image of {height}x{width} has more than {LARGEST} elements"
            ));
        }
        // The shaders multiply a position with a number of bins.
        let fits = |length: usize, bins: usize| {
            let product = (length + 1).checked_mul(bins.saturating_add(1));
            product.is_some_and(|product| u32::try_from(product).is_ok())
        };
        if !fits(height, bins.height) || !fits(width, bins.width) {
            return Err(format!(
                "{bins} bins over an image of {height}x{width} are too many to be counted"
            ));
        }
        countable([bins.height, bins.width])?;
        Ok([channels, bins.height, bins.width])
    }

    /// Whether the whole image is one bin.
    pub fn is_one(self) -> bool {
        self.0 == Size2d::square(1)
    }

    /// First and behind last position of every bin, along the rows and along the columns.
    pub fn along(self, [_, height, width]: [usize; 3]) -> [Vec<[usize; 2]>; 2] {
        let Self(bins) = self;
        [(height, bins.height), (width, bins.width)].map(|(length, bins)| {
            let bin = |i: usize| [i * length / bins, ((i + 1) * length).div_ceil(bins)];
            (0..bins).map(bin).collect()
        })
    }

    /// What the shaders know of their bins.
    pub fn define(self, kernel: Kernel, [channels, height, width]: [usize; 3]) -> Kernel {
        kernel.defines([
            ("VECS", channels.div_ceil(LANES)),
            ("IN_HEIGHT", height),
            ("IN_WIDTH", width),
            ("OUT_HEIGHT", self.0.height),
            ("OUT_WIDTH", self.0.width),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(bins: [usize; 2], image: [usize; 2]) -> Vec<Size2d> {
        let [height, width] = image;
        Bins::new(bins.into()).passes([3, height, width]).collect()
    }

    #[test]
    fn large_bins_are_pooled_by_rows_first() {
        assert_eq!(passes([6, 6], [13, 13]), [Size2d::square(6)]);
        let rows = Size2d::from([100, 2]);
        assert_eq!(passes([2, 2], [100, 80]), [rows, Size2d::square(2)]);
        // A single row of bins per row of the image cannot be split.
        assert_eq!(passes([1, 1], [1, 5000]), [Size2d::square(1)]);
    }

    #[test]
    fn the_size_of_a_bin_is_never_underestimated() {
        for length in 1..40_usize {
            for bins in 1..50 {
                let size = |i: usize| ((i + 1) * length).div_ceil(bins) - i * length / bins;
                let most = (0..bins).map(size).max();
                let largest = Bins::new([bins, 1].into()).largest(length, 1);
                assert!(most <= Some(largest), "{length} in {bins}");
            }
        }
    }
}
