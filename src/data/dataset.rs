//! The data set, and how one is made.

use std::sync::Arc;

use super::{Classes, DataError, Normalisation, Streamed, Targets};

/// The elements of all samples, one sample after the other, each in row order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Samples {
    /// Bytes: the value of one is `scale · byte`.
    U8 {
        /// The bytes.
        bytes: Vec<u8>,
        /// What a byte is multiplied by: 1/255 for images, so that white is 1.
        scale: f32,
    },
    /// Numbers.
    F32(Vec<f32>),
    /// Samples that are not in memory.
    Streamed(Streamed),
}

/// Samples of one shape, each with a label or a target. Clones share the memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    pub(super) shape: Vec<usize>,
    pub(super) samples: Arc<Samples>,
    pub(super) targets: Arc<Targets>,
    pub(super) normalisation: Option<Normalisation>,
}

/// # Making a data set
impl Dataset {
    /// Images of bytes 0 to 255, which the network sees as 0 to 1.
    ///
    /// `shape` is that of one image, `[C, H, W]`; `pixels` holds the images one after the other;
    /// `classes` is their number, or their names.
    ///
    /// # Errors
    ///
    /// [`DataError`], if there is no image, if `pixels` does not hold one image for each label,
    /// or if a label is not below the number of classes.
    ///
    /// ```
    /// # use wgrad::data::Dataset;
    /// let data = Dataset::images_u8([1, 1, 2], vec![0, 9, 255, 0], vec![1, 0], ["cat", "dog"])?;
    /// assert_eq!(data.image(1)?.values(), [1.0, 0.0]);
    ///
    /// let error = Dataset::images_u8([1, 1, 2], vec![0; 4], vec![1, 2], 2).unwrap_err();
    /// assert_eq!(error.to_string(), "sample 1 has label 2, but there are 2 classes, 0 to 1");
    /// # Ok::<(), wgrad::data::DataError>(())
    /// ```
    pub fn images_u8(
        shape: impl Into<Vec<usize>>,
        pixels: Vec<u8>,
        labels: Vec<u32>,
        classes: impl Into<Classes>,
    ) -> Result<Self, DataError> {
        let samples = Samples::U8 {
            bytes: pixels,
            scale: 1.0 / 255.0,
        };
        Self::checked(
            shape.into(),
            samples,
            Targets::Labels {
                labels,
                classes: classes.into(),
            },
        )
    }

    /// Samples of numbers, to be classified.
    ///
    /// # Errors
    ///
    /// As [`images_u8`](Self::images_u8), and if a value is infinite or not a number.
    pub fn from_f32(
        shape: impl Into<Vec<usize>>,
        values: Vec<f32>,
        labels: Vec<u32>,
        classes: impl Into<Classes>,
    ) -> Result<Self, DataError> {
        let targets = Targets::Labels {
            labels,
            classes: classes.into(),
        };
        Self::checked(shape.into(), Samples::F32(values), targets)
    }

    /// Samples of numbers, each with an array of numbers to be predicted.
    ///
    /// The number of samples is that of `targets`.
    ///
    /// # Errors
    ///
    /// [`DataError`], if there is no sample, if `values` or `targets` end within one, or if a
    /// value or target is infinite or not a number.
    ///
    /// ```
    /// # use wgrad::data::Dataset;
    /// let data = Dataset::regression([2], vec![0.0, 1.0, 2.0, 3.0], [1], vec![0.5, 2.5])?;
    /// assert_eq!(data.len(), 2);
    /// # Ok::<(), wgrad::data::DataError>(())
    /// ```
    pub fn regression(
        shape: impl Into<Vec<usize>>,
        values: Vec<f32>,
        target_shape: impl Into<Vec<usize>>,
        targets: Vec<f32>,
    ) -> Result<Self, DataError> {
        let targets = Targets::Values {
            shape: target_shape.into(),
            values: targets,
        };
        Self::checked(shape.into(), Samples::F32(values), targets)
    }

    /// Sets what a byte is multiplied by, in place of 1/255.
    ///
    /// # Errors
    ///
    /// [`DataError::BadScale`] if `scale` is zero or not finite, or if the samples are not bytes.
    pub fn with_scale(mut self, scale: f32) -> Result<Self, DataError> {
        match Arc::make_mut(&mut self.samples) {
            Samples::U8 { scale: current, .. } if scale.is_normal() => *current = scale,
            Samples::Streamed(_) => {
                return Err(DataError::BadScale {
                    scale,
                    samples: "streamed samples",
                });
            }
            Samples::U8 { .. } => {
                return Err(DataError::BadScale {
                    scale,
                    samples: "bytes",
                });
            }
            Samples::F32(_) => {
                return Err(DataError::BadScale {
                    scale,
                    samples: "samples that are not bytes",
                });
            }
        }
        Ok(self)
    }

    /// A data set that has passed every check.
    pub(super) fn checked(
        shape: Vec<usize>,
        samples: Samples,
        targets: Targets,
    ) -> Result<Self, DataError> {
        let data = Self {
            shape,
            samples: Arc::new(samples),
            targets: Arc::new(targets),
            normalisation: None,
        };
        let found = match &*data.samples {
            Samples::U8 { bytes, .. } => bytes.len(),
            Samples::F32(values) => values.len(),
            Samples::Streamed(streamed) => streamed.len() * elements(&data.shape),
        };
        let samples = data.len();
        if samples == 0 || data.shape.contains(&0) {
            return Err(DataError::Empty {
                samples,
                shape: data.shape,
            });
        }
        if u32::try_from(samples).is_err() {
            return Err(DataError::TooMany { samples });
        }
        check_length("shape", samples, &data.shape, found)?;
        if let Samples::F32(values) = &*data.samples {
            check_finite("value", values, data.sample_len())?;
        }
        data.check_targets()?;
        Ok(data)
    }

    fn check_targets(&self) -> Result<(), DataError> {
        match &*self.targets {
            Targets::Labels { labels, classes } => {
                let classes = classes.len();
                match labels.iter().position(|label| *label as usize >= classes) {
                    Some(sample) => {
                        let label = labels[sample];
                        Err(DataError::LabelOutOfRange {
                            sample,
                            label,
                            classes,
                        })
                    }
                    None => Ok(()),
                }
            }
            Targets::Values { shape, values } => {
                check_length("target shape", self.len(), shape, values.len())?;
                check_finite("target", values, elements(shape))
            }
        }
    }
}

/// Elements of a shape; one that overflows is refused by `check_length`.
pub(super) fn elements(shape: &[usize]) -> usize {
    shape.iter().copied().fold(1, usize::saturating_mul)
}

fn check_length(
    what: &'static str,
    samples: usize,
    shape: &[usize],
    found: usize,
) -> Result<(), DataError> {
    let expected = shape
        .iter()
        .try_fold(samples, |len, size| len.checked_mul(*size));
    if expected == Some(found) {
        return Ok(());
    }
    Err(DataError::LengthMismatch {
        what,
        samples,
        shape: shape.to_vec(),
        expected,
        found,
    })
}

fn check_finite(what: &'static str, values: &[f32], len: usize) -> Result<(), DataError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(i) => {
            let (sample, element, value) = (i / len, i % len, values[i]);
            Err(DataError::NonFinite {
                what,
                sample,
                element,
                value,
            })
        }
        None => Ok(()),
    }
}
