//! Changes of single images `[C, H, W]`, as torchvision defines them.
//!
//! Source: torchvision 0.29, `transforms.functional.affine` with bilinear
//! interpolation, `adjust_brightness`, `adjust_contrast`, `adjust_saturation`;
//! `PyTorch`, `grid_sample` with padding by zeros and by the border.

use super::Tensor;

/// Turning, scaling, shearing and moving about the centre.
#[derive(Clone, Copy, Debug, Default)]
pub struct Affine {
    /// Degrees, clockwise.
    pub angle: f64,
    /// Columns to the right and rows down.
    pub translation: [f64; 2],
    pub scale: f64,
    /// Degrees, horizontally and vertically.
    pub shear: [f64; 2],
}

impl Affine {
    /// What a pixel of the result shows: the place from which
    /// `translate · rotate · scale · shear vertically · shear horizontally`
    /// leads to it. Places are row and column.
    pub fn source(&self, place: [f64; 2], size: [usize; 2]) -> [f64; 2] {
        let middle = size.map(|length| (length as f64 - 1.0) / 2.0);
        let x = place[1] - middle[1] - self.translation[0];
        let y = place[0] - middle[0] - self.translation[1];
        let (sin, cos) = self.angle.to_radians().sin_cos();
        let (x, y) = (x * cos + y * sin, y * cos - x * sin);
        let (x, y) = (x / self.scale, y / self.scale);
        let [across, along] = self.shear.map(|degrees| degrees.to_radians().tan());
        let y = y + along * x;
        let x = x + across * y;
        [y + middle[0], x + middle[1]]
    }
}

/// The image between its pixels. Outside are zeros, or its edge goes on.
pub fn bilinear(image: &Tensor, channel: usize, place: [f64; 2], edge: bool) -> f64 {
    let (height, width) = (image.shape[1] as i64, image.shape[2] as i64);
    let pixel = |row: i64, column: i64| {
        let nearest = (row.clamp(0, height - 1), column.clamp(0, width - 1));
        let inside = nearest == (row, column);
        let index = (channel as i64 * height + nearest.0) * width + nearest.1;
        if inside || edge {
            image.data[index as usize]
        } else {
            0.0
        }
    };
    let mut sum = 0.0;
    for row in [place[0].floor(), place[0].floor() + 1.0] {
        for column in [place[1].floor(), place[1].floor() + 1.0] {
            let share = (1.0 - (place[0] - row).abs()) * (1.0 - (place[1] - column).abs());
            sum += share * pixel(row as i64, column as i64);
        }
    }
    sum
}

/// The image of what each of its pixels shows.
pub fn resampled(image: &Tensor, edge: bool, source: impl Fn([f64; 2]) -> [f64; 2]) -> Tensor {
    Tensor::from_fn(&image.shape, |index| {
        let place = [index[1] as f64, index[2] as f64];
        bilinear(image, index[0], source(place), edge)
    })
}

/// `f·x`, at most white.
pub fn brightness(image: &Tensor, factor: f64, white: f64) -> Tensor {
    image.map(|x| (factor * x).clamp(0.0, white))
}

/// Red, green and blue by how bright they seem; of other images the mean of
/// the channels.
pub fn grey(image: &Tensor) -> Vec<f64> {
    let channels = image.shape[0];
    let weights = match channels {
        3 => vec![0.2989, 0.587, 0.114],
        _ => vec![1.0 / channels as f64; channels],
    };
    let pixels = image.shape[1] * image.shape[2];
    let of_pixel = |pixel: usize| {
        let channels = weights.iter().enumerate();
        channels
            .map(|(c, weight)| weight * image.data[c * pixels + pixel])
            .sum()
    };
    (0..pixels).map(of_pixel).collect()
}

/// `f·x + (1 − f)·m`, m being the mean of the grey image.
pub fn contrast(image: &Tensor, factor: f64, white: f64) -> Tensor {
    let grey = grey(image);
    let mean = grey.iter().sum::<f64>() / grey.len() as f64;
    image.map(|x| (factor * x + (1.0 - factor) * mean).clamp(0.0, white))
}

/// `f·x + (1 − f)·g`, g being the grey of the pixel.
pub fn saturation(image: &Tensor, factor: f64, white: f64) -> Tensor {
    let grey = grey(image);
    let width = image.shape[2];
    Tensor::from_fn(&image.shape, |index| {
        let pixel = index[1] * width + index[2];
        let x = image.data[index[0] * grey.len() + pixel];
        (factor * x + (1.0 - factor) * grey[pixel]).clamp(0.0, white)
    })
}

#[cfg(test)]
mod tests {
    use super::super::pytorch::{Case, for_each_case_of};
    use super::*;

    static TORCHVISION: &[u8] = include_bytes!("../golden/augment.safetensors");

    /// A case has one image.
    fn image(case: &Case) -> Tensor {
        let x = case.get("x");
        Tensor::new(&x.shape[1..], x.data)
    }

    fn check(case: &Case, y: &Tensor) {
        let shape = [&[1][..], &y.shape].concat();
        case.check("y", &Tensor::new(&shape, y.data.clone()));
    }

    #[test]
    fn colours_as_torchvision() {
        type Adjust = fn(&Tensor, f64, f64) -> Tensor;
        let adjusts: [(&str, usize, Adjust); 3] = [
            ("brightness", 4, brightness),
            ("contrast", 5, contrast),
            ("saturation", 4, saturation),
        ];
        for (name, count, adjust) in adjusts {
            for_each_case_of(TORCHVISION, name, count, |case| {
                let factor = case.get("attributes").data[0];
                check(case, &adjust(&image(case), factor, 1.0));
            });
        }
    }

    #[test]
    fn affine_as_torchvision() {
        for_each_case_of(TORCHVISION, "affine", 6, |case| {
            let x = image(case);
            let a = case.get("attributes").data;
            let affine = Affine {
                angle: a[0],
                translation: [a[1], a[2]],
                scale: a[3],
                shear: [a[4], a[5]],
            };
            let size = [x.shape[1], x.shape[2]];
            check(
                case,
                &resampled(&x, false, |place| affine.source(place, size)),
            );
        });
    }

    /// By hand: half a pixel beyond the edge of [1, 3] lies 0.5, or the edge's 1.
    #[test]
    fn outside_are_zeros_or_the_edge() {
        let x = Tensor::new(&[1, 1, 2], vec![1.0, 3.0]);
        assert_eq!(bilinear(&x, 0, [0.0, 0.5], false), 2.0);
        assert_eq!(bilinear(&x, 0, [0.0, -0.5], false), 0.5);
        assert_eq!(bilinear(&x, 0, [0.0, -0.5], true), 1.0);
        assert_eq!(bilinear(&x, 0, [7.0, 9.5], true), 3.0);
    }
}
