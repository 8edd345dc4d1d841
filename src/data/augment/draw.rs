//! What is drawn for one image: the twin of `shaders/augment_draw.wgsl`.

use super::Augment;
use crate::random::{Seed, philox4x32_10, uniform01};

/// What is done to one image.
///
/// With `mirror` for both flips, a pixel of the result shows what lies in the image at
/// `shift + mirror(affine⁻¹(pixel))`. The affine map, about the image's centre, is torchvision's
/// `affine(angle, translate, scale, shear)`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Augmentation {
    /// Rows and columns by which the image moves up and left; negative for down and right.
    pub shift: [i64; 2],
    /// Whether left and right are exchanged, after moving.
    pub flipped: bool,
    /// Whether top and bottom are exchanged, after moving.
    pub flipped_vertically: bool,
    /// Degrees by which the image is turned clockwise, after mirroring.
    pub angle: f64,
    /// The factor by which it is enlarged.
    pub scale: f64,
    /// Degrees by which it is sheared, horizontally and vertically.
    pub shear: [f64; 2],
    /// Rows and columns by which it then moves down and right.
    pub translation: [f64; 2],
    /// The factor of the brightness.
    pub brightness: f64,
    /// The factor of the contrast.
    pub contrast: f64,
    /// The factor of the saturation.
    pub saturation: f64,
    /// The pixel around which a square is covered.
    pub covered: [usize; 2],
    /// What is erased.
    pub erased: Option<ErasedBox>,
}

/// A box of pixels, from the first row and column to those before the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErasedBox {
    /// First row, and the one behind the last.
    pub rows: [usize; 2],
    /// First column, and the one behind the last.
    pub columns: [usize; 2],
}

/// Names the draws among those of the layers.
pub(crate) const STREAM: u32 = 0x4155_474d;

/// A number below `n`, by a random word.
fn below(word: u32, n: usize) -> usize {
    ((u64::from(word) * n as u64) >> 32) as usize
}

/// A number between two others, by a random word.
fn between(word: u32, [low, high]: [f64; 2]) -> f64 {
    low + f64::from(uniform01(word)) * (high - low)
}

/// A number up to `reach` to either side of 0.
fn around(word: u32, reach: f64) -> f64 {
    between(word, [-reach, reach])
}

impl Augment {
    /// What is done to sample `place` of batch `batch` (all batches of a training counted), for
    /// images of `size` rows and columns: what the device draws as well, whole numbers exactly and
    /// others up to its rounding.
    ///
    /// Words of Philox for the counter (place, batch, `0x4155474d`, block) and the seed; `w·n/2³²`
    /// is a whole number below n, and the upper 24 bits a fraction between the ends of a range:
    ///
    /// | block | words |
    /// |---|---|
    /// | 0 | rows, columns of [`shift`](Augmentation::shift); upper bits: flipped, vertically |
    /// | 1 | row, column of [`covered`](Augmentation::covered) |
    /// | 2 | brightness, contrast, saturation |
    /// | 3 | angle, scale, horizontal and vertical shear |
    /// | 4 | rows, columns of the translation |
    /// | 5 | whether to erase; which box; its first row, first column |
    /// | 8 + p·v + i | with [`Fill::Random`](super::Fill::Random): pixel p, channels 4·i to 4·i + 3, where v = ⌈channels/4⌉ |
    pub fn draw(self, seed: Seed, batch: u32, place: u32, size: [usize; 2]) -> Augmentation {
        let words = |block| philox4x32_10([place, batch, STREAM, block], seed.key());
        let ([row, column, flip, vertical], [top, left, ..]) = (words(0), words(1));
        let shift = |word| below(word, 2 * self.padding + 1) as i64 - self.padding as i64;
        let ([colours @ .., _], [angle, scale, across, down]) = (words(2), words(3));
        let [rows, columns, ..] = words(4);
        let affine = self.affine;
        let factors = self.factors();
        let factor = |which: usize| between(colours[which], factors[which]);
        let moved = |word, axis: usize| around(word, affine.translation[axis] * size[axis] as f64);
        Augmentation {
            shift: [shift(row), shift(column)],
            flipped: self.flip && flip >> 31 == 1,
            flipped_vertically: self.vertical_flip && vertical >> 31 == 1,
            angle: around(angle, affine.angle),
            scale: between(scale, affine.scale),
            shear: [
                around(across, affine.shear[0]),
                around(down, affine.shear[1]),
            ],
            translation: [moved(rows, 0), moved(columns, 1)],
            brightness: factor(0),
            contrast: factor(1),
            saturation: factor(2),
            covered: [below(top, size[0]), below(left, size[1])],
            erased: self.draw_erased(words(5), size),
        }
    }

    fn draw_erased(self, words: [u32; 4], size: [usize; 2]) -> Option<ErasedBox> {
        let [whether, which, top, left] = words;
        let erasing = self.erases()?;
        if whether >> 8 >= erasing.threshold() {
            return None;
        }
        let boxes = erasing.boxes(size);
        let [rows, columns] = boxes.get(below(which, boxes.len()))?.map(|n| n as usize);
        let (top, left) = (
            below(top, size[0] - rows + 1),
            below(left, size[1] - columns + 1),
        );
        Some(ErasedBox {
            rows: [top, top + rows],
            columns: [left, left + columns],
        })
    }
}
