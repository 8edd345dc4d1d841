//! The filters of a first layer as small images.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::Picture;
use super::chart::{AXIS, Area, Drawn, INK, text};
use crate::report::{Filters, ReportError};

/// Filters beyond these are not drawn.
const MOST: usize = 64;
/// Inputs beyond these are not drawn, where inputs are not colours.
const MOST_INPUTS: usize = 8;
const WIDTH: i32 = 640;
const GAP: i32 = 8;
const MARGIN: i32 = 12;
const HEAD: i32 = 62;

/// The filters as small images, at most 64: of one input in greys, of three as colours (red, green,
/// blue), and of others a row of grey images for each, one per input, at most eight. Grey is a
/// weight of zero; each filter is scaled by its largest weight, so that lighter is positive and
/// darker negative. What is not finite is drawn as zero.
///
/// ```
/// # use wgrad::report::{plot, Filters};
/// let edges = vec![-1.0, 0.0, 1.0, -1.0, -1.0, 0.0, 0.0, 1.0];
/// let picture = plot::filters(&Filters::new("conv1", [2, 1, 2, 2], edges)?)?;
/// assert!(picture.svg().contains("2 filters of conv1"));
/// # Ok::<(), wgrad::report::ReportError>(())
/// ```
///
/// # Errors
/// [`ReportError::Draw`] if the drawing library refuses.
pub fn filters(filters: &Filters) -> Result<Picture, ReportError> {
    let grid = Grid::of(filters);
    Picture::draw((WIDTH as u32, grid.height() as u32), |area| grid.draw(area))
}

/// Where the images stand.
struct Grid<'a> {
    filters: &'a Filters,
    shown: usize,
    /// Images a filter: one, or one per input.
    images: usize,
    /// Filters in a line.
    columns: usize,
    /// Side of a weight.
    pixel: i32,
}

impl<'a> Grid<'a> {
    fn of(filters: &'a Filters) -> Self {
        let [outputs, inputs, _, columns] = filters.shape();
        let images = if matches!(inputs, 1 | 3) {
            1
        } else {
            inputs.min(MOST_INPUTS)
        };
        let shown = outputs.min(MOST);
        let room = WIDTH - 2 * MARGIN;
        // As large as fits in lines of sixteen, eight or fewer filters, within reason.
        let across = match images {
            1 => shown.clamp(1, if shown > 32 { 16 } else { 8 }),
            _ => 1,
        };
        let tiles = (across * images) as i32;
        let tile = ((room - GAP * (tiles - 1)) / tiles).min(72);
        let pixel = (tile / columns.max(1) as i32).max(1);
        Self {
            filters,
            shown,
            images,
            columns: across,
            pixel,
        }
    }

    /// Columns and rows of an image in pixels, with the gap behind it.
    fn pitch(&self) -> (i32, i32) {
        let [_, _, rows, columns] = self.filters.shape();
        (
            self.pixel * columns as i32 + GAP,
            self.pixel * rows as i32 + GAP,
        )
    }

    fn height(&self) -> i32 {
        HEAD + self.shown.div_ceil(self.columns) as i32 * self.pitch().1 + MARGIN
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let [outputs, inputs, rows, columns] = self.filters.shape();
        let first = if self.shown < outputs {
            format!("The first {} of ", self.shown)
        } else {
            String::new()
        };
        let title = format!("{first}{outputs} filters of {}", self.filters.layer());
        area.draw_text(
            &title,
            &text(18.0, INK, HPos::Left, VPos::Top),
            (MARGIN, 10),
        )?;
        let part = if self.images > 1 && self.images < inputs {
            format!(", the first {} inputs", self.images)
        } else {
            String::new()
        };
        let note = format!(
            "{inputs}×{rows}×{columns} weights each{part}; grey is 0, scaled by the filter's largest weight"
        );
        area.draw_text(
            &note,
            &text(12.0, AXIS, HPos::Left, VPos::Top),
            (MARGIN, 36),
        )?;
        let (across, down) = self.pitch();
        for output in 0..self.shown {
            let weights = self.filters.filter(output);
            let largest = weights
                .iter()
                .filter(|w| w.is_finite())
                .fold(0.0, |m: f32, w| m.max(w.abs()));
            for image in 0..self.images {
                let column = (output % self.columns) * self.images + image;
                let corner = (
                    MARGIN + column as i32 * across,
                    HEAD + (output / self.columns) as i32 * down,
                );
                self.draw_image(area, corner, image, weights, largest)?;
            }
        }
        Ok(())
    }

    fn draw_image(
        &self,
        area: &Area<'_>,
        (left, top): (i32, i32),
        image: usize,
        weights: &[f32],
        largest: f32,
    ) -> Drawn {
        let [_, inputs, rows, columns] = self.filters.shape();
        let level = |input: usize, at: usize| {
            let weight = weights
                .get(input * rows * columns + at)
                .copied()
                .unwrap_or(0.0);
            grey(weight, largest)
        };
        for at in 0..rows * columns {
            let colour = match inputs {
                3 => RGBColor(level(0, at), level(1, at), level(2, at)),
                _ => RGBColor(level(image, at), level(image, at), level(image, at)),
            };
            let (x, y) = (
                left + self.pixel * (at % columns) as i32,
                top + self.pixel * (at / columns) as i32,
            );
            let corners = [(x, y), (x + self.pixel, y + self.pixel)];
            area.draw(&Rectangle::new(corners, colour.filled()))?;
        }
        Ok(())
    }
}

/// 128 for zero, 1 to 255 for minus to plus the largest weight.
fn grey(weight: f32, largest: f32) -> u8 {
    if !weight.is_finite() || largest <= 0.0 {
        return 128;
    }
    (128.0 + 127.0 * weight / largest).round().clamp(0.0, 255.0) as u8
}
