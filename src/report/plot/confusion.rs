//! A confusion matrix as a heat map.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::Picture;
use super::chart::{AXIS, Area, BLUE, Drawn, GRID, INK, text, width};
use crate::report::{Confusion, ReportError};

/// Beyond these nothing could be read.
const MOST_CLASSES: usize = 1000;
/// Up to these, counts are written into the cells.
const WITH_COUNTS: usize = 20;
const LONGEST_NAME: usize = 20;
const TOP: i32 = 88;

/// The matrix as a heat map, true classes by row and predicted ones by column, with their names. A
/// cell is the darker, the larger its share of the true class's samples; up to 20 classes have
/// their counts written in.
///
/// # Errors
/// [`ReportError::NothingToDraw`] for a matrix without predictions, or with more than 1000 classes.
pub fn confusion(confusion: &Confusion) -> Result<Picture, ReportError> {
    let classes = confusion.classes().len();
    if confusion.total() == 0 || classes > MOST_CLASSES {
        let total = confusion.total();
        let what = format!("a confusion matrix of {classes} classes and {total} predictions");
        return Err(ReportError::NothingToDraw(what));
    }
    let map = Map::of(confusion);
    let side = map.cell * classes as i32;
    let size = (map.left + side + 28, TOP + side + map.below + 40);
    Picture::draw((size.0.max(420) as u32, size.1 as u32), |area| {
        map.draw(area)
    })
}

struct Map<'a> {
    confusion: &'a Confusion,
    names: Vec<String>,
    /// Side of a cell.
    cell: i32,
    left: i32,
    /// Room for names below.
    below: i32,
    /// Every how many classes are named.
    every: usize,
}

impl<'a> Map<'a> {
    fn of(confusion: &'a Confusion) -> Self {
        let names: Vec<String> = confusion
            .classes()
            .names()
            .iter()
            .map(|n| name(n))
            .collect();
        let classes = names.len().max(1);
        let cell = (640 / classes as i32).clamp(1, 48);
        let longest = names
            .iter()
            .map(|name| width(name, 12.0))
            .max()
            .unwrap_or(0);
        Self {
            confusion,
            // Names that fit stand upright.
            below: if longest < cell { 20 } else { longest + 10 },
            left: longest + 46,
            every: 14_usize.div_ceil(cell as usize),
            cell,
            names,
        }
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let classes = self.names.len();
        let side = self.cell * classes as i32;
        area.draw_text(
            "Confusion",
            &text(18.0, INK, HPos::Left, VPos::Top),
            (12, 10),
        )?;
        let note = "rows: true class, columns: predicted; darker: larger share of the true class";
        area.draw_text(note, &text(12.0, AXIS, HPos::Left, VPos::Top), (12, 36))?;
        let middle = self.left + side / 2;
        let style = text(13.0, INK, HPos::Center, VPos::Center);
        area.draw_text(
            "predicted class",
            &style,
            (middle, TOP + side + self.below + 20),
        )?;
        let style = style.transform(FontTransform::Rotate270);
        area.draw_text("true class", &style, (18, TOP + side / 2))?;
        for (truth, name) in self.names.iter().enumerate() {
            let at = truth as i32 * self.cell + self.cell / 2;
            if truth % self.every == 0 {
                self.draw_names(area, name, at, side)?;
            }
            self.draw_row(area, truth)?;
        }
        let corners = [(self.left, TOP), (self.left + side, TOP + side)];
        area.draw(&Rectangle::new(corners, AXIS.stroke_width(1)))?;
        Ok(())
    }

    /// A class's name at its row and below its column.
    fn draw_names(&self, area: &Area<'_>, name: &str, at: i32, side: i32) -> Drawn {
        let style = text(12.0, INK, HPos::Right, VPos::Center);
        area.draw_text(name, &style, (self.left - 8, TOP + at))?;
        let (x, y) = (self.left + at, TOP + side + 8);
        match self.below <= 20 {
            true => {
                let style = text(12.0, INK, HPos::Center, VPos::Top);
                area.draw_text(name, &style, (x, y))?;
            }
            false => area.draw_text(name, &style.transform(FontTransform::Rotate270), (x, y))?,
        }
        Ok(())
    }

    fn draw_row(&self, area: &Area<'_>, truth: usize) -> Drawn {
        let classes = self.names.len();
        let of_class: u64 = (0..classes).map(|p| self.confusion.count(truth, p)).sum();
        let top = TOP + truth as i32 * self.cell;
        for predicted in 0..classes {
            let count = self.confusion.count(truth, predicted);
            let left = self.left + predicted as i32 * self.cell;
            let corners = [(left, top), (left + self.cell, top + self.cell)];
            if count > 0 {
                let share = count as f64 / of_class.max(1) as f64;
                area.draw(&Rectangle::new(corners, shade(share).filled()))?;
            }
            if classes <= WITH_COUNTS {
                area.draw(&Rectangle::new(corners, GRID.stroke_width(1)))?;
            }
            if classes <= WITH_COUNTS && count > 0 {
                let dark = count as f64 > 0.35 * of_class as f64;
                let colour = if dark {
                    RGBColor(254, 254, 254)
                } else {
                    RGBColor(17, 24, 39)
                };
                let style = text(12.0, colour, HPos::Center, VPos::Center);
                let middle = (left + self.cell / 2, top + self.cell / 2);
                area.draw_text(&count.to_string(), &style, middle)?;
            }
        }
        Ok(())
    }
}

/// From nearly white to blue; small shares are lifted, since mistakes are what is looked for.
fn shade(share: f64) -> RGBColor {
    let share = 0.08 + 0.92 * share.clamp(0.0, 1.0).powf(0.6);
    let mix = |to: u8| (255.0 + (f64::from(to) - 255.0) * share).round() as u8;
    RGBColor(mix(BLUE.0), mix(BLUE.1), mix(BLUE.2))
}

fn name(class: &str) -> String {
    match class.chars().count() > LONGEST_NAME {
        true => class.chars().take(LONGEST_NAME - 1).chain(['…']).collect(),
        false => class.to_owned(),
    }
}
