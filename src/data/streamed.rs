//! Samples that stay where they come from, and are read whenever they are used.

use std::fmt;
use std::sync::Arc;

use flate2::Crc;

use super::dataset::elements;
use super::loading::in_parallel;
use super::moments::Moments;
use super::source::Source;
use super::source::sealed::Sealed as _;
use super::{DataError, Target};

/// Samples of a [`Source`], each read anew whenever it is used: what
/// [`Loading::stream`](super::Loading::stream) makes.
///
/// A sample that is read with other elements than at first is an error: what a training saw is to
/// be what a checkpoint of it goes on with.
#[derive(Clone)]
pub struct Streamed {
    source: Arc<dyn Bytes>,
    seen: Arc<[Seen]>,
    /// Which of `seen` are the samples.
    chosen: Vec<u32>,
    workers: Option<usize>,
    /// What a byte is multiplied by; none for samples of numbers.
    pub(super) scale: Option<f32>,
}

/// What is kept of a sample.
#[derive(Debug)]
pub(super) struct Seen {
    /// Its index in the source.
    index: usize,
    digest: Crc,
    /// Of each channel's elements, unscaled.
    moments: Vec<Moments>,
    /// The first element that is not between 0 and 1.
    outside: Option<f32>,
}

/// A source whose elements are bytes to others: four to a number.
trait Bytes: Send + Sync {
    /// Reads sample `index` to `out`, which is zero and aligned for numbers.
    fn read_bytes(&self, index: usize, out: &mut [u8]) -> Result<Target, DataError>;
    /// Bytes of a sample.
    fn sample_bytes(&self) -> usize;
}

impl<S: Source + Send> Bytes for S {
    fn read_bytes(&self, index: usize, out: &mut [u8]) -> Result<Target, DataError> {
        self.read(index, bytemuck::cast_slice_mut(out))
    }

    fn sample_bytes(&self) -> usize {
        elements(&self.shape()) * size_of::<S::Element>()
    }
}

impl Seen {
    /// Reads sample `index` of a source with so many channels, and keeps nothing but this.
    pub(super) fn read<S: Source>(
        source: &S,
        index: usize,
        shape: &[usize],
    ) -> Result<(Self, Target), DataError> {
        let mut sample = vec![S::Element::default(); elements(shape)];
        let target = source.read(index, &mut sample)?;
        let mut digest = Crc::new();
        digest.update(bytemuck::cast_slice(&sample));
        let number = S::Element::number;
        if let Some(element) = sample.iter().position(|x| !number(*x).is_finite()) {
            return Err(DataError::NonFinite {
                what: "value",
                sample: index,
                element,
                value: number(sample[element]),
            });
        }
        let channels = shape.first().copied().unwrap_or(1).max(1);
        let planes = sample.chunks((sample.len() / channels).max(1));
        let scale = S::Element::SCALE.unwrap_or(1.0);
        let values =
            |plane: &'_ [S::Element]| Moments::of(plane.iter().map(|x| number(*x) * scale));
        let mut numbers = sample.iter().map(|x| number(*x));
        let seen = Self {
            index,
            digest,
            moments: planes.map(values).collect(),
            outside: numbers.find(|x| !(0.0..=1.0).contains(x)),
        };
        Ok((seen, target))
    }
}

impl Streamed {
    pub(super) fn new<S: Source + Send + 'static>(
        source: S,
        seen: Vec<Seen>,
        workers: Option<usize>,
    ) -> Self {
        Self {
            source: Arc::new(source),
            chosen: (0..seen.len() as u32).collect(),
            seen: seen.into(),
            workers,
            scale: S::Element::SCALE,
        }
    }

    fn seen(&self) -> impl Iterator<Item = &Seen> {
        self.chosen
            .iter()
            .map(|&chosen| &self.seen[chosen as usize])
    }

    pub(super) fn len(&self) -> usize {
        self.chosen.len()
    }

    /// Some of the samples.
    pub(super) fn pick(&self, indices: &[usize]) -> Self {
        Self {
            chosen: indices.iter().map(|&index| self.chosen[index]).collect(),
            ..self.clone()
        }
    }

    /// Reads some samples, one behind the other, to memory that is zero.
    pub(super) fn read(&self, indices: &[u32], out: &mut [u32]) -> Result<(), DataError> {
        let order: Vec<usize> = indices.iter().map(|&index| index as usize).collect();
        let places =
            bytemuck::cast_slice_mut(out).chunks_exact_mut(self.source.sample_bytes().max(1));
        let results = in_parallel(self.workers, false, &order, places, |sample, place| {
            let seen = &self.seen[self.chosen[sample] as usize];
            self.source.read_bytes(seen.index, place)?;
            let mut digest = Crc::new();
            digest.update(place);
            match digest.sum() == seen.digest.sum() {
                true => Ok(()),
                false => Err(DataError::in_sample(
                    seen.index,
                    "has changed since it was first read",
                )),
            }
        });
        results.into_iter().flatten().collect()
    }

    /// The checksum of all elements, one sample behind the other.
    pub(super) fn digest(&self) -> Crc {
        let mut digest = Crc::new();
        self.seen().for_each(|seen| digest.combine(&seen.digest));
        digest
    }

    /// Mean and deviation of each channel's elements, scaled.
    pub(super) fn moments(&self) -> impl Iterator<Item = &[Moments]> {
        self.seen().map(|seen| seen.moments.as_slice())
    }

    /// The first sample with an element, unscaled, that is not between 0 and 1, and that element.
    pub(super) fn outside(&self) -> Option<(usize, f32)> {
        let mut all = self.seen().enumerate();
        all.find_map(|(sample, seen)| Some((sample, seen.outside?)))
    }
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streamed")
            .field("len", &self.len())
            .field("scale", &self.scale)
            .finish_non_exhaustive()
    }
}

/// Whether the samples had the same elements when they were first read.
impl PartialEq for Streamed {
    fn eq(&self, other: &Self) -> bool {
        let sums = |all: &Self| all.seen().map(|seen| seen.digest.sum()).collect::<Vec<_>>();
        self.scale == other.scale && sums(self) == sums(other)
    }
}
