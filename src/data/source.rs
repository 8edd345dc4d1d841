//! Data sets of one's own making, read sample by sample.

use super::{Classes, DataError, Samples, Target};

/// A collection that makes its samples one at a time: files to decode, a generator, a data base.
///
/// [`Loading`](super::Loading) turns it, or a part of it, into a [`Dataset`](super::Dataset); that
/// has the splits, subsets, class weights and normalisation. One that memory cannot hold is
/// [streamed](super::Loading::stream).
///
/// ```
/// use wgrad::data::{Classes, DataError, Loading, Source, Target};
///
/// /// Images with one bright row, whose number is the label.
/// struct Rows;
///
/// impl Source for Rows {
///     type Element = u8; // or f32
///
///     fn len(&self) -> usize {
///         100
///     }
///     fn shape(&self) -> Vec<usize> {
///         vec![1, 4, 4]
///     }
///     fn classes(&self) -> Option<Classes> {
///         Some(Classes::from(4))
///     }
///     fn read(&self, index: usize, out: &mut [u8]) -> Result<Target, DataError> {
///         let row = index % 4;
///         out[4 * row..][..4].fill(255);
///         Ok(Target::Label(row as u32))
///     }
/// }
///
/// let data = Loading::new().load(&Rows)?.data;
/// assert_eq!((data.len(), data.image(6)?.label()), (100, Some(2)));
/// assert_eq!(data.image(6)?.values()[8..12], [1.0; 4]);
/// # Ok::<(), DataError>(())
/// ```
pub trait Source: Sync {
    /// `u8` for values 0 to 255, which networks see as 0 to 1 and which take a quarter of the
    /// memory, or `f32`.
    type Element: Element;

    /// Number of samples.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shape of every sample, `[C, H, W]` for images.
    fn shape(&self) -> Vec<usize>;

    /// The classes; none in a regression.
    fn classes(&self) -> Option<Classes>;

    /// Writes sample `index` to `out`, which holds the elements of one sample, all zero, and
    /// gives its label, or in a regression its values, of the same number for every sample.
    ///
    /// Called from several threads, in any order.
    ///
    /// # Errors
    ///
    /// Any [`DataError`]; [`DataError::in_sample`] makes one from other errors or words.
    fn read(&self, index: usize, out: &mut [Self::Element]) -> Result<Target, DataError>;
}

/// What samples are made of: `u8` or `f32`.
pub trait Element: Copy + Default + Send + Sync + sealed::Sealed {
    /// Samples of these elements; bytes get the scale 1/255.
    fn into_samples(values: Vec<Self>) -> Samples;
}

impl Element for u8 {
    fn into_samples(bytes: Vec<Self>) -> Samples {
        let scale = BYTE_SCALE;
        Samples::U8 { bytes, scale }
    }
}

impl Element for f32 {
    fn into_samples(values: Vec<Self>) -> Samples {
        Samples::F32(values)
    }
}

/// White is 1.
const BYTE_SCALE: f32 = 1.0 / 255.0;

pub(super) mod sealed {
    pub trait Sealed: bytemuck::Pod {
        /// What bytes are multiplied by.
        const SCALE: Option<f32>;
        fn number(self) -> f32;
    }

    impl Sealed for u8 {
        const SCALE: Option<f32> = Some(super::BYTE_SCALE);
        fn number(self) -> f32 {
            f32::from(self)
        }
    }

    impl Sealed for f32 {
        const SCALE: Option<f32> = None;
        fn number(self) -> f32 {
            self
        }
    }
}
