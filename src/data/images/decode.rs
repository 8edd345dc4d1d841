//! From a file to the planes of a sample.

use std::io::Cursor;
use std::path::Path;

use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits, RgbImage};

use super::super::file;
use super::{Channels, DataError, FileFault, Fit, Form};

/// Bytes that decoding one image may take: 8,000 × 8,000 pixels of 32 bits, and what its header
/// asks for beyond is refused.
const MEMORY: u64 = 1 << 28;

/// Writes the image in `path` to `out`, plane by plane.
pub(super) fn decode(path: &Path, form: &Form, out: &mut [u8]) -> Result<(), DataError> {
    let bytes = file::read(path)?;
    let image = read(&bytes).map_err(|error| {
        let reason = error.to_string();
        DataError::file(path, FileFault::Image { reason })
    })?;
    let image = scale(&flatten(image, form), form);
    match form.channels {
        Channels::Grey => out.copy_from_slice(image.into_luma8().as_raw()),
        Channels::Rgb => planes::<3>(image.into_rgb8().as_raw(), out),
        Channels::Rgba => planes::<4>(image.into_rgba8().as_raw(), out),
    }
    Ok(())
}

/// Decodes by the file's first bytes, whatever its name says, and turns it upright.
fn read(bytes: &[u8]) -> Result<DynamicImage, ImageError> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// Puts an image with transparency on the background, unless transparency is asked for.
fn flatten(image: DynamicImage, form: &Form) -> DynamicImage {
    if form.channels == Channels::Rgba || !image.color().has_alpha() {
        return image;
    }
    let image = image.into_rgba8();
    let (width, height) = image.dimensions();
    let mut flat = RgbImage::new(width, height);
    for (to, from) in flat.pixels_mut().zip(image.pixels()) {
        let [red, green, blue, alpha] = from.0;
        let over = |front: u8, back: u8| {
            let (front, back, alpha) = (u32::from(front), u32::from(back), u32::from(alpha));
            ((front * alpha + back * (255 - alpha) + 127) / 255) as u8
        };
        let [r, g, b] = form.background;
        to.0 = [over(red, r), over(green, g), over(blue, b)];
    }
    flat.into()
}

/// Cuts first and scales then, so that no image, however long and thin, grows on the way.
fn scale(image: &DynamicImage, form: &Form) -> DynamicImage {
    let (width, height) = (image.width(), image.height());
    let (columns, rows) = match form.fit {
        Fit::Stretch => (width, height),
        Fit::Crop => window(width, height, form, f64::INFINITY),
        Fit::ShorterSide(length) => {
            let pixels = f64::from(width.min(height)) / f64::from(length.max(1));
            window(width, height, form, pixels)
        }
    };
    let (left, top) = ((width - columns) / 2, (height - rows) / 2);
    let part = image.crop_imm(left, top, columns, rows);
    if (columns, rows) == (form.width, form.height) {
        return part;
    }
    part.resize_exact(form.width, form.height, FilterType::Triangle)
}

/// Columns and rows of the part that becomes the sample, at most `pixels` of the image to one of
/// the sample.
fn window(width: u32, height: u32, form: &Form, pixels: f64) -> (u32, u32) {
    let across = f64::from(width) / f64::from(form.width);
    let down = f64::from(height) / f64::from(form.height);
    let pixels = pixels.min(across).min(down);
    let side = |size: u32, all: u32| ((f64::from(size) * pixels).round() as u32).clamp(1, all);
    (side(form.width, width), side(form.height, height))
}

/// `[row, column, channel]` to `[channel, row, column]`.
fn planes<const CHANNELS: usize>(pixels: &[u8], out: &mut [u8]) {
    let len = (out.len() / CHANNELS).max(1);
    for (channel, plane) in out.chunks_exact_mut(len).enumerate() {
        let values = pixels.as_chunks::<CHANNELS>().0.iter();
        for (to, pixel) in plane.iter_mut().zip(values) {
            *to = pixel[channel];
        }
    }
}
