//! How the slopes of PReLUs move, and where they end.

use std::collections::BTreeMap;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::Picture;
use super::axis::Axis;
use super::chart::{AXIS, Area, Drawn, GRID, INK, Line, chart, extent, text, width};
use crate::report::{History, LayerSlopes, ReportError};

/// Layers' colours, from the first to the last: in between they are mixed.
const COLOURS: [RGBColor; 4] = [
    RGBColor(37, 99, 235),
    RGBColor(13, 148, 136),
    RGBColor(202, 138, 4),
    RGBColor(234, 88, 12),
];
const LEFT: u32 = 560;
const RIGHT: u32 = 560;
/// Height of a layer's row at the right.
const ROW: i32 = 22;
const LONGEST_NAME: usize = 26;

/// The slopes of the PReLU layers: at the left the mean of each layer by epoch, at the right all
/// slopes at the end, a row for each layer, its mean as a bar. A layer has the same colour on both
/// sides.
///
/// # Errors
/// [`ReportError::NothingToDraw`] for a history without finite slopes.
pub fn slopes(history: &History) -> Result<Picture, ReportError> {
    let layers = by_layer(history);
    let lines: Vec<Line> = layers
        .iter()
        .enumerate()
        .map(|(i, (_, records))| {
            let means = records
                .iter()
                .filter_map(|of| Some((f64::from(of.epoch), of.mean()?)));
            Line::new("", colour(i, layers.len()), means)
        })
        .collect();
    let Some((low, high)) = extent(&lines) else {
        let what = "a history without finite slopes of PReLUs";
        return Err(ReportError::NothingToDraw(what.to_owned()));
    };
    let room = (0.08 * (high - low)).max(0.01);
    let y = Axis::linear("mean slope", low - room, high + room);
    let last = lines
        .iter()
        .flat_map(|line| line.points.last())
        .map(|point| point.0);
    let first = lines
        .iter()
        .flat_map(|line| line.points.first())
        .map(|point| point.0);
    let x = Axis::counts(
        "epoch",
        first.fold(f64::INFINITY, f64::min),
        last.fold(0.0, f64::max),
    );
    let height = (120 + ROW * layers.len() as i32).max(400) as u32;
    Picture::draw((LEFT + RIGHT, height), |area| {
        let (left, right) = area.split_horizontally(LEFT);
        let title = "PReLU slopes, mean of each layer";
        chart(&left, title, &x, &y, &lines)?;
        rows(&right, &layers)
    })
}

/// The records of each layer, in the order in which the layers come first.
fn by_layer(history: &History) -> Vec<(&str, Vec<&LayerSlopes>)> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut layers: Vec<(&str, Vec<&LayerSlopes>)> = Vec::new();
    for record in history.slopes() {
        let place = *places.entry(&record.layer).or_insert(layers.len());
        match layers.get_mut(place) {
            Some((_, records)) => records.push(record),
            None => layers.push((&record.layer, vec![record])),
        }
    }
    layers
}

/// The colour of a layer.
fn colour(layer: usize, layers: usize) -> RGBColor {
    let way = layer as f64 / layers.saturating_sub(1).max(1) as f64 * (COLOURS.len() - 1) as f64;
    let from = (way as usize).min(COLOURS.len() - 2);
    let (RGBColor(r, g, b), RGBColor(s, h, c)) = (COLOURS[from], COLOURS[from + 1]);
    let mix = |a: u8, b: u8| {
        (f64::from(a) + (f64::from(b) - f64::from(a)) * (way - from as f64)).round() as u8
    };
    RGBColor(mix(r, s), mix(g, h), mix(b, c))
}

/// The last slopes, a row for each layer.
fn rows(area: &Area<'_>, layers: &[(&str, Vec<&LayerSlopes>)]) -> Drawn {
    area.draw_text(
        "PReLU slopes at the end",
        &text(18.0, INK, HPos::Left, VPos::Top),
        (12, 10),
    )?;
    let last: Vec<(String, Vec<f64>, Option<f64>)> = layers
        .iter()
        .map(|(layer, records)| {
            let record = records.last();
            let slopes = record.map_or(&[][..], |of| &of.slopes);
            let finite = slopes
                .iter()
                .map(|&s| f64::from(s))
                .filter(|s| s.is_finite());
            (
                name(layer),
                finite.collect(),
                record.and_then(|of| of.mean()),
            )
        })
        .collect();
    let all = || last.iter().flat_map(|row| &row.1).copied();
    // Zero and one are worth seeing: a ReLU, and a layer that is linear.
    let (low, high) = (all().fold(0.0, f64::min), all().fold(0.5, f64::max));
    let axis = Axis::linear("", low - 0.02 * (high - low), high + 0.02 * (high - low));
    let names = last
        .iter()
        .map(|row| width(&row.0, 12.0))
        .max()
        .unwrap_or(0);
    let (begin, end, top) = (names + 28, RIGHT as i32 - 20, 62);
    let bottom = top + ROW * last.len() as i32;
    let place = |slope: f64| {
        let share = (axis.place(slope) - axis.low) / (axis.high - axis.low);
        begin + (share * f64::from(end - begin)).round() as i32
    };
    for mark in &axis.marks {
        let x = place(*mark);
        area.draw(&PathElement::new([(x, top), (x, bottom)], GRID))?;
        let style = text(12.0, AXIS, HPos::Center, VPos::Top);
        area.draw_text(&axis.label(*mark), &style, (x, bottom + 6))?;
    }
    let style = text(13.0, INK, HPos::Center, VPos::Top);
    area.draw_text(
        "slope (a dot per channel, a bar at the mean)",
        &style,
        ((begin + end) / 2, bottom + 26),
    )?;
    for (i, (name, slopes, mean)) in last.iter().enumerate() {
        let (y, colour) = (top + ROW * i as i32 + ROW / 2, colour(i, last.len()));
        area.draw_text(
            name,
            &text(12.0, INK, HPos::Right, VPos::Center),
            (begin - 12, y),
        )?;
        for slope in slopes {
            area.draw(&Circle::new(
                (place(*slope), y),
                3,
                colour.mix(0.45).filled(),
            ))?;
        }
        if let Some(mean) = mean.filter(|mean| mean.is_finite()) {
            let x = place(mean);
            area.draw(&PathElement::new(
                [(x, y - 9), (x, y + 9)],
                colour.stroke_width(3),
            ))?;
        }
    }
    Ok(())
}

/// The end of a long path says more than its beginning.
fn name(layer: &str) -> String {
    match layer.chars().count() {
        count if count > LONGEST_NAME => {
            let end: String = layer.chars().skip(count + 1 - LONGEST_NAME).collect();
            format!("…{end}")
        }
        _ => layer.to_owned(),
    }
}
