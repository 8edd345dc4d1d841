//! Random changes of the images of a training batch, computed while the device fetches it.

use crate::random::{Seed, philox4x32_10};

/// What is changed at random in every image of every batch: moved, mirrored, partly covered.
///
/// ```
/// use wgrad::data::Augment;
/// use wgrad::train::{Sgd, Trainer};
///
/// // What residual networks are trained with on CIFAR-10 (He et al. 2016), and Cutout.
/// let augment = Augment::new().crop(4).flip().cutout(16);
/// let trainer = Trainer::new(Sgd::new(0.1)).augment(augment);
/// ```
///
/// The draws follow from the trainer's seed, the batch and the place in it, so that a run can be
/// repeated to the bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Augment {
    pub(crate) padding: usize,
    pub(crate) flip: bool,
    pub(crate) side: usize,
}

/// What is done to one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Augmentation {
    /// Rows and columns by which the image moves up and left; negative for down and right.
    pub shift: [i64; 2],
    /// Whether left and right are exchanged, after moving.
    pub flipped: bool,
    /// The pixel around which a square is covered.
    pub covered: [usize; 2],
}

/// Names the draws among those of the layers.
pub(crate) const STREAM: u32 = 0x4155_474d;

impl Augment {
    /// Changes nothing.
    pub const fn new() -> Self {
        Self {
            padding: 0,
            flip: false,
            side: 0,
        }
    }

    /// Cuts a random part of the image's own size out of the image with `padding` rows and
    /// columns of zeros (before normalisation) on every side.
    #[must_use]
    pub const fn crop(mut self, padding: usize) -> Self {
        self.padding = padding;
        self
    }

    /// Exchanges left and right in half of the images.
    #[must_use]
    pub const fn flip(mut self) -> Self {
        self.flip = true;
        self
    }

    /// Covers a square of `side` pixels around a random pixel with the data set's mean, zero after
    /// normalisation; less where it leaves the image (DeVries and Taylor, "Improved regularization
    /// of convolutional neural networks with Cutout", 2017).
    #[must_use]
    pub const fn cutout(mut self, side: usize) -> Self {
        self.side = side;
        self
    }

    /// Whether anything is changed.
    pub fn is_on(self) -> bool {
        self != Self::new()
    }

    /// What is done to sample `place` of batch `batch` (all batches of a training counted), for
    /// images of `size` rows and columns: what the device draws as well.
    pub fn draw(self, seed: Seed, batch: u32, place: u32, size: [usize; 2]) -> Augmentation {
        let words = |block| philox4x32_10([place, batch, STREAM, block], seed.key());
        let below = |word: u32, n: usize| ((u64::from(word) * n as u64) >> 32) as usize;
        let ([row, column, flip, _], [top, left, ..]) = (words(0), words(1));
        let shift = |word| below(word, 2 * self.padding + 1) as i64 - self.padding as i64;
        Augmentation {
            shift: [shift(row), shift(column)],
            flipped: self.flip && flip >> 31 == 1,
            covered: [below(top, size[0]), below(left, size[1])],
        }
    }
}
