//! What a data set holds, stored or as the network sees it.

use super::dataset::elements;
use super::{Classes, DataError, Dataset, Sample, Samples, Target, Targets};

/// # Looking at it
impl Dataset {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.targets {
            Targets::Labels { labels, .. } => labels.len(),
            Targets::Values { shape, values } => values.len() / elements(shape).max(1),
        }
    }

    /// Whether there are none, which only a split of a single sample can bring about.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shape of one sample, `[C, H, W]` for images.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Elements of one sample.
    #[must_use]
    pub fn sample_len(&self) -> usize {
        elements(&self.shape)
    }

    /// Channels: the first dimension of a sample.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// The elements as they are stored, neither scaled nor normalised.
    #[must_use]
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// What the samples should be answered with.
    #[must_use]
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The samples' labels; none in a regression.
    #[must_use]
    pub fn labels(&self) -> Option<&[u32]> {
        match &self.targets {
            Targets::Labels { labels, .. } => Some(labels),
            Targets::Values { .. } => None,
        }
    }

    /// The classes; none in a regression.
    #[must_use]
    pub fn classes(&self) -> Option<&Classes> {
        match &self.targets {
            Targets::Labels { classes, .. } => Some(classes),
            Targets::Values { .. } => None,
        }
    }

    /// Sample `index` as the network sees it.
    ///
    /// # Panics
    ///
    /// If there is no such sample, as indexing a slice does; [`get`](Self::get) does not.
    #[must_use]
    pub fn image(&self, index: usize) -> Sample {
        let mut values = Vec::new();
        self.push_values(index, &mut values);
        let target = match &self.targets {
            Targets::Labels { labels, .. } => Target::Label(labels[index]),
            Targets::Values { shape, values } => {
                let len = elements(shape);
                Target::Values(values[index * len..][..len].to_vec())
            }
        };
        Sample {
            shape: self.shape.clone(),
            values,
            target,
        }
    }

    /// Sample `index` as the network sees it, if there is one.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Sample> {
        (index < self.len()).then(|| self.image(index))
    }

    /// All samples, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Sample> {
        (0..self.len()).map(|index| self.image(index))
    }

    /// The values of some samples as the network sees them, `[indices.len(), shape..]`.
    ///
    /// # Errors
    ///
    /// [`DataError::NoSuchSample`] for an index that is out of range.
    pub fn batch(&self, indices: &[u32]) -> Result<Vec<f32>, DataError> {
        let mut values = Vec::with_capacity(indices.len() * self.sample_len());
        for &index in indices {
            self.check_index(index as usize)?;
            self.push_values(index as usize, &mut values);
        }
        Ok(values)
    }

    pub(super) fn check_index(&self, index: usize) -> Result<(), DataError> {
        let len = self.len();
        if index < len {
            Ok(())
        } else {
            Err(DataError::NoSuchSample { index, len })
        }
    }

    fn push_values(&self, index: usize, out: &mut Vec<f32>) {
        let (len, start) = (self.sample_len(), out.len());
        let range = index * len..(index + 1) * len;
        match &self.samples {
            Samples::U8 { bytes, scale } => {
                out.extend(bytes[range].iter().map(|byte| f32::from(*byte) * scale));
            }
            Samples::F32(values) => out.extend_from_slice(&values[range]),
        }
        if let Some(normalisation) = &self.normalisation {
            normalisation.apply(&mut out[start..]);
        }
    }

    /// The scaled values of one channel, over all samples.
    pub(super) fn channel_values(&self, channel: usize) -> impl Iterator<Item = f64> {
        let (len, total) = (self.sample_len(), self.len() * self.sample_len());
        let per_channel = len / self.channels().max(1);
        let starts = (channel * per_channel..total).step_by(len.max(1));
        starts
            .flat_map(move |start| start..start + per_channel)
            .map(|i| match &self.samples {
                Samples::U8 { bytes, scale } => f64::from(f32::from(bytes[i]) * scale),
                Samples::F32(values) => f64::from(values[i]),
            })
    }
}
