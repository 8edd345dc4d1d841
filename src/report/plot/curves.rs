//! Curves over the epochs of a training.

use std::path::Path;

use super::Picture;
use super::axis::Axis;
use super::chart::{Area, BLUE, Drawn, GREEN, Line, ORANGE, chart, extent};
use crate::report::history::significant;
use crate::report::{Epoch, History, ReportError, StepLoss};

const SIZE: (u32, u32) = (640, 400);
const PAIR: (u32, u32) = (1120, 400);

/// Losses of steps are drawn as at most this many means.
const MEANS: usize = 300;

/// A loss that falls by this factor is drawn on a logarithmic axis.
pub(super) const WIDE: f64 = 100.0;

/// The losses on training and test data by epoch, and, pale behind them, those of the steps where
/// they are known. Logarithmic if they span more than two decades. Epochs whose loss is not finite
/// are left out.
///
/// # Errors
/// [`ReportError::NothingToDraw`] without a finite loss.
pub fn loss(history: &History) -> Result<Picture, ReportError> {
    let chart = Loss::of(history)?;
    Picture::draw(SIZE, |area| chart.draw(area))
}

/// The accuracy on the test data by epoch.
///
/// # Errors
/// [`ReportError::NothingToDraw`] without one.
pub fn accuracy(history: &History) -> Result<Picture, ReportError> {
    let line = accuracy_line(history).ok_or_else(|| nothing(history, "accuracy"))?;
    Picture::draw(SIZE, |area| draw_accuracy(area, history, line))
}

/// The learning rate of each epoch's last step, on a logarithmic axis, without rates of 0.
///
/// # Errors
/// [`ReportError::NothingToDraw`] if there is none above 0.
pub fn learning_rate(history: &History) -> Result<Picture, ReportError> {
    let rates = by_epoch(history, |epoch| {
        Some(epoch.learning_rate).filter(|rate| *rate > 0.0)
    });
    let line = Line::new("", BLUE, rates);
    let (low, high) = extent([&line]).ok_or_else(|| nothing(history, "learning rate"))?;
    let y = Axis::logarithmic("learning rate", low, high);
    Picture::draw(SIZE, |area| {
        let title = "Learning rate at the end of each epoch";
        chart(area, title, &epochs(history, false), &y, &[line])
    })
}

/// The losses of a search for a learning rate, given as pairs of rate and loss; rates on a
/// logarithmic axis. The rate of the smallest loss is named. Where the search ends in losses far
/// above the first ones, these are cut off.
///
/// ```
/// # use wgrad::report::plot;
/// let picture = plot::rate_search(&[(1e-4, 2.3), (1e-3, 2.1), (1e-2, 1.2), (0.1, 8.0)])?;
/// assert!(picture.svg().contains("smallest loss at a rate of 0.01"));
/// # Ok::<(), wgrad::report::ReportError>(())
/// ```
///
/// # Errors
/// [`ReportError::NothingToDraw`] without a pair of finite numbers whose rate is above 0.
pub fn rate_search(pairs: &[(f64, f64)]) -> Result<Picture, ReportError> {
    let valid = pairs.iter().copied().filter(|pair| pair.0 > 0.0);
    let mut line = Line::new("", BLUE, valid);
    let smallest = |best: (f64, f64), next: (f64, f64)| if next.1 < best.1 { next } else { best };
    let best = line.points.iter().copied().reduce(smallest);
    let (Some(best), Some(first)) = (best, line.points.first().copied()) else {
        let what = "a search for a learning rate without a finite loss";
        return Err(ReportError::NothingToDraw(what.to_owned()));
    };
    let rate = significant(best.0);
    line.label = format!("training, smallest loss at a rate of {rate}");
    let rates = || line.points.iter().map(|point| point.0);
    let (low, high) = (
        rates().fold(best.0, f64::min),
        rates().fold(best.0, f64::max),
    );
    let x = Axis::logarithmic("learning rate", low, high);
    // From the first loss the interesting ones go down; the way up says only that they diverge.
    let room = (first.1 - best.1).abs().max(1e-3 * best.1.abs());
    let top = extent([&line]).map_or(first.1, |(_, high)| high.min(first.1 + room));
    let y = Axis::linear("loss", best.1.min(0.0).max(best.1 - room), top.max(best.1));
    Picture::draw(SIZE, |area| {
        chart(area, "Search for a learning rate", &x, &y, &[line])
    })
}

/// Draws the losses and, where there is one, the accuracy beside them, and writes them to `path`,
/// see [`Picture::save`].
///
/// # Errors
/// As [`loss`] and [`Picture::save`].
///
/// ```no_run
/// # let history = wgrad::report::History::default();
/// wgrad::report::plot::curves(&history, "training.svg")?;
/// # Ok::<(), wgrad::report::ReportError>(())
/// ```
pub fn curves(history: &History, path: impl AsRef<Path>) -> Result<(), ReportError> {
    pair(history)?.save(path)
}

/// The picture that [`curves`] writes, as SVG.
///
/// # Errors
/// As [`loss`].
pub fn svg(history: &History) -> Result<String, ReportError> {
    pair(history).map(|picture| picture.svg)
}

