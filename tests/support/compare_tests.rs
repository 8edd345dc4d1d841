//! The comparator against planted faults, each as small as it may be.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use super::*;

const ROWS: usize = 37;
const COLUMNS: usize = 53;

/// Values of about unit variance without any symmetry to hide behind.
fn reference() -> Vec<f64> {
    let wave = |i: usize| (i as f64 * 12.9898).sin() * 43.758;
    (0..ROWS * COLUMNS)
        .map(|i| (wave(i) - wave(i).floor() - 0.45) * 3.0)
        .collect()
}

fn rounded(reference: &[f64]) -> Vec<f32> {
    reference.iter().map(|&value| value as f32).collect()
}

/// What the comparator says of the reference, rounded, after `fault`.
fn verdict(fault: impl FnOnce(&mut Vec<f32>)) -> Result<Measured, Mismatch> {
    let reference = reference();
    let mut out = rounded(&reference);
    fault(&mut out);
    compare(&out, &reference, Tolerance::F32)
}

fn elements(result: Result<Measured, Mismatch>) -> (Element, Element, usize) {
    match result {
        Err(Mismatch::Elements {
            first,
            worst,
            count,
            ..
        }) => (first, worst, count),
        other => panic!("wrong elements were expected, not {other:?}"),
    }
}

#[test]
fn rounding_passes() {
    let measured = verdict(|_| ()).expect("the reference itself, rounded");
    assert!(
        measured.relative > 0.0 && measured.relative <= 6e-8,
        "{measured:?}"
    );
}

#[test]
fn rounding_to_half_precision_passes_its_own_tolerance_only() {
    let reference = reference();
    // Keep 10 of f32's 23 bits of mantissa.
    let half = |value: &f64| f32::from_bits((*value as f32).to_bits() & !0x1fff);
    let out: Vec<f32> = reference.iter().map(half).collect();
    assert!(compare(&out, &reference, Tolerance::F16).is_ok());
    assert!(compare(&out, &reference, Tolerance::F32).is_err());
}

/// The bound of one element, 8e-5·(rms + |ref|), is drawn where it is said to
/// be, and at its place the norm alone is far from noticing.
#[test]
fn one_element_slightly_off() {
    let reference = reference();
    let norm = norm(reference.iter().copied());
    let rms = norm / (reference.len() as f64).sqrt();
    for index in [0, 1000, ROWS * COLUMNS - 1] {
        let bound = Tolerance::F32.element * (rms + reference[index].abs());
        assert!(
            bound / norm <= Tolerance::F32.relative,
            "the norm would notice by itself"
        );
        let off_by = |factor: f64| {
            let wrong = (reference[index] + factor * bound) as f32;
            verdict(|out| out[index] = wrong)
        };
        assert_eq!(off_by(0.99).expect("just inside").worst, index);
        let (first, worst, count) = elements(off_by(1.01));
        assert_eq!((first.index, worst.index, count), (index, index, 1));
    }
}

/// A bias of 1.1 tolerances everywhere passes element by element.
#[test]
fn all_elements_slightly_off() {
    let scaled = |factor: f64| {
        verdict(|out| {
            out.iter_mut()
                .for_each(|x| *x = (f64::from(*x) * (1.0 + factor)) as f32)
        })
    };
    assert!(scaled(0.9e-5).is_ok());
    match scaled(1.1e-5) {
        Err(Mismatch::Norm { error, .. }) => assert!((error - 1.1e-5).abs() <= 1e-6),
        other => panic!("the norm was expected to tell, not {other:?}"),
    }
}

#[test]
fn nan_and_infinity_never_pass() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let reference = reference();
        let mut out = rounded(&reference);
        out[7] = bad;
        let mut bad_reference = reference.clone();
        bad_reference[7] = f64::from(bad);
        for (out, reference) in [
            (&out, &reference),
            (&out, &bad_reference),
            (&rounded(&reference), &bad_reference),
        ] {
            // However wide the tolerance.
            match compare(out, reference, Tolerance::relative(f64::INFINITY)) {
                Err(Mismatch::NotFinite {
                    first, count: 1, ..
                }) => assert_eq!(first.index, 7),
                other => panic!("{bad} gave {other:?}"),
            }
        }
    }
}

