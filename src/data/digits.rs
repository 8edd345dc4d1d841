//! The embedded data set of handwritten digits.

use std::sync::Arc;

use super::{Classes, Dataset, Samples, Targets};

/// One record: 64 pixels in row order, then the label.
const RECORD: usize = 65;
/// See `README.md` beside the file for its origin, licence and format.
const RECORDS: &[u8] = include_bytes!("digits.bin");

/// 1,797 handwritten digits of 8×8 pixels in ten classes, embedded in the crate.
///
/// Pixels are 0 (paper) to 16 (ink) and reach the network as 0 to 1. The digits are the test set
/// of "Optical Recognition of Handwritten Digits" (E. Alpaydin and C. Kaynak, UCI Machine
/// Learning Repository, 1998, doi:10.24432/C50P49), as distributed by scikit-learn, licensed
/// under [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/); the values are unchanged.
///
/// ```
/// let digits = wgrad::data::digits();
/// assert_eq!(digits.len(), 1797);
/// assert_eq!(digits.image(0)?.label(), Some(0));
/// # Ok::<(), wgrad::data::DataError>(())
/// ```
#[must_use]
pub fn digits() -> Dataset {
    let (records, _) = RECORDS.as_chunks::<RECORD>();
    Dataset {
        shape: vec![1, 8, 8],
        samples: Arc::new(Samples::U8 {
            bytes: records
                .iter()
                .flat_map(|record| &record[..RECORD - 1])
                .copied()
                .collect(),
            scale: 1.0 / 16.0,
        }),
        targets: Arc::new(Targets::Labels {
            labels: records
                .iter()
                .map(|record| u32::from(record[RECORD - 1]))
                .collect(),
            classes: Classes::from(10),
        }),
        normalisation: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures computed in Python from the distributed `digits.csv.gz`.
    #[test]
    fn the_file_is_the_published_one() {
        assert_eq!(RECORDS.len(), 1797 * RECORD);
        let weighted = |(i, byte): (usize, &u8)| (i as u64 % 251 + 1) * u64::from(*byte);
        assert_eq!(
            RECORDS.iter().enumerate().map(weighted).sum::<u64>(),
            71_800_518
        );

        let mut counts = [0; 10];
        for record in RECORDS.as_chunks::<RECORD>().0 {
            counts[usize::from(record[64])] += 1;
            assert!(record[..64].iter().all(|pixel| *pixel <= 16));
        }
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    }

    /// What is built without checks would pass them.
    #[test]
    fn the_data_set_is_valid() {
        let digits = digits();
        let Samples::U8 { bytes, .. } = digits.samples().clone() else {
            unreachable!("digits are bytes")
        };
        let labels = digits.labels().map(<[u32]>::to_vec).unwrap_or_default();
        let checked = Dataset::images_u8([1, 8, 8], bytes, labels, 10)
            .and_then(|data| data.with_scale(1.0 / 16.0));
        assert!(checked.is_ok_and(|checked| checked == digits));
    }

    #[test]
    fn mean_and_deviation_of_the_scaled_pixels() {
        let found = digits().mean_std();
        assert!((found.mean[0] - 0.305_260_3).abs() < 1e-6, "{found:?}");
        assert!((found.std[0] - 0.376_049_2).abs() < 1e-6, "{found:?}");
    }
}
