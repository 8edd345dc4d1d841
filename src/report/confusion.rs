//! Which classes are mistaken for which.

use std::fmt;

use super::ReportError;
use crate::data::Classes;

/// Larger matrices print as a list of their most frequent confusions.
const LARGEST_TABLE: usize = 20;
/// Width at which class names are cut in the table.
const LONGEST_NAME: usize = 10;

/// Counts of predictions, by true class and predicted class.
///
/// ```
/// # use wgrad::report::Confusion;
/// let mut confusion = Confusion::new(["cat", "dog"]);
/// for (truth, predicted) in [(0, 0), (0, 1), (1, 1), (1, 1)] {
///     confusion.add(truth, predicted)?;
/// }
/// assert_eq!(confusion.accuracy(), Some(0.75));
/// assert_eq!(confusion.recall(0), Some(0.5)); // half of the cats were found
/// assert_eq!(confusion.precision(0), Some(1.0)); // what was called a cat was one
/// # Ok::<(), wgrad::report::ReportError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    classes: Classes,
    /// `[truth][predicted]`.
    counts: Vec<u64>,
}

impl Confusion {
    /// An empty matrix for a number of classes, or for classes of the given names.
    #[must_use]
    pub fn new(classes: impl Into<Classes>) -> Self {
        let classes = classes.into();
        let counts = vec![0; classes.len() * classes.len()];
        Self { classes, counts }
    }

    /// The matrix of a list of truths and the predictions made for them.
    ///
    /// # Errors
    ///
    /// [`ReportError::LengthMismatch`] if the lists are of different lengths,
    /// [`ReportError::LabelOutOfRange`] for a label that is not a class.
    pub fn of(
        classes: impl Into<Classes>,
        truths: &[u32],
        predictions: &[u32],
    ) -> Result<Self, ReportError> {
        if truths.len() != predictions.len() {
            let (truths, predictions) = (truths.len(), predictions.len());
            return Err(ReportError::LengthMismatch {
                truths,
                predictions,
            });
        }
        let mut confusion = Self::new(classes);
        for (truth, predicted) in truths.iter().zip(predictions) {
            confusion.add(*truth, *predicted)?;
        }
        Ok(confusion)
    }

    /// The matrix of counts by true class, then predicted class; what is missing counts 0.
    pub(crate) fn from_counts(classes: impl Into<Classes>, mut counts: Vec<u64>) -> Self {
        let classes = classes.into();
        counts.resize(classes.len() * classes.len(), 0);
        Self { classes, counts }
    }

    /// Counts one prediction.
    ///
    /// # Errors
    ///
    /// [`ReportError::LabelOutOfRange`] for a label that is not a class.
    pub fn add(&mut self, truth: u32, predicted: u32) -> Result<(), ReportError> {
        let classes = self.classes.len();
        let out_of_range = |label: &u32| *label as usize >= classes;
        if let Some(label) = [truth, predicted].into_iter().find(out_of_range) {
            return Err(ReportError::LabelOutOfRange { label, classes });
        }
        self.counts[truth as usize * classes + predicted as usize] += 1;
        Ok(())
    }

    /// The classes.
    #[must_use]
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    /// How often a sample of class `truth` was taken for `predicted`; 0 for what is no class.
    #[must_use]
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        let classes = self.classes.len();
        let valid = truth < classes && predicted < classes;
        if valid {
            self.counts[truth * classes + predicted]
        } else {
            0
        }
    }

    /// Predictions counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Share of predictions that are right, 0 to 1; none before the first.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        let right = (0..self.classes.len())
            .map(|class| self.count(class, class))
            .sum();
        share(right, self.total())
    }

    /// Of the samples of a class, the share that was recognised; none if there were none.
    #[must_use]
    pub fn recall(&self, class: usize) -> Option<f64> {
        let of_class = (0..self.classes.len())
            .map(|predicted| self.count(class, predicted))
            .sum();
        share(self.count(class, class), of_class)
    }

    /// Of the samples taken for a class, the share that is of it; none if there were none.
    #[must_use]
    pub fn precision(&self, class: usize) -> Option<f64> {
        let taken = (0..self.classes.len())
            .map(|truth| self.count(truth, class))
            .sum();
        share(self.count(class, class), taken)
    }

    /// Pairs of true and predicted class that were confused, and how often; most often first.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(usize, usize, u64)> {
        let classes = self.classes.len();
        let mut mistakes: Vec<_> = (0..self.counts.len())
            .map(|i| (i / classes, i % classes, self.counts[i]))
            .filter(|(truth, predicted, count)| truth != predicted && *count > 0)
            .collect();
        mistakes.sort_by_key(|mistake| std::cmp::Reverse(mistake.2));
        mistakes
    }

    fn name(&self, class: usize) -> &str {
        self.classes.names().get(class).map_or("", String::as_str)
    }

    /// `0`, or `0 T-shirt` where the classes have names of their own.
    fn row_label(&self, class: usize) -> String {
        let (number, name) = (class.to_string(), self.name(class));
        if name == number {
            return number;
        }
        if name.chars().count() <= LONGEST_NAME {
            return format!("{number} {name}");
        }
        let start: String = name.chars().take(LONGEST_NAME - 1).collect();
        format!("{number} {start}…")
    }

    fn write_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes = 0..self.classes.len();
        let labels: Vec<String> = classes.clone().map(|class| self.row_label(class)).collect();
        let longest = labels.iter().map(|label| label.chars().count()).max();
        let first = longest.unwrap_or(0).max("precision".len());
        // "100" is the widest percentage.
        let cell = self
            .counts
            .iter()
            .max()
            .map_or(0, |most| most.to_string().len())
            .max(3)
            + 1;

        writeln!(f, "{:first$} predicted", "")?;
        write!(f, "{:first$}", "true")?;
        classes
            .clone()
            .try_for_each(|class| write!(f, " {class:>cell$}"))?;
        writeln!(f, "  recall")?;
        for class in classes.clone() {
            write!(f, "{:first$}", labels[class])?;
            for predicted in classes.clone() {
                match self.count(class, predicted) {
                    0 => write!(f, " {:>cell$}", ".")?,
                    count => write!(f, " {count:>cell$}")?,
                }
            }
            writeln!(f, "  {:>6}", percent(self.recall(class), 1))?;
        }
        write!(f, "{:first$}", "precision")?;
        classes
            .clone()
            .try_for_each(|class| write!(f, " {:>cell$}", percent(self.precision(class), 0)))?;
        writeln!(f, "  {:>6}", percent(self.accuracy(), 1))
    }

    fn write_list(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let right = percent(self.accuracy(), 2);
        writeln!(
            f,
            "accuracy {right} % of {} in {} classes",
            self.total(),
            self.classes.len()
        )?;
        for (truth, predicted, count) in self.mistakes().into_iter().take(10) {
            writeln!(
                f,
                "{count:>8} × {} taken for {}",
                self.name(truth),
                self.name(predicted)
            )?;
        }
        Ok(())
    }
}

