//! Parts of a data set.

use std::sync::Arc;

use super::dataset::elements;
use super::{DataError, Dataset, Samples, Targets};
use crate::random::{Philox, Seed, permute, shuffled};

/// # Taking parts
impl Dataset {
    /// Shuffles and cuts into two: `fraction` of the samples, and the rest.
    ///
    /// The same seed gives the same parts, on every platform. The number is rounded to the
    /// nearest, and neither part is left empty as long as there are two samples, so a fraction
    /// outside 0 to 1 leaves all but one sample on one side.
    ///
    /// ```
    /// # use wgrad::{data, random::Seed};
    /// let (train, test) = data::digits().split(0.75, Seed(1));
    /// assert_eq!((train.len(), test.len()), (1348, 449));
    /// ```
    #[must_use]
    pub fn split(&self, fraction: f64, seed: Seed) -> (Self, Self) {
        self.split_by(&vec![0; self.len()], fraction, seed)
    }

    /// As [`split`](Self::split), with the same fraction taken of every class.
    ///
    /// Each class is rounded by itself, and no class of two samples or more is missing from
    /// either part. A regression has no classes and is split as a whole.
    #[must_use]
    pub fn stratified_split(&self, fraction: f64, seed: Seed) -> (Self, Self) {
        match self.labels() {
            Some(labels) => self.split_by(labels, fraction, seed),
            None => self.split(fraction, seed),
        }
    }

    /// The samples of the given indices, in their order; an index may be given twice.
    ///
    /// # Errors
    ///
    /// [`DataError::NoSuchSample`] for an index out of range, [`DataError::Empty`] for no index.
    pub fn subset(&self, indices: &[usize]) -> Result<Self, DataError> {
        if indices.is_empty() {
            return Err(DataError::Empty {
                samples: 0,
                shape: self.shape.clone(),
            });
        }
        indices
            .iter()
            .try_for_each(|index| self.check_index(*index))?;
        Ok(self.pick(indices))
    }

    /// The order in which an epoch visits the samples.
    #[must_use]
    pub fn order(&self, seed: Seed, epoch: u32) -> Vec<u32> {
        shuffled(u32::try_from(self.len()).unwrap_or(u32::MAX), seed, epoch)
    }

    /// Goes through the samples in random order and gives each group's first ones, up to its
    /// quota, to the first part.
    fn split_by(&self, groups: &[u32], fraction: f64, seed: Seed) -> (Self, Self) {
        let mut order: Vec<usize> = (0..self.len()).collect();
        permute(&mut order, &mut Philox::new(seed, "wgrad.split"));

        let count = groups.iter().max().map_or(0, |last| *last as usize + 1);
        let mut quotas = vec![0_usize; count];
        groups.iter().for_each(|group| quotas[*group as usize] += 1);
        quotas
            .iter_mut()
            .for_each(|size| *size = part(*size, fraction));

        let (first, second): (Vec<_>, Vec<_>) = order.into_iter().partition(|index| {
            let quota = &mut quotas[groups[*index] as usize];
            let taken = *quota > 0;
            *quota = quota.saturating_sub(1);
            taken
        });
        (self.pick(&first), self.pick(&second))
    }

    /// The samples of indices that are known to exist.
    fn pick(&self, indices: &[usize]) -> Self {
        let len = self.sample_len();
        let samples = match &*self.samples {
            Samples::U8 { bytes, scale } => Samples::U8 {
                bytes: gather(bytes, len, indices),
                scale: *scale,
            },
            Samples::F32(values) => Samples::F32(gather(values, len, indices)),
            Samples::Streamed(streamed) => Samples::Streamed(streamed.pick(indices)),
        };
        let targets = match &*self.targets {
            Targets::Labels { labels, classes } => Targets::Labels {
                labels: gather(labels, 1, indices),
                classes: classes.clone(),
            },
            Targets::Values { shape, values } => Targets::Values {
                shape: shape.clone(),
                values: gather(values, elements(shape), indices),
            },
        };
        let normalisation = self.normalisation.clone();
        Self {
            shape: self.shape.clone(),
            samples: Arc::new(samples),
            targets: Arc::new(targets),
            normalisation,
        }
    }
}

/// `fraction` of `size`, rounded, and leaving at least one on both sides where there are two.
fn part(size: usize, fraction: f64) -> usize {
    let wanted = (size as f64 * fraction).round() as usize;
    wanted.clamp(size.min(1), size.saturating_sub(1).max(size.min(1)))
}

fn gather<T: Copy>(values: &[T], len: usize, indices: &[usize]) -> Vec<T> {
    indices
        .iter()
        .flat_map(|index| &values[index * len..][..len])
        .copied()
        .collect()
}
