//! Random changes of the images of a training batch, computed while the device fetches it.

mod draw;
mod erasing;
#[cfg(test)]
mod tests;

pub(crate) use draw::STREAM;
pub use draw::{Augmentation, ErasedBox};
pub use erasing::{Erasing, Fill};

use super::Dataset;

/// What is changed at random in every image of every batch: moved, turned, recoloured, partly
/// covered.
///
/// ```
/// use wgrad::data::{Augment, Erasing};
/// use wgrad::train::{Sgd, Trainer};
///
/// // What residual networks are trained with on CIFAR-10 (He et al. 2016), and Cutout.
/// let augment = Augment::new().crop(4).flip().cutout(16);
/// let trainer = Trainer::new(Sgd::new(0.1)).augment(augment);
///
/// let augment = Augment::new()
///     .rotate(15.0)
///     .scale(0.8, 1.2)
///     .brightness(0.4)
///     .contrast(0.4)
///     .saturation(0.4)
///     .erase(Erasing::new(0.25));
/// ```
///
/// The draws follow from the trainer's seed, the batch and the place in it, so that a run can be
/// repeated to the bit; [`Augment::draw`] tells them.
///
/// # Order
///
/// Whatever the order of the calls, an image is
/// 1. **moved**: rotation, scaling, shearing and translation, then mirroring, then cropping make
///    one map, `source = shift + mirror(affine⁻¹(pixel))`, so that it is sampled once;
/// 2. **recoloured**: brightness, contrast, saturation;
/// 3. **covered**: Cutout, erasing;
/// 4. normalised as the data set says.
///
/// # Colours
///
/// Steps 2 and 3 see the values *before* normalisation, from black, 0, to white: 1 for data sets of
/// numbers, and for bytes what 255 becomes, which is 1 unless
/// [`Dataset::with_scale`](super::Dataset::with_scale) says otherwise. With a factor `f`, and results
/// beyond black and white held there,
///
/// ```text
/// brightness   f·x
/// contrast     f·x + (1 − f)·m     m: the mean of the grey image, after the brightness
/// saturation   f·x + (1 − f)·g     g: the pixel's grey, after both
/// grey         0.2989·r + 0.587·g + 0.114·b; with other than three channels, their mean
/// ```
///
/// as in torchvision's `ColorJitter` (which applies them in random order). Factors are uniform in
/// `[max(0, 1 − x), 1 + x]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Augment {
    pub(crate) padding: usize,
    pub(crate) flip: bool,
    pub(crate) vertical_flip: bool,
    pub(crate) affine: Affine,
    pub(crate) edge: bool,
    /// The reach of brightness, contrast and saturation.
    pub(crate) colour: [f64; 3],
    pub(crate) side: usize,
    pub(crate) erasing: Option<Erasing>,
}

/// The ranges of turning, scaling and so on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Affine {
    /// Degrees.
    pub(crate) angle: f64,
    pub(crate) scale: [f64; 2],
    /// Degrees, horizontally and vertically.
    pub(crate) shear: [f64; 2],
    /// Shares of height and width.
    pub(crate) translation: [f64; 2],
}

impl Affine {
    const NONE: Self = Self {
        angle: 0.0,
        scale: [1.0, 1.0],
        shear: [0.0, 0.0],
        translation: [0.0, 0.0],
    };

    fn check(&self) -> Result<(), String> {
        let refuse = |what: String| Err(format!("images cannot be {what}"));
        let within = |value: f64, most: f64| (0.0..=most).contains(&value);
        let [low, high] = self.scale;
        if !within(self.angle, 180.0) {
            return refuse(format!(
                "turned by {}°, only by 0° to 180° to both sides",
                self.angle
            ));
        }
        if !(low > 0.0 && low <= high && high.is_finite()) {
            return refuse(format!("scaled by {low} to {high}"));
        }
        if let Some(shear) = self.shear.iter().find(|shear| !within(**shear, 80.0)) {
            return refuse(format!(
                "sheared by {shear}°, only by 0° to 80° to both sides"
            ));
        }
        match self.translation.iter().find(|share| !within(**share, 1.0)) {
            Some(share) => refuse(format!(
                "translated by {share} of their size, only by 0 to 1"
            )),
            None => Ok(()),
        }
    }
}

impl Default for Augment {
    fn default() -> Self {
        Self::new()
    }
}

