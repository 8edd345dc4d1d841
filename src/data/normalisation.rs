//! Mean zero and deviation one, channel by channel.

use super::moments::Moments;
use super::{DataError, Dataset, Samples};

/// What is taken from each channel's values, and what they are then divided by.
///
/// Channels are the first dimension of a sample. A network sees `(value − mean) · (1/std)`, in
/// `f32`, on the host as on the device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Normalisation {
    /// Mean by channel, in units of scaled values.
    pub mean: Vec<f32>,
    /// Standard deviation by channel, above zero.
    pub std: Vec<f32>,
}

impl Normalisation {
    /// Normalises the flat elements of one sample in place.
    pub(super) fn apply(&self, sample: &mut [f32]) {
        let per_channel = (sample.len() / self.mean.len().max(1)).max(1);
        let parameters = self.mean.iter().zip(&self.std);
        for (channel, (mean, std)) in sample.chunks_mut(per_channel).zip(parameters) {
            let inverse = 1.0 / std;
            channel
                .iter_mut()
                .for_each(|value| *value = (*value - mean) * inverse);
        }
    }

    fn check(&self, channels: usize) -> Result<(), DataError> {
        let (means, stds) = (self.mean.len(), self.std.len());
        if means != channels || stds != channels {
            return Err(DataError::WrongChannels {
                means,
                stds,
                channels,
            });
        }
        for (channel, (&mean, &std)) in self.mean.iter().zip(&self.std).enumerate() {
            if !(mean.is_finite() && std.is_normal() && std > 0.0) {
                return Err(DataError::BadNormalisation { channel, mean, std });
            }
        }
        Ok(())
    }
}

/// # Normalising
impl Dataset {
    /// Each channel's mean and (population) standard deviation over all samples and positions, of
    /// the scaled values before any normalisation.
    ///
    /// A channel that never varies gets deviation 1, so that it may be divided by.
    ///
    /// ```
    /// # use wgrad::data::Dataset;
    /// let data = Dataset::from_f32([2, 2], vec![0.0, 2.0, 5.0, 5.0], vec![0], 1)?;
    /// let found = data.mean_std();
    /// assert_eq!((found.mean, found.std), (vec![1.0, 5.0], vec![1.0, 1.0]));
    /// # Ok::<(), wgrad::data::DataError>(())
    /// ```
    #[must_use]
    pub fn mean_std(&self) -> Normalisation {
        let mut channels = vec![Moments::default(); self.channels()];
        let len = self.sample_len().max(1);
        let plane = (len / channels.len().max(1)).max(1);
        let mut merge = |moments: &mut dyn Iterator<Item = Moments>| {
            let in_turn = channels.iter_mut().zip(moments);
            in_turn.for_each(|(all, moments)| all.merge(moments));
        };
        match &*self.samples {
            Samples::U8 { bytes, scale } => bytes.chunks(len).for_each(|sample| {
                let of = |plane: &[u8]| Moments::of(plane.iter().map(|x| f32::from(*x) * scale));
                merge(&mut sample.chunks(plane).map(of));
            }),
            Samples::F32(values) => values.chunks(len).for_each(|sample| {
                let of = |plane: &[f32]| Moments::of(plane.iter().copied());
                merge(&mut sample.chunks(plane).map(of));
            }),
            Samples::Streamed(streamed) => {
                let samples = streamed.moments();
                samples.for_each(|moments| merge(&mut moments.iter().copied()));
            }
        }
        let (mean, std) = channels.iter().map(Moments::mean_std).unzip();
        Normalisation { mean, std }
    }

    /// This data set, normalised by its own mean and deviation.
    ///
    /// Use it on the training set and [`normalised_like`](Self::normalised_like) on the others.
    #[must_use]
    pub fn normalised(mut self) -> Self {
        self.normalisation = Some(self.mean_std());
        self
    }

    /// This data set with the normalisation of `other`, or with none if it has none.
    ///
    /// # Errors
    ///
    /// [`DataError::WrongChannels`] if the two have different numbers of channels.
    pub fn normalised_like(mut self, other: &Self) -> Result<Self, DataError> {
        match other.normalisation() {
            Some(normalisation) => self.with_normalisation(normalisation.clone()),
            None => {
                self.normalisation = None;
                Ok(self)
            }
        }
    }

    /// This data set with a given normalisation in place of the one it had.
    ///
    /// # Errors
    ///
    /// [`DataError::WrongChannels`] if it is for another number of channels, and
    /// [`DataError::BadNormalisation`] if a mean is not finite or a deviation not above zero.
    pub fn with_normalisation(mut self, normalisation: Normalisation) -> Result<Self, DataError> {
        normalisation.check(self.channels())?;
        self.normalisation = Some(normalisation);
        Ok(self)
    }

    /// What the values are normalised by, if by anything.
    #[must_use]
    pub fn normalisation(&self) -> Option<&Normalisation> {
        self.normalisation.as_ref()
    }
}
