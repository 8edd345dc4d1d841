//! Pictures of a training: loss, accuracy, learning rate, the slopes of PReLUs, the filters of the
//! first layer, confusions, the search for a learning rate, several trainings side by side.
//!
//! ```
//! # use wgrad::report::{plot, Epoch, History};
//! let epoch = |epoch, train_loss| Epoch { epoch, train_loss, ..Epoch::default() };
//! let history: History = [epoch(1, 1.5), epoch(2, 0.5)].into_iter().collect();
//! let picture = plot::loss(&history)?;
//! assert!(picture.svg().starts_with("<svg"));
//! # Ok::<(), wgrad::report::ReportError>(())
//! ```

mod axis;
mod chart;
mod comparison;
mod confusion;
mod curves;
mod filters;
#[cfg(feature = "png")]
mod png;
mod signals;
mod slopes;

use std::fmt;
use std::path::Path;

use plotters::prelude::*;

use self::chart::{Area, Drawn};
use super::{ReportError, file};

pub use comparison::comparison;
pub use confusion::confusion;
pub use curves::{accuracy, curves, learning_rate, loss, rate_search, svg};
pub use filters::filters;
pub use slopes::slopes;

/// A drawn picture. Its `Display` is its SVG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    svg: String,
}

impl Picture {
    /// A picture on white, in pixels.
    fn draw(
        size: (u32, u32),
        content: impl FnOnce(&Area<'_>) -> Drawn,
    ) -> Result<Self, ReportError> {
        let mut svg = String::new();
        let draw = || {
            let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            root.fill(&WHITE)?;
            content(&root)?;
            root.present()?;
            Ok(())
        };
        let drawn: Drawn = draw();
        drawn.map_err(|error| ReportError::Draw(error.to_string()))?;
        // XML may hold no other control characters, and plotters passes on those of names.
        let forbidden = |c: char| c.is_control() && c != '\n' && c != '\t';
        let svg = svg.replace(forbidden, "\u{fffd}");
        Ok(Self { svg })
    }

    pub(super) fn from_svg(svg: String) -> Self {
        Self { svg }
    }

    /// The picture as SVG.
    #[must_use]
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// Writes the picture as SVG. Folders that are missing on the way are made; a file is replaced
    /// whole or not at all.
    ///
    /// # Errors
    /// [`ReportError::Write`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ReportError> {
        file::write(path.as_ref(), &self.svg)
    }
}

impl fmt::Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.svg)
    }
}

#[cfg(test)]
mod tests;