/// # Moving
impl Augment {
    /// Changes nothing.
    pub const fn new() -> Self {
        Self {
            padding: 0,
            flip: false,
            vertical_flip: false,
            affine: Affine::NONE,
            edge: false,
            colour: [0.0; 3],
            side: 0,
            erasing: None,
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

    /// Exchanges top and bottom in half of the images.
    #[must_use]
    pub const fn vertical_flip(mut self) -> Self {
        self.vertical_flip = true;
        self
    }

    /// Turns the image about its centre by up to `degrees` to either side.
    ///
    /// This, [`scale`](Self::scale), [`shear`](Self::shear) and [`translate`](Self::translate) are
    /// torchvision's `RandomAffine` with bilinear interpolation, apart from its rounding of
    /// translations to whole pixels.
    #[must_use]
    pub const fn rotate(mut self, degrees: f64) -> Self {
        self.affine.angle = degrees;
        self
    }

    /// Enlarges the image about its centre by a factor between `low` and `high`.
    #[must_use]
    pub const fn scale(mut self, low: f64, high: f64) -> Self {
        self.affine.scale = [low, high];
        self
    }

    /// Shears the image by up to so many degrees to either side, horizontally and vertically.
    #[must_use]
    pub const fn shear(mut self, horizontal: f64, vertical: f64) -> Self {
        self.affine.shear = [horizontal, vertical];
        self
    }

    /// Moves the image up or down by up to `rows` of its height and left or right by up to
    /// `columns` of its width, not only by whole pixels.
    #[must_use]
    pub const fn translate(mut self, rows: f64, columns: f64) -> Self {
        self.affine.translation = [rows, columns];
        self
    }

    /// Has what comes in from outside the image repeat its edge, where it would be zero (before
    /// normalisation).
    #[must_use]
    pub const fn edge(mut self) -> Self {
        self.edge = true;
        self
    }
}

/// # Recolouring
impl Augment {
    /// Multiplies the image by a factor between `max(0, 1 − reach)` and `1 + reach`.
    #[must_use]
    pub const fn brightness(mut self, reach: f64) -> Self {
        self.colour[0] = reach;
        self
    }

    /// Moves the image's values away from their mean grey, or towards it.
    #[must_use]
    pub const fn contrast(mut self, reach: f64) -> Self {
        self.colour[1] = reach;
        self
    }

    /// Moves every pixel away from its grey, or towards it. Only for images of three channels: red,
    /// green, blue.
    #[must_use]
    pub const fn saturation(mut self, reach: f64) -> Self {
        self.colour[2] = reach;
        self
    }
}

/// # Covering
impl Augment {
    /// Covers a square of `side` pixels around a random pixel with the data set's mean, zero after
    /// normalisation; less where it leaves the image (DeVries and Taylor, "Improved regularization
    /// of convolutional neural networks with Cutout", 2017).
    #[must_use]
    pub const fn cutout(mut self, side: usize) -> Self {
        self.side = side;
        self
    }

    /// Erases a random box in some of the images.
    #[must_use]
    pub const fn erase(mut self, erasing: Erasing) -> Self {
        self.erasing = Some(erasing);
        self
    }
}

impl Augment {
    /// Whether anything is changed.
    pub fn is_on(self) -> bool {
        let moved = self.padding > 0 || self.flip || self.vertical_flip || self.is_affine();
        moved || self.is_recoloured() || self.is_covered()
    }

    pub(crate) fn is_affine(self) -> bool {
        self.affine != Affine::NONE
    }

    pub(crate) fn is_recoloured(self) -> bool {
        self.colour != [0.0; 3]
    }

    pub(crate) fn is_covered(self) -> bool {
        self.side > 0 || self.erases().is_some()
    }

    pub(crate) fn erases(self) -> Option<Erasing> {
        self.erasing.filter(|erasing| erasing.probability != 0.0)
    }

    /// The range of the factors of brightness, contrast and saturation.
    pub(crate) fn factors(self) -> [[f64; 2]; 3] {
        self.colour
            .map(|reach| [(1.0 - reach).max(0.0), 1.0 + reach])
    }

    /// Whether these settings make sense for samples of this shape.
    pub(crate) fn check_shape(self, shape: &[usize]) -> Result<(), String> {
        if !self.is_on() {
            return Ok(());
        }
        let [channels, height, width] = *shape else {
            return Err(format!(
                "only images can be augmented, the samples have shape {shape:?}"
            ));
        };
        self.affine.check()?;
        let names = ["brightness", "contrast", "saturation"];
        for (name, reach) in names.into_iter().zip(self.colour) {
            if !(reach >= 0.0 && reach.is_finite()) {
                return Err(format!("the {name} cannot change by {reach}"));
            }
        }
        if self.colour[2] > 0.0 && channels != 3 {
            return Err(format!(
                "only images of three channels have a saturation, these have {channels}"
            ));
        }
        match self.erasing {
            Some(erasing) => erasing.check([height, width]),
            None => Ok(()),
        }
    }

    /// Whether these settings make sense for a data set.
    pub(crate) fn check(self, data: &Dataset) -> Result<(), String> {
        self.check_shape(data.shape())?;
        if !self.is_recoloured() {
            return Ok(());
        }
        if let Some(scale) = data.scale().filter(|scale| *scale <= 0.0) {
            return Err(format!(
                "images can be recoloured where more is brighter, their bytes are scaled by {scale}"
            ));
        }
        match data.outside() {
            None => Ok(()),
            Some((sample, value)) => Err(format!(
                "images can be recoloured whose values lie between 0 and 1 before normalisation, \
                 sample {sample} has {value}"
            )),
        }
    }
}
