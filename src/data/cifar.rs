//! The binary form of CIFAR-10 and CIFAR-100.

use std::path::Path;

use super::file::{self, Contents};
use super::{Classes, DataError, Dataset};

/// Bytes of one image: 32×32 red values, then green, then blue, each in row order.
const PIXELS: usize = 3 * 32 * 32;

/// Which of the CIFAR data sets, and which of its labels.
///
/// A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009; the format is
/// described at <https://www.cs.toronto.edu/~kriz/cifar.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cifar {
    /// CIFAR-10: ten classes.
    Ten,
    /// CIFAR-100 by its 100 fine classes (`apple`, ...).
    HundredFine,
    /// CIFAR-100 by its 20 superclasses (`aquatic_mammals`, ...).
    HundredCoarse,
}

impl Cifar {
    /// The names of the classes, in the order of the labels.
    #[must_use]
    pub fn classes(self) -> Classes {
        match self {
            Self::Ten => Classes::cifar10(),
            Self::HundredFine => Classes::cifar100_fine(),
            Self::HundredCoarse => Classes::cifar100_coarse(),
        }
    }

    /// The files of the training set and of the test set.
    fn files(self) -> (&'static [&'static str], &'static str) {
        const TEN: [&str; 5] = [
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
        ];
        match self {
            Self::Ten => (&TEN, "test_batch.bin"),
            Self::HundredFine | Self::HundredCoarse => (&["train.bin"], "test.bin"),
        }
    }

    /// Bytes before the pixels, and which of them is the label.
    fn labels(self) -> (usize, usize) {
        match self {
            Self::Ten => (1, 0),
            Self::HundredCoarse => (2, 0),
            Self::HundredFine => (2, 1),
        }
    }
}

/// Reads colour images from the bytes of a CIFAR file in binary form, as they are or gzipped.
///
/// Samples are `[3, 32, 32]` with values 0 to 1.
///
/// # Errors
///
/// [`DataError::File`], with `records` as its path, for a file that is damaged or ends within a
/// record, and for a label beyond the classes.
///
/// ```
/// # use wgrad::data::{Cifar, cifar};
/// let mut record = vec![3]; // a cat
/// record.resize(1 + 3 * 32 * 32, 255);
/// let data = cifar(Cifar::Ten, &record)?;
/// assert_eq!(data.shape(), [3, 32, 32]);
/// assert_eq!(data.class_name(data.image(0)?.label().unwrap()), Some("cat"));
/// # Ok::<(), wgrad::data::DataError>(())
/// ```
pub fn cifar(kind: Cifar, records: &[u8]) -> Result<Dataset, DataError> {
    let mut set = Records::new(kind);
    set.push(Path::new("records"), records)?;
    set.finish(Path::new("records"))
}

/// Reads the training and the test set from a folder that holds the files of the binary version:
/// `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, or `train.bin` and `test.bin`.
///
/// # Errors
///
/// As [`cifar`], naming the file, and [`FileFault::Read`](super::FileFault::Read) for a file that
/// is missing.
pub fn cifar_folder(
    kind: Cifar,
    folder: impl AsRef<Path>,
) -> Result<(Dataset, Dataset), DataError> {
    let folder = folder.as_ref();
    let read = |names: &[&str]| {
        let mut set = Records::new(kind);
        for name in names {
            let path = folder.join(name);
            set.push(&path, &file::read(&path)?)?;
        }
        set.finish(folder)
    };
    let (train, test) = kind.files();
    Ok((read(train)?, read(&[test])?))
}

/// The records of some files.
struct Records {
    kind: Cifar,
    classes: Classes,
    pixels: Vec<u8>,
    labels: Vec<u32>,
}

impl Records {
    fn new(kind: Cifar) -> Self {
        Self {
            kind,
            classes: kind.classes(),
            pixels: Vec::new(),
            labels: Vec::new(),
        }
    }

