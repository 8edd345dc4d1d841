//! Curves of loss and accuracy, drawn as SVG.

use std::fs;
use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::{Epoch, History, ReportError};

const SIZE: (u32, u32) = (960, 420);
pub(super) const FONT: &str = "system-ui, Helvetica, Arial, sans-serif";
pub(super) const INK: RGBColor = RGBColor(31, 41, 55);
pub(super) const AXIS: RGBColor = RGBColor(107, 114, 128);
pub(super) const GRID: RGBColor = RGBColor(229, 231, 235);
pub(super) const BLUE: RGBColor = RGBColor(37, 99, 235);
pub(super) const ORANGE: RGBColor = RGBColor(234, 88, 12);
const GREEN: RGBColor = RGBColor(5, 150, 105);

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A line of one panel: by epoch, without the epochs that have no finite value.
struct Curve {
    label: String,
    colour: RGBColor,
    points: Vec<(u32, f64)>,
}

impl Curve {
    fn new(
        label: &str,
        colour: RGBColor,
        history: &History,
        value: impl Fn(&Epoch) -> Option<f64>,
    ) -> Self {
        let point = |epoch: &Epoch| {
            Some((epoch.epoch, value(epoch)?)).filter(|(_, value)| value.is_finite())
        };
        let points = history.epochs().iter().filter_map(point).collect();
        Self {
            label: label.to_owned(),
            colour,
            points,
        }
    }
}

/// Draws the training and test losses and, where there is one, the test accuracy by epoch, and
/// writes them to `path` as SVG. Folders that are missing on the way are made.
///
/// # Errors
///
/// [`ReportError::NothingToDraw`] without a finite loss, [`ReportError::Write`] if the file
/// cannot be written.
///
/// ```no_run
/// # let history = wgrad::report::History::default();
/// wgrad::report::plot::curves(&history, "training.svg")?;
/// # Ok::<(), wgrad::report::ReportError>(())
/// ```
pub fn curves(history: &History, path: impl AsRef<Path>) -> Result<(), ReportError> {
    write(&svg(history)?, path.as_ref())
}

/// Writes a picture, and makes the folders on the way.
pub(super) fn write(picture: &str, path: &Path) -> Result<(), ReportError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, picture))
        .map_err(|source| ReportError::Write {
            path: path.to_owned(),
            source,
        })
}

/// The picture that [`curves`] writes, as text.
///
/// # Errors
///
/// [`ReportError::NothingToDraw`] without a finite loss.
pub fn svg(history: &History) -> Result<String, ReportError> {
    let mut losses = vec![
        Curve::new("training", BLUE, history, |epoch| Some(epoch.train_loss)),
        Curve::new("test", ORANGE, history, |epoch| epoch.test_loss),
    ];
    losses.retain(|curve| !curve.points.is_empty());
    if losses.is_empty() {
        let epochs = history.epochs().len();
        let what = format!("a history of {epochs} epochs without a finite loss");
        return Err(ReportError::NothingToDraw(what));
    }
    let accuracy = Curve::new("test", GREEN, history, |epoch| {
        epoch.test_accuracy.map(|share| 100.0 * share)
    });

    let mut text = String::new();
    draw(&mut text, &losses, accuracy).map_err(|error| ReportError::Draw(error.to_string()))?;
    Ok(text)
}

fn draw(
    text: &mut String,
    losses: &[Curve],
    mut accuracy: Curve,
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let root = root.margin(8, 8, 8, 16);
    if accuracy.points.is_empty() {
        panel(&root, "Loss", losses, loss_range(losses), "")?;
    } else {
        let (left, right) = root.split_horizontally(SIZE.0 / 2 - 12);
        panel(&left, "Loss", losses, loss_range(losses), "")?;
        let first_best =
            |best: (u32, f64), next: &(u32, f64)| if next.1 > best.1 { *next } else { best };
        let (epoch, best) = accuracy.points.iter().fold((0, -1.0), first_best);
        accuracy.label = format!("test, best {best:.2} % in epoch {epoch}");
        let range = percent_range(&accuracy);
        panel(&right, "Accuracy", &[accuracy], range, " %")?;
    }
    root.present()?;
    Ok(())
}

fn panel(
    area: &Area<'_>,
    title: &str,
    curves: &[Curve],
    values: Range<f64>,
    unit: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let decimals = decimals(&values);
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 24).into_font().color(&INK))
        .margin(8)
        .x_label_area_size(48)
        .y_label_area_size(60)
        .build_cartesian_2d(epoch_range(curves), values)?;
    chart
        .configure_mesh()
        .x_labels(8)
        .y_labels(8)
        .x_desc("epoch")
        .y_label_formatter(&|value| format!("{value:.decimals$}{unit}"))
        .label_style((FONT, 16).into_font().color(&AXIS))
        .axis_desc_style((FONT, 17).into_font().color(&INK))
        .axis_style(AXIS)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    for curve in curves {
        let style = curve.colour.stroke_width(2);
        chart
            .draw_series(LineSeries::new(curve.points.iter().copied(), style))?
            .label(&curve.label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        // Where lines have few points, the points are worth seeing.
        if curve.points.len() <= 30 {
            let dots = curve
                .points
                .iter()
                .map(|point| Circle::new(*point, 3, curve.colour.filled()));
            chart.draw_series(dots)?;
        }
    }
    let corner = if rises(curves) {
        SeriesLabelPosition::LowerRight
    } else {
        SeriesLabelPosition::UpperRight
    };
    chart
        .configure_series_labels()
        .position(corner)
        .margin(12)
        .legend_area_size(26)
        .background_style(WHITE.mix(0.9))
        .border_style(GRID)
        .label_font((FONT, 17).into_font().color(&INK))
        .draw()?;
    Ok(())
}

