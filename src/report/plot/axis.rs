//! Axes: which part of the numbers is seen, and where round marks stand.

use crate::report::history::significant;

/// About how many marks an axis has.
const MARKS: f64 = 7.0;

/// An axis of a chart. On the picture, values lie at their *places*: themselves, or their decimal
/// logarithms.
#[derive(Clone)]
pub(super) struct Axis {
    pub(super) title: String,
    logarithmic: bool,
    /// Places of the two ends.
    pub(super) low: f64,
    pub(super) high: f64,
    /// Places of the marks.
    pub(super) marks: Vec<f64>,
    decimals: usize,
    unit: &'static str,
}

impl Axis {
    /// From `low` to `high`; a little further where both are the same.
    pub(super) fn linear(title: &str, low: f64, high: f64) -> Self {
        let [low, high] = [low, high].map(|value| value.clamp(-1e300, 1e300));
        let high = if high > low {
            high
        } else {
            low + low.abs().max(1.0)
        };
        Self::with_step(title, low, high, round_step((high - low) / MARKS))
    }

    /// Whole numbers, such as epochs.
    pub(super) fn counts(title: &str, low: f64, high: f64) -> Self {
        let high = high.max(low + 1.0);
        Self::with_step(title, low, high, round_step((high - low) / MARKS).max(1.0))
    }

    fn with_step(title: &str, low: f64, high: f64, step: f64) -> Self {
        // A little more than the span, so that rounding loses no mark at an end.
        let first = (low / step - 1e-6).ceil();
        let count = (high / step - first + 1e-6).floor().clamp(0.0, 100.0) as usize + 1;
        let marks = (0..count).map(|i| (first + i as f64) * step);
        Self {
            title: title.to_owned(),
            logarithmic: false,
            low,
            high,
            marks: marks.filter(|mark| *mark <= high + 1e-6 * step).collect(),
            decimals: (-step.log10().floor()).clamp(0.0, 12.0) as usize,
            unit: "",
        }
    }

    /// Up to 100 %, from the round number below the lowest value that shows it best.
    pub(super) fn percent(title: &str, lowest: f64) -> Self {
        let step = if lowest < 90.0 { 10.0 } else { 1.0 };
        let low = ((lowest / step).floor() * step).clamp(0.0, 100.0 - step);
        Self {
            unit: " %",
            ..Self::linear(title, low, 100.0)
        }
    }

    /// From the round number (1, 2 or 5 times a power of ten) below `low` to that above `high`,
    /// which are above zero.
    pub(super) fn logarithmic(title: &str, low: f64, high: f64) -> Self {
        let [low, high] = [low, high].map(|value| value.clamp(1e-300, 1e300));
        let (mut first, mut last) = (
            round_numbers(low, -1).unwrap_or(low),
            round_numbers(high, 1).unwrap_or(high),
        );
        if first == last {
            first /= 2.0;
            last *= 2.0;
        }
        let [low, high] = [first, last].map(f64::log10);
        let decades = (low.floor() as i32)..=(high.ceil() as i32);
        // Few decades have marks within, many lose some.
        let every = (high - low).ceil().max(1.0) as usize;
        let within: &[f64] = if every <= 2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let marks = decades
            .step_by(every.div_ceil(8))
            .flat_map(|decade| {
                within
                    .iter()
                    .map(move |mantissa| f64::from(decade) + mantissa.log10())
            })
            .filter(|mark| (low - 1e-9..=high + 1e-9).contains(mark));
        Self {
            title: title.to_owned(),
            logarithmic: true,
            low,
            high,
            marks: marks.collect(),
            decimals: 0,
            unit: "",
        }
    }

    /// Where a value lies; beyond the ends it is moved to them.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place = if self.logarithmic {
            value.max(f64::MIN_POSITIVE).log10()
        } else {
            value
        };
        place.clamp(self.low, self.high)
    }

    /// What is written at a mark.
    pub(super) fn label(&self, place: f64) -> String {
        match self.logarithmic {
            true => significant(10_f64.powf(place)),
            // No mark shall read -0.
            false => format!("{:.*}{}", self.decimals, place + 0.0, self.unit),
        }
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `step`.
fn round_step(step: f64) -> f64 {
    round_numbers(step, 1).unwrap_or(1.0)
}

/// The nearest of 1, 2 and 5 times a power of ten that is not below (`side` 1) or not above
/// (`side` -1) a value above zero.
fn round_numbers(value: f64, side: i32) -> Option<f64> {
    let decade = value.log10().floor() as i32;
    let numbers = (decade - 1..=decade + 1)
        .flat_map(|decade| [1.0, 2.0, 5.0].map(|mantissa| mantissa * 10_f64.powi(decade)));
    // As if equal where only rounding tells them apart.
    match side {
        1 => numbers
            .filter(|n| *n >= value * (1.0 - 1e-9))
            .reduce(f64::min),
        _ => numbers
            .filter(|n| *n <= value * (1.0 + 1e-9))
            .reduce(f64::max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.marks.iter().map(|mark| axis.label(*mark)).collect()
    }

    #[test]
    fn marks_are_round() {
        let linear = |low, high| labels(&Axis::linear("", low, high));
        assert_eq!(linear(0.0, 1.7), ["0.0", "0.5", "1.0", "1.5"]);
        assert_eq!(
            linear(-0.3, 0.3),
            ["-0.3", "-0.2", "-0.1", "0.0", "0.1", "0.2", "0.3"]
        );
        assert_eq!(linear(0.0, 0.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        let counts = |low, high| labels(&Axis::counts("", low, high));
        assert_eq!(counts(1.0, 1.0), ["1", "2"]);
        assert_eq!(counts(0.0, 20.0), ["0", "5", "10", "15", "20"]);
        assert_eq!(counts(1.0, 3.0), ["1", "2", "3"]);
    }

    #[test]
    fn percentages_end_at_a_hundred() {
        let ends = |lowest| {
            let axis = Axis::percent("", lowest);
            (axis.low, axis.high)
        };
        assert_eq!(ends(97.3), (97.0, 100.0));
        assert_eq!(ends(43.0), (40.0, 100.0));
        assert_eq!(ends(100.0), (99.0, 100.0));
        assert_eq!(ends(-5.0), (0.0, 100.0));
        assert_eq!(
            labels(&Axis::percent("", 43.0)).last().map(String::as_str),
            Some("100 %")
        );
    }

    #[test]
    fn logarithms_have_decades_or_parts_of_them() {
        let marks = |low, high| labels(&Axis::logarithmic("", low, high));
        assert_eq!(marks(0.05, 0.05), ["0.05", "0.1"]);
        assert_eq!(marks(0.03, 0.5), ["0.02", "0.05", "0.1", "0.2", "0.5"]);
        assert_eq!(
            marks(1e-7, 0.05),
            ["1e-7", "1e-6", "0.00001", "0.0001", "0.001", "0.01"]
        );
        let many = marks(1e-40, 1.0);
        assert!(
            many.len() <= 9 && many.contains(&"1e-40".to_owned()),
            "{many:?}"
        );
        assert_eq!(Axis::logarithmic("", 1e-3, 1.0).place(0.0), -3.0);
    }
}