    fn push(&mut self, path: &Path, bytes: &[u8]) -> Result<(), DataError> {
        let (header, label_at) = self.kind.labels();
        let mut contents = Contents::new(path, bytes);
        for sample in 0.. {
            // A file has no header, so it may end before any record, but in none.
            let Some(first) = contents.next_byte()? else {
                break;
            };
            let rest = contents.take((header - 1 + PIXELS) as u64)?;
            let (labels, pixels) = rest.split_at(header - 1);
            let label = match label_at {
                0 => first,
                _ => labels[label_at - 1],
            };
            let (label, classes) = (u32::from(label), self.classes.len());
            if label as usize >= classes {
                let refused = DataError::LabelOutOfRange {
                    sample,
                    label,
                    classes,
                };
                return Err(contents.error(refused.into()));
            }
            self.labels.push(label);
            self.pixels.extend_from_slice(pixels);
        }
        Ok(())
    }

    fn finish(self, path: &Path) -> Result<Dataset, DataError> {
        Dataset::images_u8([3, 32, 32], self.pixels, self.labels, self.classes)
            .map_err(|refused| DataError::file(path, refused.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{Folder, gzip, text};

    /// A record whose pixels count up from `start`.
    fn record(labels: &[u8], start: u8) -> Vec<u8> {
        let pixels = (0..PIXELS).map(|i| start.wrapping_add((i % 256) as u8));
        labels.iter().copied().chain(pixels).collect()
    }

    #[test]
    fn labels_and_pixels_are_those_of_the_records() {
        let ten = [record(&[3], 0), record(&[9], 7)].concat();
        let data = cifar(Cifar::Ten, &ten).unwrap();
        assert_eq!(data.labels(), Some(&[3, 9][..]));
        assert_eq!(data.image(1).unwrap().values()[0], 7.0 * (1.0 / 255.0));
        assert_eq!(data.image(1).unwrap().values().len(), PIXELS);
        assert_eq!(cifar(Cifar::Ten, &gzip(&ten)).unwrap(), data);

        let hundred = record(&[19, 99], 0);
        let fine = cifar(Cifar::HundredFine, &hundred).unwrap();
        let coarse = cifar(Cifar::HundredCoarse, &hundred).unwrap();
        assert_eq!(
            (fine.labels(), coarse.labels()),
            (Some(&[99][..]), Some(&[19][..]))
        );
        assert_eq!(fine.samples(), coarse.samples());
        assert_eq!(fine.class_name(99), Some("worm"));
        assert_eq!(coarse.class_name(19), Some("vehicles_2"));
    }

    #[test]
    fn other_files_are_refused() {
        let two = [record(&[3], 0), record(&[10], 0)].concat();
        let cases = [
            (
                &two[..],
                "records: sample 1 has label 10, but there are 10 classes, 0 to 9",
            ),
            (
                &two[..3073 + 5],
                "records: ends after 3078 bytes, where 6146 were announced",
            ),
            (
                &two[..1],
                "records: ends after 1 bytes, where 3073 were announced",
            ),
            (
                &[],
                "records: a data set needs samples: found 0 of shape [3, 32, 32]",
            ),
        ];
        for (bytes, expected) in cases {
            assert_eq!(text(cifar(Cifar::Ten, bytes)), expected);
        }
        let cut = &gzip(&two)[..20];
        assert!(text(cifar(Cifar::Ten, cut)).starts_with("records: broken gzip stream"));
    }

    #[test]
    fn a_folder_is_read_in_the_order_of_its_batches() {
        let folder = Folder::new();
        for (i, name) in Cifar::Ten.files().0.iter().enumerate() {
            folder.write(name, &record(&[i as u8], 0));
        }
        let missing = text(cifar_folder(Cifar::Ten, folder.path()));
        let test = folder.path().join("test_batch.bin");
        let start = format!("{}: cannot be read: ", test.display());
        assert!(missing.starts_with(&start), "{missing}");

        folder.write("test_batch.bin", &record(&[8], 0));
        let (train, test) = cifar_folder(Cifar::Ten, folder.path()).unwrap();
        assert_eq!(train.labels(), Some(&[0, 1, 2, 3, 4][..]));
        assert_eq!(test.labels(), Some(&[8][..]));

        folder.write("train.bin", &record(&[1, 2], 0));
        folder.write("test.bin", &record(&[3, 4], 0));
        let (train, test) = cifar_folder(Cifar::HundredFine, folder.path()).unwrap();
        assert_eq!(
            (train.labels(), test.labels()),
            (Some(&[2][..]), Some(&[4][..]))
        );
    }
}