#[test]
fn nan_passes_no_bound() {
    assert!(!within(f64::NAN, f64::INFINITY));
    assert!(!within(0.0, f64::NAN));
}

#[test]
fn transposed() {
    let (_, _, count) = elements(verdict(|out| {
        let straight = out.clone();
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                out[column * ROWS + row] = straight[row * COLUMNS + column];
            }
        }
    }));
    assert!(count > ROWS * COLUMNS / 2);
}

#[test]
fn shifted_by_one() {
    elements(verdict(|out| out.rotate_right(1)));
}

#[test]
fn two_neighbours_swapped() {
    let (first, _, count) = elements(verdict(|out| out.swap(100, 101)));
    assert_eq!((first.index, count), (100, 2));
}

#[test]
fn all_zeros() {
    elements(verdict(|out| out.fill(0.0)));
}

#[test]
fn sign_flipped() {
    elements(verdict(|out| out.iter_mut().for_each(|x| *x = -*x)));
    let (first, _, count) = elements(verdict(|out| out[3] = -out[3]));
    assert_eq!((first.index, count), (3, 1));
}

/// What a kernel that skips one element leaves of a buffer filled beforehand.
#[test]
fn a_poison_value_left_in_one_place() {
    let last = ROWS * COLUMNS - 1;
    let (_, worst, count) = elements(verdict(|out| out[last] = -12_345.678));
    assert_eq!((worst.index, count), (last, 1));
    let poison = f32::from_bits(0x7fc0_dead);
    assert!(matches!(
        verdict(|out| out[last] = poison),
        Err(Mismatch::NotFinite { .. })
    ));
}

#[test]
fn wrong_length() {
    let short = verdict(|out| out.truncate(ROWS * COLUMNS - 1));
    assert_eq!(
        short,
        Err(Mismatch::Length {
            out: 1960,
            reference: 1961
        })
    );
    assert!(matches!(
        verdict(|out| out.push(0.0)),
        Err(Mismatch::Length { .. })
    ));
    assert!(matches!(verdict(Vec::clear), Err(Mismatch::Length { .. })));
}

#[test]
fn an_empty_comparison_is_refused() {
    assert_eq!(compare(&[], &[], Tolerance::F32), Err(Mismatch::Empty));
}

#[test]
fn against_zeros_the_error_is_absolute() {
    let reference = [0.0; 100];
    let mut out = [0f32; 100];
    assert_eq!(
        compare(&out, &reference, Tolerance::F32).map(|m| m.relative),
        Ok(0.0)
    );
    out[40] = 0.99e-5;
    assert!(compare(&out, &reference, Tolerance::F32).is_ok());
    out[40] = -1.01e-5;
    let (first, _, count) = elements(compare(&out, &reference, Tolerance::F32));
    assert_eq!((first.index, count), (40, 1));
}

/// A gradient of 1e-6 throughout is no excuse for an absolute tolerance.
#[test]
fn small_references_are_held_to_the_same_bound() {
    let reference: Vec<f64> = reference().iter().map(|x| x * 1e-6).collect();
    assert!(compare(&rounded(&reference), &reference, Tolerance::F32).is_ok());
    assert!(compare(&vec![0.0; reference.len()], &reference, Tolerance::F32).is_err());
}

#[test]
fn messages_name_places_values_and_errors() {
    let reference = [1.0, -1.0, 1.0, -1.0];
    let said = |out: &[f32]| {
        compare(out, &reference, Tolerance::relative(1e-2))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        said(&[1.0, 1.0, 1.5, -1.0]),
        "2 of 4 elements differ; the first: [1] is 1e0, reference -1e0; \
         the worst: [1] is 1e0, reference -1e0, error 1.000e0 where 8.000e-2 is allowed"
    );
    assert_eq!(
        said(&[1.0, -1.0, 1.125, -1.0]),
        "relative error 6.250e-2 where 1.000e-2 is allowed; \
         the worst element: [2] is 1.125e0, reference 1e0"
    );
    assert_eq!(
        said(&[1.0, -1.0, f32::NAN, f32::NAN]),
        "2 of 4 elements are not finite; the first: [2] is NaN, reference 1e0"
    );
    assert_eq!(said(&[1.0]), "1 elements against a reference of 4");
}
