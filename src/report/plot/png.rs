//! Pictures as PNG: the SVG, drawn with a font that comes along, so that every machine draws the
//! same.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};

use super::Picture;
use crate::report::{ReportError, file};

/// Larger pictures are refused; a picture of 16384 by 16384 takes a gigabyte while it is drawn.
const LARGEST: f32 = 16384.0;

static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
    let family = fonts
        .faces()
        .next()
        .and_then(|face| Some(face.families.first()?.0.clone()));
    fonts.set_sans_serif_family(family.unwrap_or_default());
    Arc::new(fonts)
});

impl Picture {
    /// The picture as a PNG file, `scale` times as large as the SVG says.
    ///
    /// ```
    /// # use wgrad::report::plot;
    /// let png = plot::rate_search(&[(0.01, 2.0), (0.1, 1.0)])?.to_png(2.0)?;
    /// assert!(png.starts_with(b"\x89PNG"));
    /// # Ok::<(), wgrad::report::ReportError>(())
    /// ```
    ///
    /// # Errors
    /// [`ReportError::Draw`] for a scale at which the picture would have no pixels, or more than
    /// 16384 in a row or column.
    #[cfg_attr(docsrs, doc(cfg(feature = "png")))]
    pub fn to_png(&self, scale: f32) -> Result<Vec<u8>, ReportError> {
        self.rasterise(scale).map(|(png, _)| png)
    }

    /// Writes [`Picture::to_png`] to a file, as [`Picture::save`] does.
    ///
    /// # Errors
    /// As [`Picture::to_png`]; [`ReportError::Write`].
    #[cfg_attr(docsrs, doc(cfg(feature = "png")))]
    pub fn save_png(&self, path: impl AsRef<Path>, scale: f32) -> Result<(), ReportError> {
        file::write(path.as_ref(), self.to_png(scale)?)
    }

    /// The PNG, its columns and its rows.
    pub(crate) fn rasterise(&self, scale: f32) -> Result<(Vec<u8>, [u32; 2]), ReportError> {
        let refuse = |reason: String| ReportError::Draw(reason);
        let options = Options {
            fontdb: FONTS.clone(),
            ..Options::default()
        };
        let tree =
            Tree::from_str(&self.svg, &options).map_err(|error| refuse(error.to_string()))?;
        let (width, height) = (tree.size().width() * scale, tree.size().height() * scale);
        let mut pixmap = [width, height]
            .iter()
            .all(|side| (1.0..=LARGEST).contains(side))
            .then(|| Pixmap::new(width.ceil() as u32, height.ceil() as u32))
            .flatten()
            .ok_or_else(|| refuse(format!("a PNG of {width} by {height} pixels")))?;
        resvg::render(
            &tree,
            Transform::from_scale(scale, scale),
            &mut pixmap.as_mut(),
        );
        let png = pixmap.encode_png();
        let png = png.map_err(|error| refuse(error.to_string()))?;
        Ok((png, [pixmap.width(), pixmap.height()]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::rate_search;

    #[test]
    fn text_is_drawn_and_sizes_are_checked() {
        let picture = rate_search(&[(0.1, 1.0), (1.0, 2.0)]);
        let png = |scale| match &picture {
            Ok(picture) => picture.to_png(scale).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let Ok(bytes) = png(1.0) else {
            panic!("{:?}", png(1.0))
        };
        // Width and height, in the header.
        assert_eq!(bytes[16..24], [0, 0, 2, 128, 0, 0, 1, 144]);
        let pixels = resvg::tiny_skia::Pixmap::decode_png(&bytes);
        // Title: dark pixels in the upper left corner, where nothing else is drawn.
        let dark = pixels.map(|pixels| {
            let inside = |i: &usize| i % 640 < 200 && i / 640 < 30;
            let pixels = pixels.pixels().iter().enumerate();
            pixels.filter(|(i, p)| inside(i) && p.red() < 128).count()
        });
        assert!(dark.as_ref().is_ok_and(|dark| *dark > 100), "{dark:?}");
        for scale in [0.0, -1.0, f32::NAN, 1e9] {
            assert!(png(scale).is_err_and(|e| e.starts_with("cannot draw: a PNG of")));
        }
    }
}