/// Whether the first curve ends above its beginning: the corner that the legend leaves free.
fn rises(curves: &[Curve]) -> bool {
    let points = curves.first().map_or(&[][..], |curve| &curve.points);
    points
        .first()
        .zip(points.last())
        .is_some_and(|(first, last)| first.1 < last.1)
}

/// From the first epoch to the last; a single one gets room to its right.
fn epoch_range(curves: &[Curve]) -> Range<u32> {
    let epochs = || {
        curves
            .iter()
            .flat_map(|curve| &curve.points)
            .map(|point| point.0)
    };
    let (first, last) = (epochs().min().unwrap_or(0), epochs().max().unwrap_or(0));
    first..last.max(first.saturating_add(1))
}

/// From zero, or below where a loss is negative, to a little above the largest.
fn loss_range(curves: &[Curve]) -> Range<f64> {
    let values = || {
        curves
            .iter()
            .flat_map(|curve| &curve.points)
            .map(|point| point.1)
    };
    let (low, high) = (
        values().fold(0.0, f64::min),
        values().fold(f64::MIN, f64::max),
    );
    let high = if high > low { high } else { low + 1.0 };
    low..high + 0.04 * (high - low)
}

/// Up to 100 %, from the round number below the lowest value that shows the curve best.
fn percent_range(curve: &Curve) -> Range<f64> {
    let lowest = curve
        .points
        .iter()
        .map(|point| point.1)
        .fold(100.0, f64::min);
    let step = if lowest < 90.0 { 10.0 } else { 1.0 };
    let low = ((lowest / step).floor() * step).clamp(0.0, 100.0 - step);
    low..100.0
}

/// Decimals that tell the marks of an axis apart: its steps are about an eighth of its length.
fn decimals(values: &Range<f64>) -> usize {
    let step = (values.end - values.start) / 8.0;
    if step > 0.0 {
        (-step.log10().floor()).clamp(0.0, 8.0) as usize
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(epochs: &[(f64, Option<f64>)]) -> History {
        let epoch = |(i, (train_loss, test_accuracy)): (usize, &(f64, Option<f64>))| Epoch {
            epoch: i as u32 + 1,
            train_loss: *train_loss,
            test_accuracy: *test_accuracy,
            ..Epoch::default()
        };
        epochs.iter().enumerate().map(epoch).collect()
    }

    fn drawn(epochs: &[(f64, Option<f64>)]) -> String {
        svg(&history(epochs)).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn panels_follow_what_is_known() {
        let both = drawn(&[(2.0, Some(0.5)), (1.0, Some(0.875)), (0.5, Some(0.75))]);
        assert!(both.starts_with("<svg") && both.trim_end().ends_with("</svg>"));
        // Each curve's colour is that of one line in the panel and one in the legend.
        let lines = |colour| {
            both.matches(&format!(
                "<polyline fill=\"none\" opacity=\"1\" stroke=\"{colour}\""
            ))
            .count()
        };
        assert_eq!(["#2563EB", "#EA580C", "#059669"].map(lines), [2, 0, 2]);
        assert_eq!(both.matches("<circle").count(), 6);
        for text in [
            "Loss",
            "Accuracy",
            "training",
            "best 87.50 % in epoch 2",
            "epoch",
        ] {
            assert!(both.contains(text), "{text}");
        }
        let loss_only = drawn(&[(2.0, None), (1.0, None)]);
        assert!(loss_only.contains("Loss") && !loss_only.contains("Accuracy"));
    }

    #[test]
    fn odd_histories_are_drawn_or_refused() {
        assert_eq!(
            drawn(&[]),
            "there is nothing to draw: a history of 0 epochs without a finite loss"
        );
        assert_eq!(
            drawn(&[(f64::NAN, None)]),
            "there is nothing to draw: a history of 1 epochs without a finite loss"
        );
        for epochs in [
            &[(0.0, Some(0.0))][..],
            &[(-5.0, Some(1.0)), (-5.0, Some(1.0))],
            &[(1e-12, None), (f64::INFINITY, None), (1e12, Some(f64::NAN))],
        ] {
            let picture = drawn(epochs);
            assert!(
                picture.starts_with("<svg") && !picture.contains("NaN"),
                "{epochs:?}"
            );
        }
    }

    #[test]
    fn axes_are_round() {
        let lowest = |values: &[f64]| {
            let points = values.iter().map(|value| (1, *value)).collect();
            percent_range(&Curve {
                label: String::new(),
                colour: BLUE,
                points,
            })
            .start
        };
        assert_eq!(lowest(&[97.3, 99.0]), 97.0);
        assert_eq!(lowest(&[43.0, 99.0]), 40.0);
        assert_eq!(lowest(&[100.0]), 99.0);
        assert_eq!(
            [0.0..1.7, 0.0..100.0, 0.0..0.05, 0.0..0.0].map(|r| decimals(&r)),
            [1, 0, 3, 0]
        );
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let error = curves(&history(&[(1.0, None)]), "Cargo.toml/a.svg");
        let text = error.map_or_else(|error| error.to_string(), |()| String::new());
        assert!(
            text.starts_with("cannot write Cargo.toml/a.svg: "),
            "{text}"
        );
    }
}
