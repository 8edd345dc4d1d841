//! What a tuner found out.

use std::fmt;

use crate::ops::choice::{Choice, Choices};
use crate::ops::conv2d::Problem;

/// Choices of kernels, and where they come from. Prints a line for each problem.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Tuning {
    /// The problems of the plan, those with the most arithmetic first.
    pub problems: Vec<Tuned>,
    /// What went wrong, none of which stops a training.
    pub notes: Vec<String>,
}

/// The choice for one problem.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Tuned {
    /// The problem's text.
    pub problem: String,
    /// The kernels to be used.
    pub choice: Choice,
    /// Where the choice comes from.
    pub source: Source,
}

impl Tuned {
    pub(super) fn new(problem: &Problem, choice: Choice, source: Source) -> Self {
        Self {
            problem: problem.to_string(),
            choice,
            source,
        }
    }
}

/// Where a choice comes from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Source {
    /// A measurement of all candidates.
    #[non_exhaustive]
    Measured {
        /// Device time of the choice.
        seconds: f64,
        /// The heuristic's choice.
        usual: Choice,
        /// Its time; the same as `seconds` where it was not beaten by 3 %.
        usual_seconds: f64,
        /// How many candidates there are.
        candidates: usize,
        /// Those that gave another result or did not run, and why.
        refused: Vec<(Choice, String)>,
    },
    /// The cache.
    Cache,
    /// There is no other candidate.
    Only,
    /// The heuristic: the budget did not suffice to measure all candidates.
    OutOfTime,
}

impl Tuning {
    /// What was measured or known, by problem; where the budget did not suffice, nothing.
    pub fn choices(&self) -> Choices {
        let known = self
            .problems
            .iter()
            .filter(|t| t.source != Source::OutOfTime);
        known.map(|t| (t.problem.as_str(), t.choice)).collect()
    }

    /// Problems whose candidates were not all measured in time.
    pub fn out_of_time(&self) -> usize {
        let sources = self.problems.iter().map(|tuned| &tuned.source);
        sources
            .filter(|&source| *source == Source::OutOfTime)
            .count()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measured {
                seconds,
                usual_seconds,
                candidates,
                refused,
                ..
            } => {
                let (now, usual) = (seconds * 1e3, usual_seconds * 1e3);
                write!(
                    f,
                    "{now:.3} ms, usually {usual:.3} ms; {candidates} candidates"
                )?;
                match refused.len() {
                    0 => Ok(()),
                    refused => write!(f, ", {refused} refused"),
                }
            }
            Self::Cache => f.write_str("from the cache"),
            Self::Only => f.write_str("the only candidate"),
            Self::OutOfTime => f.write_str("the usual one; there was no time to measure"),
        }
    }
}

impl fmt::Display for Tuning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Tuned {
            problem,
            choice,
            source,
        } in &self.problems
        {
            writeln!(f, "{problem}: {choice} ({source})")?;
            if let Source::Measured { refused, .. } = source {
                for (choice, reason) in refused {
                    writeln!(f, "  refused {choice}: {reason}")?;
                }
            }
        }
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        let (all, late) = (self.problems.len(), self.out_of_time());
        write!(f, "{all} problems, {late} of them not measured in time")
    }
}
