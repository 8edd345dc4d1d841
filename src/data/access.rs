//! What a data set holds, stored or as the network sees it.

use super::dataset::elements;
use super::{Classes, DataError, Dataset, Sample, Samples, Target, Targets};

/// # Looking at it
impl Dataset {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match &*self.targets {
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
        match &*self.targets {
            Targets::Labels { labels, .. } => Some(labels),
            Targets::Values { .. } => None,
        }
    }

    /// The classes; none in a regression.
    #[must_use]
    pub fn classes(&self) -> Option<&Classes> {
        match &*self.targets {
            Targets::Labels { classes, .. } => Some(classes),
            Targets::Values { .. } => None,
        }
    }

    /// The name of the class of a label; none for a label that no class has, or in a regression.
    #[must_use]
    pub fn class_name(&self, label: u32) -> Option<&str> {
        let name = self.classes()?.names().get(label as usize)?;
        Some(name)
    }

    /// How many samples each class has, by label; none in a regression.
    #[must_use]
    pub fn class_counts(&self) -> Option<Vec<usize>> {
        let mut counts = vec![0; self.classes()?.len()];
        for label in self.labels()? {
            counts[*label as usize] += 1;
        }
        Some(counts)
    }

    /// Weights that make rare classes count as much as frequent ones; none in a regression.
    ///
    /// `N / (K · n)` for a class of `n` of the `N` samples, where `K` classes have samples, so
    /// that the mean weight of a sample is 1 (scikit-learn's `class_weight="balanced"`). A class
    /// without samples has weight 0.
    ///
    /// ```
    /// # use wgrad::data::Dataset;
    /// let data = Dataset::from_f32([1], vec![0.0; 4], vec![0, 2, 2, 2], 3)?;
    /// assert_eq!(data.class_weights(), Some(vec![2.0, 0.0, 2.0 / 3.0]));
    /// # Ok::<(), wgrad::data::DataError>(())
    /// ```
    #[must_use]
    pub fn class_weights(&self) -> Option<Vec<f32>> {
        let counts = self.class_counts()?;
        let seen = counts.iter().filter(|count| **count > 0).count() as f64;
        let weight = |count: usize| match count {
            0 => 0.0,
            _ => (self.len() as f64 / (seen * count as f64)) as f32,
        };
        Some(counts.into_iter().map(weight).collect())
    }

    /// Sample `index` as the network sees it.
    ///
    /// # Errors
    ///
    /// If there is no such sample, or a [streamed](super::Streamed) one cannot be read.
    pub fn image(&self, index: usize) -> Result<Sample, DataError> {
        self.check_index(index)?;
        let target = match &*self.targets {
            Targets::Labels { labels, .. } => Target::Label(labels[index]),
            Targets::Values { shape, values } => {
                let len = elements(shape);
                Target::Values(values[index * len..][..len].to_vec())
            }
        };
        Ok(Sample {
            shape: self.shape.clone(),
            values: self.batch(&[index as u32])?,
            target,
        })
    }

    /// All samples, in order, each as [`image`](Self::image) gives it.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Result<Sample, DataError>> {
        (0..self.len()).map(|index| self.image(index))
    }

    /// The values of some samples as the network sees them, `[indices.len(), shape..]`.
    ///
    /// # Errors
    ///
    /// [`DataError::NoSuchSample`] for an index that is out of range, and those of reading streamed
    /// samples.
    pub fn batch(&self, indices: &[u32]) -> Result<Vec<f32>, DataError> {
        for &index in indices {
            self.check_index(index as usize)?;
        }
        let words = self.words(indices)?;
        let count = indices.len() * self.sample_len();
        let mut values: Vec<f32> = match self.scale() {
            Some(scale) => {
                let bytes = bytemuck::cast_slice::<u32, u8>(&words).iter().take(count);
                bytes.map(|byte| f32::from(*byte) * scale).collect()
            }
            None => words.into_iter().map(f32::from_bits).collect(),
        };
        if let Some(normalisation) = &self.normalisation {
            let samples = values.chunks_mut(self.sample_len().max(1));
            samples.for_each(|sample| normalisation.apply(sample));
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
}