fn pair(history: &History) -> Result<Picture, ReportError> {
    let Some(line) = accuracy_line(history) else {
        return loss(history);
    };
    let chart = Loss::of(history)?;
    Picture::draw(PAIR, |area| {
        let (left, right) = area.split_horizontally(PAIR.0 / 2);
        chart.draw(&left)?;
        draw_accuracy(&right, history, line)
    })
}

/// The lines of a chart of losses, from back to front, and its axes.
struct Loss {
    lines: Vec<Line>,
    x: Axis,
    y: Axis,
}

impl Loss {
    fn of(history: &History) -> Result<Self, ReportError> {
        let training = by_epoch(history, |epoch| Some(epoch.train_loss));
        let mut curves = vec![
            Line::new("training", BLUE, training),
            Line::new("test", ORANGE, by_epoch(history, |epoch| epoch.test_loss)),
        ];
        let (low, high) = extent(&curves).ok_or_else(|| nothing(history, "loss"))?;
        let steps = Line {
            faint: true,
            ..Line::new("training, by step", BLUE, means_of_steps(history))
        };
        let y = if low > 0.0 && high > WIDE * low {
            Axis::logarithmic("loss", low, high)
        } else {
            // Single steps far above do not squeeze the curves.
            let highest = extent([&steps]).map_or(high, |(_, highest)| highest);
            let (low, high) = (low.min(0.0), highest.clamp(high, high.max(1.5 * high)));
            Axis::linear("loss", low, high + 0.04 * (high - low))
        };
        let x = epochs(history, !steps.points.is_empty());
        let mut lines = vec![steps];
        lines.append(&mut curves);
        lines.retain(|line| !line.points.is_empty());
        Ok(Self { lines, x, y })
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        chart(area, "Loss", &self.x, &self.y, &self.lines)
    }
}

fn accuracy_line(history: &History) -> Option<Line> {
    let percent = |epoch: &Epoch| epoch.test_accuracy.map(|share| 100.0 * share);
    let mut line = Line::new("", GREEN, by_epoch(history, percent));
    let first_best = |best: (f64, f64), next: (f64, f64)| if next.1 > best.1 { next } else { best };
    let (epoch, best) = line.points.iter().copied().reduce(first_best)?;
    line.label = format!("test, best {best:.2} % in epoch {epoch}");
    Some(line)
}

fn draw_accuracy(area: &Area<'_>, history: &History, line: Line) -> Drawn {
    let lowest = extent([&line]).map_or(0.0, |(low, _)| low);
    let (x, y) = (epochs(history, false), Axis::percent("accuracy", lowest));
    chart(area, "Accuracy", &x, &y, &[line])
}

/// A figure of each epoch, where it is known.
pub(super) fn by_epoch(
    history: &History,
    figure: impl Fn(&Epoch) -> Option<f64>,
) -> impl Iterator<Item = (f64, f64)> {
    let epochs = history.epochs().iter();
    epochs.filter_map(move |epoch| Some((f64::from(epoch.epoch), figure(epoch)?)))
}

/// From the first epoch, or its beginning, to the last.
fn epochs(history: &History, beginning: bool) -> Axis {
    let numbers = || history.epochs().iter().map(|epoch| f64::from(epoch.epoch));
    let first = numbers().reduce(f64::min).unwrap_or(1.0);
    let last = numbers().reduce(f64::max).unwrap_or(1.0);
    Axis::counts("epoch", if beginning { first - 1.0 } else { first }, last)
}

/// The losses of the steps by fractions of epochs, as means of neighbours where there are many.
fn means_of_steps(history: &History) -> Vec<(f64, f64)> {
    let losses = history.losses();
    let Some(first) = losses.first() else {
        return Vec::new();
    };
    let mut points = Vec::with_capacity(losses.len());
    let mut begin = first.step.saturating_sub(1);
    let mut rest = losses;
    for epoch in history.epochs() {
        let (of_epoch, later) = rest.split_at(rest.partition_point(|loss| loss.step <= epoch.step));
        let length = epoch.step.saturating_sub(begin).max(1) as f64;
        let place = |loss: &StepLoss| {
            let fraction = loss.step.saturating_sub(begin) as f64 / length;
            (
                f64::from(epoch.epoch) - 1.0 + fraction,
                f64::from(loss.loss),
            )
        };
        points.extend(
            of_epoch
                .iter()
                .map(place)
                .filter(|point| point.1.is_finite()),
        );
        (begin, rest) = (epoch.step, later);
    }
    let mean = |neighbours: &[(f64, f64)]| {
        let count = neighbours.len() as f64;
        let sum = neighbours
            .iter()
            .fold((0.0, 0.0), |sum, p| (sum.0 + p.0, sum.1 + p.1));
        (sum.0 / count, sum.1 / count)
    };
    points
        .chunks(points.len().div_ceil(MEANS).max(1))
        .map(mean)
        .collect()
}

fn nothing(history: &History, what: &str) -> ReportError {
    let epochs = history.epochs().len();
    ReportError::NothingToDraw(format!(
        "a history of {epochs} epochs without a finite {what}"
    ))
}
