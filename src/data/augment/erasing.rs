//! Random erasing: which boxes, and with what.

/// Erases a box of random size and place (Zhong et al., "Random erasing data augmentation", 2020).
///
/// ```
/// use wgrad::data::{Augment, Erasing, Fill};
///
/// let erasing = Erasing::new(0.5).area(0.02, 0.4).fill(Fill::Random);
/// let augment = Augment::new().erase(erasing);
/// ```
///
/// A box of the share `s` of the image's area `A` and of the aspect `r` has `round(√(s·A·r))` rows and
/// `round(√(s·A/r))` columns, at least one of each. The share is uniform in its range, the logarithm of
/// the aspect in its, both in 64 steps; of these boxes, those that are lower and narrower than
/// the image are equally likely, and so is each place that a box has in the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Erasing {
    pub(crate) probability: f64,
    area: [f64; 2],
    aspect: [f64; 2],
    pub(crate) fill: Fill,
}

/// What erased pixels become.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Fill {
    /// The data set's mean: zero after normalisation.
    #[default]
    Mean,
    /// A number in every channel before normalisation: 0 is black, 1 is white.
    Value(f64),
    /// A number between black and white for every pixel and channel by itself, as in the paper.
    Random,
}

/// Areas, and aspects, among which is chosen.
const STEPS: usize = 64;

impl Erasing {
    /// Erases in an image with this probability 2 to 33 % of its area, with an aspect of 0.3 to
    /// 3.3, by the data set's mean: torchvision's numbers.
    pub const fn new(probability: f64) -> Self {
        Self {
            probability,
            area: [0.02, 0.33],
            aspect: [0.3, 3.3],
            fill: Fill::Mean,
        }
    }

    /// Sets the range of the box's share of the area.
    #[must_use]
    pub const fn area(mut self, low: f64, high: f64) -> Self {
        self.area = [low, high];
        self
    }

    /// Sets the range of the box's height divided by its width.
    #[must_use]
    pub const fn aspect(mut self, low: f64, high: f64) -> Self {
        self.aspect = [low, high];
        self
    }

    /// Sets what the pixels become.
    #[must_use]
    pub const fn fill(mut self, fill: Fill) -> Self {
        self.fill = fill;
        self
    }

    /// The probability in 2⁻²⁴, by which it is drawn.
    pub(crate) fn threshold(&self) -> u32 {
        (self.probability * f64::from(1 << 24)).round() as u32
    }

    /// Rows and columns of the boxes, which are equally likely, for images of `size`.
    pub(crate) fn boxes(&self, size: [usize; 2]) -> Vec<[u32; 2]> {
        let [height, width] = size;
        let step =
            |i: usize, [low, high]: [f64; 2]| low + (high - low) * (i as f64 + 0.5) / STEPS as f64;
        let logarithms = self.aspect.map(f64::ln);
        let sides = (0..STEPS * STEPS).map(|i| {
            let area = step(i / STEPS, self.area) * (height * width) as f64;
            let aspect = step(i % STEPS, logarithms).exp();
            [area * aspect, area / aspect].map(|square| square.sqrt().round().max(1.0) as u32)
        });
        let fits =
            |&[rows, columns]: &[u32; 2]| (rows as usize) < height && (columns as usize) < width;
        sides.filter(fits).collect()
    }

    pub(super) fn check(&self, size: [usize; 2]) -> Result<(), String> {
        let ([small, large], [flat, steep]) = (self.area, self.aspect);
        if !(0.0..=1.0).contains(&self.probability) {
            return Err(format!(
                "images cannot be erased with probability {}",
                self.probability
            ));
        }
        if !(small > 0.0 && small <= large && large <= 1.0) {
            return Err(format!(
                "{small} to {large} of an image's area cannot be erased"
            ));
        }
        if !(flat > 0.0 && flat <= steep && steep.is_finite()) {
            return Err(format!(
                "a box with an aspect of {flat} to {steep} cannot be erased"
            ));
        }
        if let Fill::Value(value) = self.fill
            && !value.is_finite()
        {
            return Err(format!("images cannot be erased by {value}"));
        }
        match self.boxes(size).is_empty() {
            true => Err(format!(
                "no box of {small} to {large} of the area with an aspect of {flat} to {steep} fits \
                 into images of {} by {}",
                size[0], size[1]
            )),
            false => Ok(()),
        }
    }
}
