//! The readers of files as `fuzz/` calls them: any bytes in, and out what came of them as one word,
//! `Good` or the name of the error. Compiled for that, and for a test of the files that it found
//! (`fuzz/seeds`, whose names begin with that word).

use std::fmt::Debug;

use crate::checkpoint::CheckpointError;
use crate::data::{self, Cifar, DataError, Dataset, FileFault};
use crate::error::{Error, Result};
use crate::train::fuzzing::{training, weights};

/// Images and labels of idx files. The first two bytes tell how many of the others are the images'.
pub fn idx(bytes: &[u8]) -> String {
    let (length, files) = bytes.split_first_chunk::<2>().unwrap_or((&[0; 2], &[]));
    let length = usize::from(u16::from_le_bytes(*length)).min(files.len());
    let (images, labels) = files.split_at(length);
    of_data(data::idx(images, labels, 10))
}

/// Records of CIFAR-10 or CIFAR-100; which, the first byte tells.
pub fn cifar(bytes: &[u8]) -> String {
    let (kind, records) = bytes.split_first().unwrap_or((&0, &[]));
    let kind = match kind % 3 {
        0 => Cifar::Ten,
        1 => Cifar::HundredFine,
        _ => Cifar::HundredCoarse,
    };
    of_data(data::cifar(kind, records))
}

/// A table, whose first line may be a header, for a classification or a regression: the first byte
/// tells.
#[cfg(feature = "csv")]
pub fn csv(bytes: &[u8]) -> String {
    use crate::data::Csv;

    let (kind, table) = bytes.split_first().unwrap_or((&0, &[]));
    let csv = match kind & 1 {
        0 => Csv::labelled(0),
        _ => Csv::predicting([1]),
    };
    of_data(csv.header(kind & 2 == 0).parse(table))
}

/// Weights as safetensors.
pub fn safetensors(bytes: &[u8]) -> String {
    of_file(weights(bytes))
}

/// A training's checkpoint.
pub fn checkpoint(bytes: &[u8]) -> String {
    of_file(training(bytes))
}

fn of_data(read: Result<Dataset, DataError>) -> String {
    match read {
        Ok(data) => {
            assert!(is_sound(&data));
            "Good".to_owned()
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            match &error {
                DataError::File { fault, .. } => match fault {
                    FileFault::Refused(refused) => variant(refused),
                    fault => variant(fault),
                },
                error => variant(error),
            }
        }
    }
}

fn of_file(read: Result<()>) -> String {
    match read {
        Ok(()) => "Good".to_owned(),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            match &error {
                Error::Checkpoint(error) => variant::<CheckpointError>(error),
                error => variant(error),
            }
        }
    }
}

/// The name of an enum's variant.
fn variant<T: Debug>(error: &T) -> String {
    let text = format!("{error:?}");
    let name = text.split(|c: char| !c.is_alphanumeric()).next();
    name.unwrap_or_default().to_owned()
}

/// A data set that was read from bytes can be used.
pub(crate) fn is_sound(data: &Dataset) -> bool {
    let classes = data.classes().map(data::Classes::len);
    let labels_fit = match (data.labels(), classes) {
        (Some(labels), Some(count)) => labels.iter().all(|label| (*label as usize) < count),
        _ => true,
    };
    let finite = |sample: &data::Sample| sample.values().iter().all(|value| value.is_finite());
    labels_fit
        && !data.is_empty()
        && data
            .iter()
            .all(|sample| sample.is_ok_and(|sample| finite(&sample)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    /// A reader that says what became of the bytes.
    type Reader = fn(&[u8]) -> String;

    /// Every file in `fuzz/seeds` is answered as its name says: with data or that error, and never
    /// with a panic.
    #[test]
    fn what_fuzzing_found_is_answered_as_before() {
        let readers: &[(&str, Reader)] = &[
            ("idx", super::idx),
            ("cifar", super::cifar),
            ("safetensors", super::safetensors),
            ("checkpoint", super::checkpoint),
        ];
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
        let mut wrong = Vec::new();
        for (target, read) in readers {
            let mut answers = BTreeSet::new();
            for entry in fs::read_dir(seeds.join(target)).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                let answer = read(&fs::read(&path).unwrap());
                if name.split('-').next() != Some(&answer) {
                    wrong.push(format!("{target}/{name} is {answer}"));
                }
                answers.insert(answer);
            }
            assert!(answers.len() >= 4, "{target} has {answers:?} only");
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
