//! The idx format of MNIST and its many successors.

use std::path::{Path, PathBuf};

use super::{Classes, DataError, Dataset};

/// Reads grey images and their labels from the (decompressed) bytes of two idx files.
///
/// The format is that of LeCun's MNIST pages: two zero bytes, the element type (8 for bytes), the
/// number of dimensions, each dimension as a big-endian `u32`, the elements in row order. Images
/// of H×W become samples `[1, H, W]` with values 0 to 1.
///
/// # Errors
///
/// [`DataError::BadIdx`] for another format or a file that is cut short, and the errors of
/// [`Dataset::images_u8`].
///
/// ```
/// # use wgrad::data::idx;
/// let images = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255];
/// let labels = [0, 0, 8, 1, 0, 0, 0, 1, 7];
/// let data = idx(&images, &labels, 10)?;
/// assert_eq!(data.shape(), [1, 1, 2]);
/// assert_eq!(data.image(0).label(), Some(7));
/// # Ok::<(), wgrad::data::DataError>(())
/// ```
pub fn idx(
    images: &[u8],
    labels: &[u8],
    classes: impl Into<Classes>,
) -> Result<Dataset, DataError> {
    let ([_, height, width], pixels) = array::<3>("images", images)?;
    let (_, labels) = array::<1>("labels", labels)?;
    let labels = labels.iter().map(|label| u32::from(*label)).collect();
    Dataset::images_u8([1, height, width], pixels.to_vec(), labels, classes)
}

/// Reads the training and the test set from a folder of four idx files, named as MNIST names
/// them: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`, decompressed.
///
/// # Errors
///
/// [`DataError::Read`] for a file that cannot be read, and the errors of [`idx`].
pub fn idx_folder(
    folder: impl AsRef<Path>,
    classes: impl Into<Classes>,
) -> Result<(Dataset, Dataset), DataError> {
    let (folder, classes) = (folder.as_ref(), classes.into());
    let set = |name: &str| {
        let images = read(folder.join(format!("{name}-images-idx3-ubyte")))?;
        let labels = read(folder.join(format!("{name}-labels-idx1-ubyte")))?;
        idx(&images, &labels, classes.clone())
    };
    Ok((set("train")?, set("t10k")?))
}

fn read(path: PathBuf) -> Result<Vec<u8>, DataError> {
    std::fs::read(&path).map_err(|source| DataError::Read { path, source })
}

/// The dimensions and elements of an idx array of bytes.
fn array<'a, const RANK: usize>(
    expected: &'static str,
    file: &'a [u8],
) -> Result<([usize; RANK], &'a [u8]), DataError> {
    let bad = |reason: String| DataError::BadIdx { expected, reason };
    let Some((magic, rest)) = file.split_first_chunk::<4>() else {
        return Err(bad(format!("it has {} bytes", file.len())));
    };
    if magic[..2] == [0x1f, 0x8b] {
        return Err(bad("it is compressed; run gunzip on it first".to_owned()));
    }
    if *magic != [0, 0, 8, RANK as u8] {
        return Err(bad(format!(
            "it begins with {magic:?}, not with [0, 0, 8, {RANK}]"
        )));
    }
    let Some((header, elements)) = rest.split_at_checked(4 * RANK) else {
        return Err(bad("it ends within its header".to_owned()));
    };
    let mut sizes = [0; RANK];
    for (size, word) in sizes.iter_mut().zip(header.as_chunks::<4>().0) {
        *size = u32::from_be_bytes(*word) as usize;
    }
    let count = sizes
        .iter()
        .try_fold(1_usize, |count, size| count.checked_mul(*size));
    if count != Some(elements.len()) {
        return Err(bad(format!(
            "its size is {sizes:?}, but {} elements follow",
            elements.len()
        )));
    }
    Ok((sizes, elements))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGES: [u8; 20] = [
        0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 51, 102, 255,
    ];
    const LABELS: [u8; 10] = [0, 0, 8, 1, 0, 0, 0, 2, 4, 3];

    fn refusal(images: &[u8], labels: &[u8]) -> String {
        idx(images, labels, 5).map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
    }

    #[test]
    fn images_and_labels_are_read_in_order() {
        let read = idx(&IMAGES, &LABELS, 5);
        let expected = Dataset::images_u8([1, 1, 2], vec![0, 51, 102, 255], vec![4, 3], 5);
        assert!(matches!((read, expected), (Ok(read), Ok(expected)) if read == expected));
    }

    #[test]
    fn other_files_are_refused() {
        let images = "not an idx file of images: ";
        let cases = [
            (&IMAGES[..3], &LABELS[..], format!("{images}it has 3 bytes")),
            (
                &[0x1f, 0x8b, 8, 0],
                &LABELS,
                format!("{images}it is compressed; run gunzip on it first"),
            ),
            (
                &LABELS,
                &LABELS,
                format!("{images}it begins with [0, 0, 8, 1], not with [0, 0, 8, 3]"),
            ),
            (
                &IMAGES[..9],
                &LABELS,
                format!("{images}it ends within its header"),
            ),
            (
                &IMAGES[..19],
                &LABELS,
                format!("{images}its size is [2, 1, 2], but 3 elements follow"),
            ),
            (
                &IMAGES,
                &LABELS[..9],
                "not an idx file of labels: its size is [2], but 1 elements follow".to_owned(),
            ),
            (
                &IMAGES,
                &[0, 0, 8, 1, 0, 0, 0, 1, 4],
                "1 samples of shape [1, 1, 2] take 2 elements, found 4".to_owned(),
            ),
        ];
        for (images, labels, expected) in cases {
            assert_eq!(refusal(images, labels), expected);
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = idx_folder("no/such/folder", 10).map_err(|error| error.to_string());
        let start = format!(
            "cannot read {}",
            Path::new("no/such/folder").join("train-images").display()
        );
        assert!(error.is_err_and(|text| text.starts_with(&start)));
    }
}
