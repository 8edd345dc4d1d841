//! The idx format of MNIST and its many successors.

use std::path::{Path, PathBuf};

use super::file::{self, Contents};
use super::{Classes, DataError, Dataset, FileFault};

/// Reads grey images and their labels from the bytes of two idx files, as they are or gzipped.
///
/// The format is that of LeCun's MNIST pages: two zero bytes, the element type (8 for bytes), the
/// number of dimensions, each dimension as a big-endian `u32`, the elements in row order. Images
/// of H×W become samples `[1, H, W]` with values 0 to 1.
///
/// # Errors
///
/// [`DataError::File`], with `images` or `labels` as its path, for another format, a damaged or
/// incomplete file, labels of another number than the images, or labels beyond the classes.
///
/// ```
/// # use wgrad::data::idx;
/// let images = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255];
/// let labels = [0, 0, 8, 1, 0, 0, 0, 1, 7];
/// let data = idx(&images, &labels, 10)?;
/// assert_eq!(data.shape(), [1, 1, 2]);
/// assert_eq!(data.image(0)?.label(), Some(7));
///
/// let error = idx(&images[..17], &labels, 10).unwrap_err();
/// assert_eq!(error.to_string(), "images: ends after 17 bytes, where 18 were announced");
/// # Ok::<(), wgrad::data::DataError>(())
/// ```
pub fn idx(
    images: &[u8],
    labels: &[u8],
    classes: impl Into<Classes>,
) -> Result<Dataset, DataError> {
    pair(
        (Path::new("images"), images),
        (Path::new("labels"), labels),
        classes.into(),
    )
}

/// As [`idx`], from files of any name.
///
/// # Errors
///
/// As [`idx`], naming the file, and [`FileFault::Read`] for a file that is missing.
pub fn idx_files(
    images: impl AsRef<Path>,
    labels: impl AsRef<Path>,
    classes: impl Into<Classes>,
) -> Result<Dataset, DataError> {
    let (images, labels) = (images.as_ref(), labels.as_ref());
    pair(
        (images, &file::read(images)?),
        (labels, &file::read(labels)?),
        classes.into(),
    )
}

/// Reads the training and the test set from a folder of four idx files, named as MNIST names
/// them: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`, each with or without `.gz` at its end.
///
/// # Errors
///
/// As [`idx_files`].
pub fn idx_folder(
    folder: impl AsRef<Path>,
    classes: impl Into<Classes>,
) -> Result<(Dataset, Dataset), DataError> {
    let (folder, classes) = (folder.as_ref(), classes.into());
    let set = |name: &str| {
        idx_files(
            plain_or_gz(folder, &format!("{name}-images-idx3-ubyte")),
            plain_or_gz(folder, &format!("{name}-labels-idx1-ubyte")),
            classes.clone(),
        )
    };
    Ok((set("train")?, set("t10k")?))
}

/// The file of that name, or the one with `.gz` behind it if only that exists.
fn plain_or_gz(folder: &Path, name: &str) -> PathBuf {
    let (plain, compressed) = (folder.join(name), folder.join(format!("{name}.gz")));
    if !plain.exists() && compressed.exists() {
        compressed
    } else {
        plain
    }
}

fn pair(
    (image_file, images): (&Path, &[u8]),
    (label_file, labels): (&Path, &[u8]),
    classes: Classes,
) -> Result<Dataset, DataError> {
    let ([count, height, width], pixels) = array::<3>(image_file, images)?;
    let ([labelled], labels) = array::<1>(label_file, labels)?;
    if labelled != count {
        let fault = FileFault::CountMismatch {
            labels: labelled,
            images: count,
            image_file: image_file.to_owned(),
        };
        return Err(DataError::file(label_file, fault));
    }
    let labels = labels.iter().map(|label| u32::from(*label)).collect();
    Dataset::images_u8([1, height, width], pixels, labels, classes).map_err(|refused| {
        let file = match refused {
            DataError::LabelOutOfRange { .. } => label_file,
            _ => image_file,
        };
        DataError::file(file, refused.into())
    })
}

