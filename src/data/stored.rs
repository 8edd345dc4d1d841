//! Samples and targets as words for the device.

use flate2::Crc;

use super::dataset::elements;
use super::{DataError, Dataset, Samples, Targets};

impl Dataset {
    /// What a stored byte is multiplied by; none where numbers are stored.
    pub(crate) fn scale(&self) -> Option<f32> {
        match &*self.samples {
            Samples::U8 { scale, .. } => Some(*scale),
            Samples::F32(_) => None,
            Samples::Streamed(streamed) => streamed.scale,
        }
    }

    /// Words of four bytes that hold so many samples.
    pub(crate) fn words_of(&self, samples: usize) -> usize {
        let elements = samples.saturating_mul(self.sample_len());
        match self.scale() {
            Some(_) => elements.div_ceil(4),
            None => elements,
        }
    }

    /// Bytes of a sample and its target.
    pub(crate) fn bytes_per_sample(&self) -> u64 {
        let element = if self.scale().is_some() { 1 } else { 4 };
        let target = match &*self.targets {
            Targets::Labels { .. } => 1,
            Targets::Values { shape, .. } => elements(shape),
        };
        element * self.sample_len() as u64 + 4 * target as u64
    }

    /// Bytes of all samples and targets.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes_per_sample().saturating_mul(self.len() as u64)
    }

    /// The samples of these indices as they are stored, one behind the other; bytes lie four to a
    /// word.
    pub(crate) fn words(&self, indices: &[u32]) -> Result<Vec<u32>, DataError> {
        let mut words = vec![0; self.words_of(indices.len())];
        match &*self.samples {
            Samples::U8 { bytes, .. } => {
                gather(
                    bytes,
                    indices,
                    self.sample_len(),
                    bytemuck::cast_slice_mut(&mut words),
                );
            }
            Samples::Streamed(streamed) => streamed.read(indices, &mut words)?,
            Samples::F32(values) => {
                gather(
                    values,
                    indices,
                    self.sample_len(),
                    bytemuck::cast_slice_mut(&mut words),
                );
            }
        }
        Ok(words)
    }

    /// The checksum of all samples as they are stored.
    pub(crate) fn digest(&self) -> Crc {
        let mut digest = Crc::new();
        match &*self.samples {
            Samples::U8 { bytes, .. } => digest.update(bytes),
            Samples::F32(values) => digest.update(bytemuck::cast_slice(values)),
            Samples::Streamed(streamed) => return streamed.digest(),
        }
        digest
    }

    /// Whether all samples lie in memory.
    pub(crate) fn is_in_memory(&self) -> bool {
        !matches!(&*self.samples, Samples::Streamed(_))
    }

    /// The first sample of numbers with one that is not between 0 and 1, and that number.
    pub(crate) fn outside(&self) -> Option<(usize, f32)> {
        match &*self.samples {
            Samples::F32(values) => {
                let place = values.iter().position(|x| !(0.0..=1.0).contains(x))?;
                Some((place / self.sample_len(), values[place]))
            }
            Samples::Streamed(streamed) if streamed.scale.is_none() => streamed.outside(),
            _ => None,
        }
    }

    /// The labels or targets of these indices, one behind the other.
    pub(crate) fn answer_words(&self, indices: &[u32]) -> Vec<u32> {
        match &*self.targets {
            Targets::Labels { labels, .. } => indices.iter().map(|&i| labels[i as usize]).collect(),
            Targets::Values { shape, values } => {
                let mut words = vec![0; indices.len() * elements(shape)];
                gather(
                    values,
                    indices,
                    elements(shape),
                    bytemuck::cast_slice_mut(&mut words),
                );
                words
            }
        }
    }
}

/// Copies rows of `len` elements.
fn gather<T: Copy>(all: &[T], indices: &[u32], len: usize, out: &mut [T]) {
    for (place, &index) in out.chunks_exact_mut(len.max(1)).zip(indices) {
        place.copy_from_slice(&all[index as usize * len..][..len]);
    }
}
