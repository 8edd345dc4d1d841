//! Which of a problem's candidates is the fastest. Knows no device, so that the decisions can be
//! tested with times that are made up.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::ops::choice::Choice;
use crate::ops::conv2d::Problem;

/// A candidate replaces the heuristic's choice only if it takes at most this share of its time:
/// smaller gains may be noise, and every replacement changes the last bits of results.
const MOST_OF_USUAL: f64 = 0.97;

/// A candidate is measured thoroughly unless it takes more than this multiple of the best so far.
const CLOSE: f64 = 1.25;

/// The largest difference from the heuristic's result, of the root mean squares. Variants differ
/// by the order of additions, Winograd's also by its transforms: 1e-6 to 1e-5.
const TOLERANCE: f64 = 1e-4;

/// Computes problems by choices of kernels, and measures them.
pub(super) trait Bench {
    /// Kernels with memory, ready to run.
    type Trial;

    /// Compiles the kernels of a choice.
    async fn prepare(&mut self, problem: &Problem, choice: Choice) -> Result<Self::Trial>;

    /// What they compute, from operands that are the same for all choices.
    async fn result(&mut self, trial: &Self::Trial) -> Result<Vec<f32>>;

    /// How long they take, in seconds: the least of several runs. One run suffices to tell that it
    /// is more than `limit`.
    async fn seconds(&mut self, trial: &Self::Trial, limit: f64) -> Result<f64>;

    /// Since tuning began.
    fn elapsed(&self) -> Duration;
}

/// What was found out about a problem.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) choice: Choice,
    pub(super) seconds: f64,
    /// Time of the heuristic's choice.
    pub(super) usual_seconds: f64,
    /// Candidates that were not considered, and why.
    pub(super) refused: Vec<(Choice, String)>,
}

/// The best of the candidates, the heuristic's first among them; `None` if the time does not
/// suffice for all of them, judged by the first.
pub(super) async fn best<B: Bench>(
    bench: &mut B,
    problem: &Problem,
    (usual, others): (Choice, &[Choice]),
    budget: Duration,
) -> Result<Option<Found>> {
    let begin = bench.elapsed();
    if begin >= budget {
        return Ok(None);
    }
    let usual_trial = bench.prepare(problem, usual).await?;
    let expected = bench.result(&usual_trial).await?;
    let seconds = bench.seconds(&usual_trial, f64::INFINITY).await?;
    let each = bench.elapsed() - begin;
    if begin + each.saturating_mul(1 + others.len() as u32) > budget {
        return Ok(None);
    }
    let mut found = Found {
        choice: usual,
        seconds,
        usual_seconds: seconds,
        refused: Vec::new(),
    };
    let mut best_trial = None;
    for &choice in others {
        if bench.elapsed() >= budget {
            return Ok(None);
        }
        let trial = match admit(bench, problem, choice, &expected).await {
            Ok(trial) => trial,
            Err(lost @ Error::DeviceLost(_)) => return Err(lost),
            Err(error) => {
                found.refused.push((choice, error.to_string()));
                continue;
            }
        };
        let seconds = bench.seconds(&trial, CLOSE * found.seconds).await?;
        if seconds < found.seconds {
            (found.choice, found.seconds) = (choice, seconds);
            best_trial = Some(trial);
        }
    }
    // The least of many measurements is too small if they are noisy: both once more.
    if let Some(trial) = best_trial {
        found.usual_seconds = bench.seconds(&usual_trial, f64::INFINITY).await?;
        found.seconds = bench.seconds(&trial, f64::INFINITY).await?;
    }
    if found.seconds > MOST_OF_USUAL * found.usual_seconds {
        (found.choice, found.seconds) = (usual, found.usual_seconds);
    }
    Ok(Some(found))
}

/// A candidate whose result is right.
async fn admit<B: Bench>(
    bench: &mut B,
    problem: &Problem,
    choice: Choice,
    expected: &[f32],
) -> Result<B::Trial> {
    let trial = bench.prepare(problem, choice).await?;
    let difference = difference(&bench.result(&trial).await?, expected);
    // NaN passes no comparison.
    match difference <= TOLERANCE {
        true => Ok(trial),
        false => Err(Error::Invalid(format!(
            "its result differs by {difference:.1e} of the root mean square"
        ))),
    }
}

/// The root mean square of the difference, relative to that of what is expected. NaN where a
/// number is not finite or nothing is expected but zeros.
fn difference(found: &[f32], expected: &[f32]) -> f64 {
    if found.len() != expected.len() {
        return f64::NAN;
    }
    let square = |x: f64| x * x;
    let norm: f64 = expected.iter().map(|&e| square(f64::from(e))).sum();
    let pairs = found.iter().zip(expected);
    let error: f64 = pairs
        .map(|(&f, &e)| square(f64::from(f) - f64::from(e)))
        .sum();
    match norm.is_finite() && error.is_finite() {
        true => (error / norm).sqrt(),
        false => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::{TOLERANCE, difference};

    #[test]
    fn a_difference_is_relative_and_passes_nothing_odd() {
        assert_eq!(difference(&[3.0, 4.0], &[3.0, 4.0]), 0.0);
        assert!((difference(&[3.0, 4.5], &[3.0, 4.0]) - 0.1).abs() < 1e-12);
        let odd: [&[f32]; 5] = [
            &[3.0, f32::NAN],
            &[f32::INFINITY, 4.0],
            &[0.0, 0.0],
            &[4.0, 3.0],
            &[3.0],
        ];
        for found in odd {
            let passes = difference(found, &[3.0, 4.0]) <= TOLERANCE;
            assert!(!passes, "{found:?}");
        }
        assert!(difference(&[0.0], &[0.0]).is_nan());
        assert!(difference(&[1.0], &[f32::NAN]).is_nan());
    }
}
