//! Whatever bytes a file holds, the readers answer with data or with an error, and never take
//! memory that a header merely announces.
//!
//! `fuzz/` asks the same with inputs that libFuzzer makes.

use proptest::prelude::*;

use super::testing::gzip;
use super::*;
use crate::fuzzing::is_sound;

/// A file that one of the readers takes.
fn idx_file(sizes: &[u32], elements: Vec<u8>) -> Vec<u8> {
    let sizes_bytes = sizes.iter().flat_map(|size| size.to_be_bytes());
    [0, 0, 8, sizes.len() as u8]
        .into_iter()
        .chain(sizes_bytes)
        .chain(elements)
        .collect()
}

/// A valid file of images, and the labels to it.
fn idx_pair() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    (1..5_u32, 1..4_u32, 1..4_u32).prop_flat_map(|(count, height, width)| {
        let pixels = prop::collection::vec(any::<u8>(), (count * height * width) as usize);
        let labels = prop::collection::vec(0..10_u8, count as usize);
        (pixels, labels).prop_map(move |(pixels, labels)| {
            (
                idx_file(&[count, height, width], pixels),
                idx_file(&[count], labels),
            )
        })
    })
}

/// What happens to files: an end too early, bytes that change, bytes too many, compression.
#[derive(Clone, Debug)]
struct Damage {
    compress: bool,
    cut: prop::sample::Index,
    flips: Vec<(prop::sample::Index, u8)>,
    added: Vec<u8>,
}

fn damage() -> impl Strategy<Value = Damage> {
    let flip = (any::<prop::sample::Index>(), any::<u8>());
    (
        any::<bool>(),
        any::<prop::sample::Index>(),
        prop::collection::vec(flip, 0..4),
        prop::collection::vec(any::<u8>(), 0..4),
    )
        .prop_map(|(compress, cut, flips, added)| Damage {
            compress,
            cut,
            flips,
            added,
        })
}

impl Damage {
    fn to(&self, file: &[u8]) -> Vec<u8> {
        let mut file = match self.compress {
            true => gzip(file),
            false => file.to_vec(),
        };
        file.truncate(self.cut.index(file.len() + 1));
        for (place, bits) in &self.flips {
            if !file.is_empty() {
                let place = place.index(file.len());
                file[place] ^= bits;
            }
        }
        file.extend_from_slice(&self.added);
        file
    }
}

fn refused_or_sound(read: &Result<Dataset, DataError>) -> bool {
    match read {
        Ok(data) => is_sound(data),
        Err(error) => !error.to_string().is_empty(),
    }
}

proptest! {
    #[test]
    fn idx_takes_any_bytes(images: Vec<u8>, labels: Vec<u8>) {
        prop_assert!(refused_or_sound(&idx(&images, &labels, 10)));
    }

    #[test]
    fn idx_takes_any_header(sizes: [u32; 3], count: u32, rest in prop::collection::vec(0..10_u8, 0..40)) {
        let read = idx(&idx_file(&sizes, rest.clone()), &idx_file(&[count], rest), 10);
        prop_assert!(refused_or_sound(&read));
    }

    #[test]
    fn idx_takes_damaged_files((images, labels) in idx_pair(), to_images in damage(), to_labels in damage()) {
        prop_assert!(is_sound(&idx(&images, &labels, 10).unwrap()));
        let read = idx(&to_images.to(&images), &to_labels.to(&labels), 10);
        prop_assert!(refused_or_sound(&read));
    }

    /// Every file that is cut short is recognised, compressed or not.
    #[test]
    fn idx_finds_every_cut((images, labels) in idx_pair(), compress: bool, cut: prop::sample::Index) {
        let file = if compress { gzip(&images) } else { images };
        let cut = cut.index(file.len());
        prop_assert!(idx(&file[..cut], &labels, 10).is_err());
        prop_assert!(idx(&file, &labels, 10).is_ok());
    }

    #[test]
    fn cifar_takes_any_bytes(bytes: Vec<u8>, labels: [u8; 2], length in 0..6200_usize, to in damage()) {
        prop_assert!(refused_or_sound(&cifar(Cifar::Ten, &bytes)));
        let mut file: Vec<u8> = labels.to_vec();
        file.resize(length, 3);
        for kind in [Cifar::Ten, Cifar::HundredFine, Cifar::HundredCoarse] {
            prop_assert!(refused_or_sound(&cifar(kind, &to.to(&file))));
            let record = if kind == Cifar::Ten { 3073 } else { 3074 };
            if file.is_empty() || !file.len().is_multiple_of(record) {
                prop_assert!(cifar(kind, &file).is_err(), "{length} bytes are no whole records");
            }
        }
    }
}

#[cfg(feature = "csv")]
proptest! {
    #[test]
    fn csv_takes_any_bytes(bytes: Vec<u8>, header: bool) {
        prop_assert!(refused_or_sound(&Csv::labelled(0).header(header).parse(&bytes)));
    }

    #[test]
    fn csv_takes_odd_tables(text in "([a-c0-9.e\"\r\n, ;-]|,|\n){0,60}", header: bool, to in damage()) {
        let file = to.to(text.as_bytes());
        prop_assert!(refused_or_sound(&Csv::labelled(0).header(header).parse(&file)));
        prop_assert!(refused_or_sound(&Csv::predicting([1]).header(header).parse(&file)));
    }

    /// What is written is what is read.
    #[test]
    fn csv_gives_the_numbers_back(rows in prop::collection::vec((-1e30_f32..1e30, 0..5_u32), 1..20)) {
        let lines: String = rows.iter().map(|(x, label)| format!("{x},{label}\n")).collect();
        let classes = Classes::from(5);
        let data = Csv::labelled(1).header(false).classes(classes).parse(lines.as_bytes()).unwrap();
        let found: Vec<(f32, u32)> =
            data.iter().map(Result::unwrap).map(|sample| (sample.values()[0], sample.label().unwrap())).collect();
        prop_assert_eq!(found, rows);
    }
}