/// A table of counts with recall at the right, precision at the foot and accuracy in the corner,
/// all in percent. Beyond twenty classes: the ten most frequent confusions.
impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.classes.len() <= LARGEST_TABLE {
            self.write_table(f)
        } else {
            self.write_list(f)
        }
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn percent(share: Option<f64>, decimals: usize) -> String {
    share.map_or_else(
        || "-".to_owned(),
        |share| format!("{:.decimals$}", 100.0 * share),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Confusion {
        let confusion = Confusion::of(
            ["cat", "a very long name", "fox"],
            &[0, 0, 0, 1, 1],
            &[0, 0, 1, 1, 0],
        );
        confusion.unwrap_or_else(|error| unreachable!("{error}"))
    }

    #[test]
    fn figures() {
        let confusion = sample();
        assert_eq!(confusion.total(), 5);
        assert_eq!(confusion.accuracy(), Some(0.6));
        assert_eq!(
            [0, 1, 2, 3].map(|c| confusion.recall(c)),
            [Some(2.0 / 3.0), Some(0.5), None, None]
        );
        assert_eq!(
            [0, 1, 2, 3].map(|c| confusion.precision(c)),
            [Some(2.0 / 3.0), Some(0.5), None, None]
        );
        assert_eq!(confusion.mistakes(), [(0, 1, 1), (1, 0, 1)]);
        assert_eq!(Confusion::new(3).accuracy(), None);
    }

    #[test]
    fn labels_and_lengths_are_checked() {
        let text = |truths: &[u32], predictions: &[u32]| {
            Confusion::of(2, truths, predictions)
                .map_or_else(|error| error.to_string(), |c| c.to_string())
        };
        assert_eq!(text(&[0, 2], &[0, 0]), "label 2 is not one of 2 classes");
        assert_eq!(text(&[0], &[7]), "label 7 is not one of 2 classes");
        assert_eq!(
            text(&[0], &[]),
            "1 truths and 0 predictions cannot be compared"
        );
    }

    #[test]
    fn table_of_names() {
        let expected = "             predicted
true            0    1    2  recall
0 cat           2    1    .    66.7
1 a very lo…    1    1    .    50.0
2 fox           .    .    .       -
precision      67   50    -    60.0
";
        assert_eq!(sample().to_string(), expected);
    }

    #[test]
    fn ten_classes_fit_eighty_columns() {
        let names = [
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ];
        let mut confusion = Confusion::new(names);
        (0..1000).for_each(|_| assert!(confusion.add(9, 9).is_ok()));
        let widest = confusion
            .to_string()
            .lines()
            .map(|line| line.chars().count())
            .max();
        assert!(
            widest.is_some_and(|widest| widest <= 80),
            "{widest:?}\n{confusion}"
        );
    }

    #[test]
    fn many_classes_print_as_a_list() {
        let confusion = Confusion::of(100, &[5, 5, 7], &[6, 6, 7]);
        let expected = "accuracy 33.33 % of 3 in 100 classes\n       2 × 5 taken for 6\n";
        assert!(confusion.is_ok_and(|confusion| confusion.to_string() == expected));
    }
}
