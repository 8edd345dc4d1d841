//! What a search for a learning rate found.

use std::fmt;

use super::history::{loss, significant};
#[cfg(feature = "plot")]
use super::{ReportError, plot};

/// One step of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatePoint {
    /// The learning rate of the step.
    pub rate: f64,
    /// The loss of its batch, before the step.
    pub loss: f32,
    /// The losses up to there, smoothed.
    pub smoothed: f64,
}

/// The losses at growing learning rates, from
/// [`Trainer::find_rate`](crate::train::Trainer::find_rate). Prints as a sentence with the
/// suggestions.
///
/// Suggestions are read off the smoothed curve. They are starting points: of two that
/// differ, the smaller is the safer one.
#[derive(Clone, Debug, PartialEq)]
pub struct RateSearch {
    points: Vec<RatePoint>,
    smoothing: f64,
    /// The moving average of the losses, before its correction.
    average: f64,
    pub(crate) diverged: bool,
}

impl RateSearch {
    /// Before the first step.
    pub(crate) fn new(smoothing: f64) -> Self {
        Self {
            points: Vec::new(),
            smoothing,
            average: 0.0,
            diverged: false,
        }
    }

    /// Adds a step.
    pub(crate) fn push(&mut self, rate: f64, loss: f32) {
        let decay = self.smoothing;
        self.average = decay * self.average + (1.0 - decay) * f64::from(loss);
        let terms = self.points.len() as f64 + 1.0;
        let smoothed = self.average / (1.0 - decay.powf(terms));
        self.points.push(RatePoint {
            rate,
            loss,
            smoothed,
        });
    }

    /// Whether the last smoothed loss is more than so many times the smallest.
    pub(crate) fn is_above(&self, times: f64) -> bool {
        let smallest = self.smallest().map(|point| point.smoothed);
        let (Some(smallest), Some(last)) = (smallest, self.points.last()) else {
            return false;
        };
        last.smoothed - smallest > (times - 1.0) * smallest.abs()
    }

    /// The steps, by growing rate; none after the one where the search ended.
    #[must_use]
    pub fn points(&self) -> &[RatePoint] {
        &self.points
    }

    /// Whether the search ended since the loss was too large or not finite, and not at its highest
    /// rate.
    #[must_use]
    pub fn diverged(&self) -> bool {
        self.diverged
    }

    /// The step of the smallest smoothed loss, the first of equals. Its rate is too high to train
    /// with: the loss is about to grow there.
    #[must_use]
    pub fn smallest(&self) -> Option<&RatePoint> {
        let mut points = self.points.iter();
        let first = points.next()?;
        Some(points.fold(first, |best, next| {
            if next.smoothed < best.smoothed {
                next
            } else {
                best
            }
        }))
    }

    /// The rate at which the smoothed loss falls most steeply over the logarithm of the rate; none
    /// where it never falls.
    ///
    /// The slope at a step is taken between its neighbours. The first tenth of the steps does not
    /// count: smoothed losses are means of few there.
    #[must_use]
    pub fn steepest(&self) -> Option<f64> {
        let slope = |window: &[RatePoint]| {
            let [before, here, after] = window else {
                return None;
            };
            let slope = (after.smoothed - before.smoothed) / (after.rate / before.rate).ln();
            Some((here.rate, slope)).filter(|_| slope < 0.0)
        };
        let counted = self.points.get(self.points.len() / 10..)?;
        let falls = counted.windows(3).filter_map(slope);
        let steepest = falls.reduce(|best, next| if next.1 < best.1 { next } else { best });
        steepest.map(|(rate, _)| rate)
    }

    /// The rate in the middle of the longest valley, which is the longest row of steps, not necessarily
    /// neighbours, each of whose smoothed losses is below the one before: that of the step half the
    /// row's length before its end. None without two such steps. Single bad batches disturb it less
    /// than [`RateSearch::steepest`].
    ///
    /// The definition is fastai's. It is cautious where low rates already make the loss fall.
    #[must_use]
    pub fn valley(&self) -> Option<f64> {
        let descent = longest_descent(&self.points);
        let middle = descent.last()?.checked_sub(descent.len() / 2)?;
        let point = self.points.get(middle)?;
        (descent.len() > 1).then_some(point.rate)
    }

