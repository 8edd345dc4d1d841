//! A chart of lines over two axes, with its legend above the lines, where it hides none.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Axis;

pub(super) const INK: RGBColor = RGBColor(31, 41, 55);
pub(super) const AXIS: RGBColor = RGBColor(107, 114, 128);
pub(super) const GRID: RGBColor = RGBColor(229, 231, 235);
// Told apart with any colour vision, and seen on light and dark ground.
pub(super) const BLUE: RGBColor = RGBColor(37, 99, 235);
pub(super) const ORANGE: RGBColor = RGBColor(234, 88, 12);
pub(super) const GREEN: RGBColor = RGBColor(5, 150, 105);

/// Height of title and legend.
const HEAD: i32 = 58;
const FAMILY: &str = "system-ui, Helvetica, Arial, sans-serif";

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Drawn = Result<(), Box<dyn std::error::Error>>;

/// A font of this height in pixels; plotters writes sizes that are 1.24 times as large.
pub(super) fn font(pixels: f64) -> FontDesc<'static> {
    (FAMILY, pixels * 1.24).into_font()
}

/// A style of text that hangs at a point: `horizontal` and `vertical` say by which side.
pub(super) fn text(
    pixels: f64,
    colour: RGBColor,
    horizontal: HPos,
    vertical: VPos,
) -> TextStyle<'static> {
    font(pixels)
        .color(&colour)
        .pos(Pos::new(horizontal, vertical))
}

/// About as wide as a text is in such a font; plotters itself knows no fonts.
pub(super) fn width(text: &str, pixels: f64) -> i32 {
    (0.56 * pixels * text.chars().count() as f64).ceil() as i32
}

/// A line of a chart.
pub(super) struct Line {
    /// Its words in the legend; no words, no entry.
    pub(super) label: String,
    pub(super) colour: RGBColor,
    /// Finite, in order.
    pub(super) points: Vec<(f64, f64)>,
    /// Drawn thin and pale, behind the others.
    pub(super) faint: bool,
}

impl Line {
    /// A line of those points whose numbers are finite.
    pub(super) fn new(
        label: &str,
        colour: RGBColor,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        let finite = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
        Self {
            label: label.to_owned(),
            colour,
            points: points.into_iter().filter(finite).collect(),
            faint: false,
        }
    }

    fn style(&self) -> ShapeStyle {
        match self.faint {
            true => self.colour.mix(0.4).stroke_width(1),
            false => self.colour.stroke_width(2),
        }
    }
}

/// The smallest and the largest ordinate of some lines.
pub(super) fn extent<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Option<(f64, f64)> {
    let values = lines
        .into_iter()
        .flat_map(|line| &line.points)
        .map(|point| point.1);
    values
        .map(|value| (value, value))
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// Draws title, legend, axes and lines.
pub(super) fn chart(area: &Area<'_>, title: &str, x: &Axis, y: &Axis, lines: &[Line]) -> Drawn {
    let (head, body) = area.split_vertically(HEAD);
    head.draw_text(title, &text(18.0, INK, HPos::Left, VPos::Top), (12, 10))?;
    legend(&head, lines)?;
    let widest = y
        .marks
        .iter()
        .map(|mark| width(&y.label(*mark), 12.0))
        .max();
    let mut chart = ChartBuilder::on(&body)
        .margin_right(18)
        .margin_top(8)
        .margin_bottom(6)
        .margin_left(8)
        .x_label_area_size(44)
        .y_label_area_size(widest.unwrap_or(0) + 30)
        .build_cartesian_2d(Places(x.clone()), Places(y.clone()))?;
    chart
        .configure_mesh()
        .x_desc(&x.title)
        .y_desc(&y.title)
        .x_label_formatter(&|place| x.label(*place))
        .y_label_formatter(&|place| y.label(*place))
        .label_style(font(12.0).color(&AXIS))
        .axis_desc_style(font(13.0).color(&INK))
        .axis_style(AXIS)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    for line in lines {
        let places = line
            .points
            .iter()
            .map(|point| (x.place(point.0), y.place(point.1)));
        let places: Vec<_> = places.collect();
        // Where lines have few points, the points are worth seeing.
        if places.len() <= 30 && !line.faint {
            let dot = |place: &(f64, f64)| Circle::new(*place, 3, line.colour.filled());
            chart.draw_series(places.iter().map(dot))?;
        }
        chart.draw_series(LineSeries::new(places, line.style()))?;
    }
    Ok(())
}

/// An axis as plotters wants it, with our marks.
struct Places(Axis);

impl Ranged for Places {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (place - self.0.low) / (self.0.high - self.0.low);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match hint.weight().allow_light_points() {
            true => Vec::new(),
            false => self.0.marks.clone(),
        }
    }

    fn range(&self) -> Range<f64> {
        self.0.low..self.0.high
    }
}

/// The lines' names in a row below the title.
fn legend(head: &Area<'_>, lines: &[Line]) -> Drawn {
    let mut x = 12;
    for line in lines.iter().filter(|line| !line.label.is_empty()) {
        let y = HEAD - 14;
        head.draw(&PathElement::new([(x, y), (x + 22, y)], line.style()))?;
        let style = text(13.0, INK, HPos::Left, VPos::Center);
        head.draw_text(&line.label, &style, (x + 28, y))?;
        x += 28 + width(&line.label, 13.0) + 22;
    }
    Ok(())
}
