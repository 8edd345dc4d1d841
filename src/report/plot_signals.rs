//! A signal report as a picture: variances by layer, measured and predicted, on a logarithmic
//! scale.

use std::ops::Range;
use std::path::Path;

use plotters::prelude::*;

use super::plot::{AXIS, Area, BLUE, FONT, GRID, INK, ORANGE, write};
use super::{LayerSignal, ReportError, Signals};

const SIZE: (u32, u32) = (1040, 460);

/// A measured or predicted variance of a layer, if it can be drawn.
type Value = fn(&LayerSignal) -> Option<f64>;

impl Signals {
    /// Draws the variances of the responses and of the gradients of the layers with weights,
    /// beside the theory's, and writes them to `path` as SVG. Folders that are missing on the way
    /// are made.
    ///
    /// # Errors
    /// [`ReportError::Draw`] without a layer that has weights and a finite variance above zero,
    /// [`ReportError::Write`] if the file cannot be written.
    pub fn plot(&self, path: impl AsRef<Path>) -> Result<(), ReportError> {
        write(&self.svg()?, path.as_ref())
    }

    /// The picture that [`Signals::plot`] writes, as text.
    ///
    /// # Errors
    /// [`ReportError::Draw`] as there.
    pub fn svg(&self) -> Result<String, ReportError> {
        let layers: Vec<&LayerSignal> = self.layers().iter().filter(|l| l.weighted).collect();
        let mut text = String::new();
        draw(&mut text, &layers).map_err(|error| ReportError::Draw(error.to_string()))?;
        Ok(text)
    }
}

fn draw(text: &mut String, layers: &[&LayerSignal]) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let root = root.margin(8, 8, 8, 16);
    let (left, right) = root.split_horizontally(SIZE.0 / 2 - 12);
    let responses: [Value; 2] = [|l| Some(l.response.variance), |l| l.response_theory];
    let gradients: [Value; 2] = [|l| Some(l.gradient.variance), |l| l.gradient_theory];
    panel(&left, "Variance of the responses", layers, responses)?;
    panel(&right, "Variance of the gradients", layers, gradients)?;
    root.present()?;
    Ok(())
}

/// The layers' numbers, from 1, with the variances that have a logarithm.
fn points(layers: &[&LayerSignal], value: Value) -> Vec<(usize, f64)> {
    let numbered = layers.iter().enumerate();
    let points = numbered.filter_map(|(i, layer)| Some((i + 1, value(layer)?)));
    points.filter(|(_, v)| v.is_normal() && *v > 0.0).collect()
}

/// From the decade below the smallest to that above the largest.
fn decades(lines: &[Vec<(usize, f64)>]) -> Option<Range<f64>> {
    let values = || lines.iter().flatten().map(|point| point.1);
    let (low, high) = (values().reduce(f64::min)?, values().reduce(f64::max)?);
    let decade = |value: f64| 10_f64.powf(value);
    Some(decade((low.log10() - 0.3).floor())..decade((high.log10() + 0.3).ceil()))
}

fn panel(
    area: &Area<'_>,
    title: &str,
    layers: &[&LayerSignal],
    values: [Value; 2],
) -> Result<(), Box<dyn std::error::Error>> {
    let lines = values.map(|value| points(layers, value));
    let range = decades(&lines).ok_or("no layer with weights has a variance above zero")?;
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 22).into_font().color(&INK))
        .margin(8)
        .x_label_area_size(48)
        .y_label_area_size(70)
        .build_cartesian_2d(1..layers.len().max(2), range.log_scale())?;
    chart
        .configure_mesh()
        .x_labels(10)
        .x_desc("layer with weights")
        .y_label_formatter(&|value| format!("{value:.0e}"))
        .label_style((FONT, 15).into_font().color(&AXIS))
        .axis_desc_style((FONT, 16).into_font().color(&INK))
        .axis_style(AXIS)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    for ((line, label), colour) in lines.iter().zip(["measured", "theory"]).zip([BLUE, ORANGE]) {
        let style = colour.stroke_width(2);
        chart
            .draw_series(LineSeries::new(line.iter().copied(), style))?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .margin(12)
        .legend_area_size(26)
        .background_style(WHITE.mix(0.9))
        .border_style(GRID)
        .label_font((FONT, 16).into_font().color(&INK))
        .draw()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Moments;

    fn layer(variance: f64, theory: Option<f64>) -> LayerSignal {
        let moments = Moments {
            mean: 0.0,
            variance,
        };
        LayerSignal {
            layer: "conv".to_owned(),
            operator: "conv2d",
            weighted: true,
            response: moments,
            response_theory: theory,
            gradient: moments,
            gradient_theory: None,
        }
    }

    fn drawn(layers: Vec<LayerSignal>) -> String {
        Signals::new(layers)
            .svg()
            .unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn measured_and_predicted_lines_are_drawn() {
        let picture = drawn(vec![layer(1.0, Some(1.0)), layer(1e-6, Some(1e-5))]);
        let lines = |colour: &str| {
            let line = format!("<polyline fill=\"none\" opacity=\"1\" stroke=\"{colour}\"");
            picture.matches(&line).count()
        };
        // In each panel a line and its mark in the legend; the gradients have no theory's line.
        assert_eq!((lines("#2563EB"), lines("#EA580C")), (4, 3));
        assert!(picture.contains("Variance of the gradients") && !picture.contains("NaN"));
    }

    #[test]
    fn what_has_no_logarithm_is_left_out_or_refused() {
        let some = drawn(vec![
            layer(0.0, None),
            layer(2.0, None),
            layer(f64::NAN, None),
        ]);
        assert!(some.starts_with("<svg") && !some.contains("NaN"), "{some}");
        let none = drawn(vec![layer(0.0, None)]);
        assert!(
            none.contains("no layer with weights has a variance above zero"),
            "{none}"
        );
        assert_eq!(drawn(Vec::new()), none);
    }
}