    /// The smoothed losses as a picture, see [`plot::rate_search`].
    ///
    /// # Errors
    /// As [`plot::rate_search`].
    #[cfg(feature = "plot")]
    #[cfg_attr(docsrs, doc(cfg(feature = "plot")))]
    pub fn picture(&self) -> Result<plot::Picture, ReportError> {
        let pairs = self.points.iter().map(|point| (point.rate, point.smoothed));
        plot::rate_search(&pairs.collect::<Vec<_>>())
    }
}

/// The places of the longest falling row (of several, the one that ends highest), by patience
/// sorting.
fn longest_descent(points: &[RatePoint]) -> Vec<usize> {
    // `ends[k]`: where a row of k + 1 steps ends, the highest of all such; they fall with k.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(points.len());
    for (i, point) in points.iter().enumerate() {
        let place = ends.partition_point(|&end| points[end].smoothed > point.smoothed);
        before.push(place.checked_sub(1).map(|longer| ends[longer]));
        match ends.get_mut(place) {
            Some(end) => *end = i,
            None => ends.push(i),
        }
    }
    let mut row: Vec<usize> =
        std::iter::successors(ends.last().copied(), |&place| before[place]).collect();
    row.reverse();
    row
}

impl fmt::Display for RateSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(first), Some(last), Some(smallest)) =
            (self.points.first(), self.points.last(), self.smallest())
        else {
            return f.write_str("a search without a step");
        };
        let or_none = |rate: Option<f64>| rate.map_or("none".to_owned(), significant);
        write!(
            f,
            "{} steps from a rate of {} to {}{}; smallest loss {} at {}; suggested rates: {} \
             (valley), {} (steepest descent)",
            self.points.len(),
            significant(first.rate),
            significant(last.rate),
            if self.diverged { ", diverged" } else { "" },
            loss(smallest.smoothed),
            significant(smallest.rate),
            or_none(self.valley()),
            or_none(self.steepest()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rates 1, 10, 100 and so on.
    fn search(smoothing: f64, losses: &[f32]) -> RateSearch {
        let mut search = RateSearch::new(smoothing);
        for (i, &loss) in losses.iter().enumerate() {
            search.push(10_f64.powi(i as i32), loss);
        }
        search
    }

    #[test]
    fn suggestions_of_a_curve_worked_by_hand() {
        let found = search(0.0, &[5.0, 5.0, 4.0, 4.5, 1.0, 0.5, 0.75, 9.0]);
        // From 4.5 to 0.5 in two decades.
        assert_eq!(found.steepest(), Some(1e4));
        // 5, 4.5, 1, 0.75: two before the last.
        assert_eq!(found.valley(), Some(1e4));
        assert_eq!(found.smallest().map(|point| point.rate), Some(1e5));
        assert!(found.is_above(4.0) && !found.is_above(20.0));
        assert_eq!(
            found.to_string(),
            "8 steps from a rate of 1 to 1e7; smallest loss 0.5000 at 100000; suggested rates: \
             10000 (valley), 10000 (steepest descent)"
        );
    }

    #[test]
    fn a_curve_that_never_falls_suggests_nothing() {
        for losses in [&[][..], &[1.0], &[1.0, 1.0, 2.0, 3.0]] {
            let found = search(0.0, losses);
            assert_eq!((found.steepest(), found.valley()), (None, None));
        }
        assert_eq!(search(0.0, &[]).to_string(), "a search without a step");
    }

    #[test]
    fn smoothing_is_corrected_for_its_beginning() {
        let found = search(0.5, &[4.0, 1.0, 1.0]);
        let smoothed: Vec<f64> = found.points().iter().map(|point| point.smoothed).collect();
        // 4; (4/4 + 1/2)/(3/4); (4/8 + 1/4 + 1/2)/(7/8).
        for (found, expected) in smoothed.iter().zip([4.0, 2.0, 10.0 / 7.0]) {
            assert!((found - expected).abs() <= 1e-12, "{smoothed:?}");
        }
    }

    #[test]
    fn negative_losses_diverge_upwards() {
        assert!(!search(0.0, &[1.0, -1.0, 1.5]).is_above(4.0));
        assert!(search(0.0, &[1.0, -1.0, 2.5]).is_above(4.0));
    }
}
