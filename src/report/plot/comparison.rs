//! Several trainings in one picture.

use plotters::prelude::RGBColor;

use super::Picture;
use super::axis::Axis;
use super::chart::{BLUE, GREEN, Line, ORANGE, chart, extent};
use super::curves::{WIDE, by_epoch};
use crate::report::{Epoch, History, ReportError};

const SIZE: (u32, u32) = (1120, 400);

/// A run's colour; from the fifth on they come again.
const COLOURS: [RGBColor; 4] = [BLUE, ORANGE, GREEN, RGBColor(147, 51, 234)];

/// Several runs by their names: at the left the losses in training, at the right the accuracies on
/// the test data where there are any. Logarithmic if the losses span more than two decades.
///
/// ```
/// # use wgrad::report::{plot, Epoch, History};
/// let run = |losses: [f64; 2]| -> History {
///     let epochs = (1..).zip(losses);
///     epochs.map(|(epoch, train_loss)| Epoch { epoch, train_loss, ..Epoch::default() }).collect()
/// };
/// let (fast, slow) = (run([1.0, 0.2]), run([2.0, 1.5]));
/// let picture = plot::comparison(&[("fast", &fast), ("slow", &slow)])?;
/// assert!(picture.svg().contains("slow"));
/// # Ok::<(), wgrad::report::ReportError>(())
/// ```
///
/// # Errors
/// [`ReportError::NothingToDraw`] if no run has a finite loss.
pub fn comparison(runs: &[(&str, &History)]) -> Result<Picture, ReportError> {
    let losses = lines(runs, |epoch| Some(epoch.train_loss));
    let accuracies = lines(runs, |epoch| epoch.test_accuracy.map(|share| 100.0 * share));
    let Some((low, high)) = extent(&losses) else {
        let what = "runs without a finite loss";
        return Err(ReportError::NothingToDraw(what.to_owned()));
    };
    let loss = if low > 0.0 && high > WIDE * low {
        Axis::logarithmic("loss", low, high)
    } else {
        let low = low.min(0.0);
        Axis::linear("loss", low, high + 0.04 * (high - low))
    };
    let all = || losses.iter().flat_map(|line| &line.points).map(|p| p.0);
    let last = all().fold(1.0, f64::max);
    let epochs = Axis::counts("epoch", all().fold(last, f64::min), last);
    match extent(&accuracies) {
        None => Picture::draw((SIZE.0 / 2, SIZE.1), |area| {
            chart(area, "Loss in training", &epochs, &loss, &losses)
        }),
        Some((lowest, _)) => Picture::draw(SIZE, |area| {
            let (left, right) = area.split_horizontally(SIZE.0 / 2);
            chart(&left, "Loss in training", &epochs, &loss, &losses)?;
            let percent = Axis::percent("accuracy", lowest);
            chart(&right, "Test accuracy", &epochs, &percent, &accuracies)
        }),
    }
}

/// A line for each run that has the figure.
fn lines(runs: &[(&str, &History)], figure: fn(&Epoch) -> Option<f64>) -> Vec<Line> {
    let coloured = runs.iter().zip(COLOURS.iter().cycle());
    let lines =
        coloured.map(|((name, run), colour)| Line::new(name, *colour, by_epoch(run, figure)));
    lines.filter(|line| !line.points.is_empty()).collect()
}
