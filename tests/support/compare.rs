//! Does a kernel's output agree with its reference?
//!
//! Two questions are asked, since either alone lets errors through:
//! * **As a whole**: `‖out − ref‖ / ‖ref‖ ≤ tolerance.relative`. A small error
//!   in every element shows here.
//! * **Element by element**: `|outᵢ − refᵢ| ≤ tolerance.element · (rms(ref) +
//!   |refᵢ|)`. In a million elements one may be wrong by a thousand times the
//!   tolerance before the norm notices; it shows here.
//!
//! Against a reference of nothing but zeros a relative error has no meaning;
//! then every element must obey `|outᵢ| ≤ tolerance.relative`.
//!
//! Every bound is asked as `error <= bound`, which NaN never satisfies, and
//! anything not finite, on either side, is refused before.

#![allow(
    dead_code,
    reason = "a test binary that shares this file uses only part of it"
)]

use std::fmt;

/// How much larger the error of a single element may be than the error of
/// the whole, in proportion.
///
/// If rounding leaves every element with an error that has the standard
/// deviation σ, the norm's relative error is σ/rms(ref), and the worst of a
/// million elements lies near 5σ. Eight leaves room for sums of unlike length
/// (a corner of a convolution against its middle) and no more.
pub const ELEMENT_FACTOR: f64 = 8.0;

/// What is allowed. Build one by [`Tolerance::relative`], or take a constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Bound of ‖out − ref‖/‖ref‖, and of |outᵢ| where the reference is zero.
    pub relative: f64,
    /// Bound of |outᵢ − refᵢ|/(rms(ref) + |refᵢ|).
    pub element: f64,
}

impl Tolerance {
    /// f32 storage and arithmetic, inputs of unit variance.
    pub const F32: Tolerance = Tolerance::relative(1e-5);
    /// f16 storage, f32 accumulation, inputs of unit variance.
    pub const F16: Tolerance = Tolerance::relative(2e-3);

    /// This bound for the whole, [`ELEMENT_FACTOR`] times it for an element.
    pub const fn relative(relative: f64) -> Self {
        Tolerance {
            relative,
            element: ELEMENT_FACTOR * relative,
        }
    }
}

/// How close an output that passed came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// ‖out − ref‖/‖ref‖, or the largest |outᵢ| where the reference is zero.
    pub relative: f64,
    /// The largest |outᵢ − refᵢ|/(rms(ref) + |refᵢ|), or again |outᵢ|.
    pub element: f64,
    /// Where that was.
    pub worst: usize,
}

/// One element, for a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Element {
    /// Its place in both slices.
    pub index: usize,
    /// What the kernel gave.
    pub out: f32,
    /// What it should have given.
    pub reference: f64,
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Element {
            index,
            out,
            reference,
        } = self;
        write!(f, "[{index}] is {out:e}, reference {reference:e}")
    }
}

/// Why an output was refused.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Mismatch {
    /// The lengths differ.
    Length {
        /// Elements of the output.
        out: usize,
        /// Elements of the reference.
        reference: usize,
    },
    /// Both are empty: nothing was compared, so nothing is known.
    Empty,
    /// NaN or an infinity in the output, the reference, or both.
    NotFinite {
        /// The first such element.
        first: Element,
        /// How many there are.
        count: usize,
        /// Out of how many.
        of: usize,
    },
    /// Some elements are too far off.
    Elements {
        /// The first of them.
        first: Element,
        /// The one with the largest error.
        worst: Element,
        /// Its error, |outᵢ − refᵢ|/(rms(ref) + |refᵢ|) or |outᵢ|.
        error: f64,
        /// What was allowed.
        allowed: f64,
        /// How many there are.
        count: usize,
        /// Out of how many.
        of: usize,
    },
    /// Each element passes, but together they are too far off.
    Norm {
        /// ‖out − ref‖/‖ref‖.
        error: f64,
        /// What was allowed.
        allowed: f64,
        /// The element with the largest error.
        worst: Element,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mismatch::Length { out, reference } => {
                write!(f, "{out} elements against a reference of {reference}")
            }
            Mismatch::Empty => write!(f, "nothing to compare: no elements"),
            Mismatch::NotFinite { first, count, of } => {
                write!(
                    f,
                    "{count} of {of} elements are not finite; the first: {first}"
                )
            }
            Mismatch::Elements {
                first,
                worst,
                error,
                allowed,
                count,
                of,
            } => {
                write!(
                    f,
                    "{count} of {of} elements differ; the first: {first}; the worst: "
                )?;
                write!(
                    f,
                    "{worst}, error {error:.3e} where {allowed:.3e} is allowed"
                )
            }
            Mismatch::Norm {
                error,
                allowed,
                worst,
            } => {
                write!(
                    f,
                    "relative error {error:.3e} where {allowed:.3e} is allowed; "
                )?;
                write!(f, "the worst element: {worst}")
            }
        }
    }
}

impl std::error::Error for Mismatch {}

/// Asks both questions of the module's head.
///
/// # Errors
/// The first [`Mismatch`] in the order of its variants.
pub fn compare(out: &[f32], reference: &[f64], tolerance: Tolerance) -> Result<Measured, Mismatch> {
    if out.len() != reference.len() {
        return Err(Mismatch::Length {
            out: out.len(),
            reference: reference.len(),
        });
    }
    let element = |index: usize| Element {
        index,
        out: out[index],
        reference: reference[index],
    };
    let of = out.len();
    let mut infinite = (0..of)
        .filter(|&i| !(out[i].is_finite() && reference[i].is_finite()))
        .peekable();
    if let Some(&first) = infinite.peek() {
        let count = infinite.count();
        return Err(Mismatch::NotFinite {
            first: element(first),
            count,
            of,
        });
    }

    let norm = norm(reference.iter().copied());
    let zero_reference = norm == 0.0;
    let rms = norm / (of as f64).sqrt();
    let difference = |i: usize| (f64::from(out[i]) - reference[i]).abs();
    let error = |i: usize| {
        difference(i)
            / if zero_reference {
                1.0
            } else {
                rms + reference[i].abs()
            }
    };
    let Some(worst) = (0..of).max_by(|&a, &b| error(a).total_cmp(&error(b))) else {
        return Err(Mismatch::Empty);
    };

    let allowed = if zero_reference {
        tolerance.relative
    } else {
        tolerance.element
    };
    let mut wrong = (0..of).filter(|&i| !within(error(i), allowed)).peekable();
    if let Some(&first) = wrong.peek() {
        let count = wrong.count();
        let (first, error, worst) = (element(first), error(worst), element(worst));
        return Err(Mismatch::Elements {
            first,
            worst,
            error,
            allowed,
            count,
            of,
        });
    }

    let relative = if zero_reference {
        error(worst)
    } else {
        self::norm((0..of).map(difference)) / norm
    };
    if !within(relative, tolerance.relative) {
        let (allowed, worst) = (tolerance.relative, element(worst));
        return Err(Mismatch::Norm {
            error: relative,
            allowed,
            worst,
        });
    }
    Ok(Measured {
        relative,
        element: error(worst),
        worst,
    })
}

/// False for NaN; the one comparison that every verdict rests on.
fn within(error: f64, allowed: f64) -> bool {
    error <= allowed
}

/// √Σ x².
fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