/// The dimensions and elements of an idx array of bytes.
fn array<const RANK: usize>(
    path: &Path,
    bytes: &[u8],
) -> Result<([usize; RANK], Vec<u8>), DataError> {
    let mut contents = Contents::new(path, bytes);
    let expected = vec![0, 0, 8, RANK as u8];
    let found = contents.take(4)?;
    if found != expected {
        return Err(contents.error(FileFault::Magic {
            format: "idx",
            expected,
            found,
        }));
    }
    let header = contents.take(4 * RANK as u64)?;
    let mut sizes = [0; RANK];
    for (size, word) in sizes.iter_mut().zip(header.as_chunks::<4>().0) {
        *size = u32::from_be_bytes(*word) as usize;
    }
    let count = sizes
        .iter()
        .fold(1_u64, |count, size| count.saturating_mul(*size as u64));
    let elements = contents.take(count)?;
    contents.end()?;
    Ok((sizes, elements))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{Folder, gzip, text};

    const IMAGES: [u8; 20] = [
        0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 51, 102, 255,
    ];
    const LABELS: [u8; 10] = [0, 0, 8, 1, 0, 0, 0, 2, 4, 3];

    fn refusal(images: &[u8], labels: &[u8]) -> String {
        text(idx(images, labels, 5))
    }

    #[test]
    fn images_and_labels_are_read_in_order() {
        let expected = Dataset::images_u8([1, 1, 2], vec![0, 51, 102, 255], vec![4, 3], 5).unwrap();
        assert_eq!(idx(&IMAGES, &LABELS, 5).unwrap(), expected);
        assert_eq!(
            idx(&gzip(&IMAGES), &gzip(&LABELS), 5).unwrap(),
            expected,
            "compressed"
        );
    }

    #[test]
    fn other_files_are_refused() {
        let huge = [
            0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 7,
        ];
        let cases: [(&[u8], &[u8], &str); 9] = [
            (
                &IMAGES[..3],
                &LABELS,
                "images: ends after 3 bytes, where 4 were announced",
            ),
            (
                &LABELS,
                &LABELS,
                "images: not in idx format: begins with [0, 0, 8, 1], not with [0, 0, 8, 3]",
            ),
            (
                &IMAGES[..9],
                &LABELS,
                "images: ends after 9 bytes, where 16 were announced",
            ),
            (
                &IMAGES[..19],
                &LABELS,
                "images: ends after 19 bytes, where 20 were announced",
            ),
            (
                &[IMAGES.as_slice(), &[1]].concat(),
                &LABELS,
                "images: goes on after the 20 bytes that were announced",
            ),
            (
                &IMAGES,
                &LABELS[..9],
                "labels: ends after 9 bytes, where 10 were announced",
            ),
            (
                &IMAGES,
                &[0, 0, 8, 1, 0, 0, 0, 1, 4],
                "labels: holds 1 labels, but images holds 2 images",
            ),
            (
                &IMAGES,
                &[0, 0, 8, 1, 0, 0, 0, 2, 4, 5],
                "labels: sample 1 has label 5, but there are 5 classes, 0 to 4",
            ),
            // (2³² − 1)³ elements: nothing may be reserved for them.
            (
                &huge,
                &LABELS,
                "images: ends after 17 bytes, where 18446744073709551615 were announced",
            ),
        ];
        for (images, labels, expected) in cases {
            assert_eq!(refusal(images, labels), expected);
        }
    }

    #[test]
    fn a_damaged_gzip_stream_is_told_from_a_short_file() {
        let whole = gzip(&IMAGES);
        for cut in [2, 5, whole.len() - 9, whole.len() - 1] {
            let found = refusal(&whole[..cut], &LABELS);
            assert!(found.starts_with("images: broken gzip stream: "), "{found}");
        }
        let mut flipped = whole;
        let checksum = flipped.len() - 8;
        flipped[checksum] ^= 1;
        let found = refusal(&flipped, &LABELS);
        assert!(found.starts_with("images: broken gzip stream: "), "{found}");
        assert_eq!(
            refusal(&gzip(&IMAGES[..19]), &LABELS),
            "images: ends after 19 bytes, where 20 were announced"
        );
    }

    #[test]
    fn a_folder_may_hold_either_form() {
        let folder = Folder::new();
        folder.write("train-images-idx3-ubyte", &IMAGES);
        folder.write("train-labels-idx1-ubyte.gz", &gzip(&LABELS));
        // Compressed in spite of its name, as some browsers and mirrors leave it behind.
        folder.write("t10k-images-idx3-ubyte", &gzip(&IMAGES));
        folder.write("t10k-labels-idx1-ubyte.gz", &LABELS);
        let (train, test) = idx_folder(folder.path(), 5).unwrap();
        assert_eq!(train, idx(&IMAGES, &LABELS, 5).unwrap());
        assert_eq!(train, test);

        folder.write("t10k-labels-idx1-ubyte.gz", &LABELS[..9]);
        let found = text(idx_folder(folder.path(), 5));
        let file = folder.path().join("t10k-labels-idx1-ubyte.gz");
        assert_eq!(
            found,
            format!(
                "{}: ends after 9 bytes, where 10 were announced",
                file.display()
            )
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = idx_folder("no/such/folder", 10).unwrap_err();
        let DataError::File { path, fault } = error else {
            unreachable!("{error}")
        };
        assert_eq!(
            path,
            Path::new("no/such/folder").join("train-images-idx3-ubyte")
        );
        assert!(
            matches!(fault, FileFault::Read(source) if source.kind() == std::io::ErrorKind::NotFound)
        );
    }
}
