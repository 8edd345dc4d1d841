//! A signal report as a picture: variances by layer, measured and predicted, on a logarithmic
//! scale.

use std::path::Path;

use super::Picture;
use super::axis::Axis;
use super::chart::{Area, BLUE, Drawn, Line, ORANGE, chart, extent};
use crate::report::{LayerSignal, ReportError, Signals};

const SIZE: (u32, u32) = (1120, 400);

/// A measured or predicted variance of a layer, if it can be drawn.
type Value = fn(&LayerSignal) -> Option<f64>;

impl Signals {
    /// Draws the variances of the responses and of the gradients of the layers with weights,
    /// beside the theory's.
    ///
    /// # Errors
    /// [`ReportError::Draw`] without a layer that has weights and a finite variance above zero.
    pub fn picture(&self) -> Result<Picture, ReportError> {
        let layers: Vec<&LayerSignal> = self.layers().iter().filter(|l| l.weighted).collect();
        Picture::draw(SIZE, |area| draw(area, &layers))
    }

    /// Writes the picture to `path`, see [`Picture::save`].
    ///
    /// # Errors
    /// As [`Signals::picture`] and [`Picture::save`].
    pub fn plot(&self, path: impl AsRef<Path>) -> Result<(), ReportError> {
        self.picture()?.save(path)
    }

    /// The picture as SVG.
    ///
    /// # Errors
    /// As [`Signals::picture`].
    pub fn svg(&self) -> Result<String, ReportError> {
        self.picture().map(|picture| picture.svg)
    }
}

/// Draws both panels, responses at the left.
fn draw(area: &Area<'_>, layers: &[&LayerSignal]) -> Drawn {
    let (left, right) = area.split_horizontally(SIZE.0 / 2);
    let responses: [Value; 2] = [|l| Some(l.response.variance), |l| l.response_theory];
    let gradients: [Value; 2] = [|l| Some(l.gradient.variance), |l| l.gradient_theory];
    panel(&left, "Variance of the responses", layers, responses)?;
    panel(&right, "Variance of the gradients", layers, gradients)
}

/// The layers' numbers, from 1, with the variances that have a logarithm.
fn points(layers: &[&LayerSignal], value: Value) -> Vec<(f64, f64)> {
    let numbered = layers.iter().enumerate();
    let points = numbered.filter_map(|(i, layer)| Some((i as f64 + 1.0, value(layer)?)));
    points.filter(|(_, v)| v.is_normal() && *v > 0.0).collect()
}

fn panel(
    area: &Area<'_>,
    title: &str,
    layers: &[&LayerSignal],
    [measured, theory]: [Value; 2],
) -> Drawn {
    let mut lines = vec![
        Line::new("measured", BLUE, points(layers, measured)),
        Line::new("theory", ORANGE, points(layers, theory)),
    ];
    lines.retain(|line| !line.points.is_empty());
    let (low, high) = extent(&lines).ok_or("no layer with weights has a variance above zero")?;
    let x = Axis::counts("layer with weights", 1.0, layers.len() as f64);
    chart(
        area,
        title,
        &x,
        &Axis::logarithmic("variance", low, high),
        &lines,
    )
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
        // In each panel a line and its mark in the legend; the gradients have no theory.
        assert_eq!((lines("#2563EB"), lines("#EA580C")), (4, 2));
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
