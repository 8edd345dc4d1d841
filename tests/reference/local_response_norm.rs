//! Local response normalisation: `y = x/s^β`, `s = k + α/m · Σ x²` over a window around x.
//!
//! Shapes: input `[N, C, H, W]` or `[N, C]`. Across channels the window has m = size channels at
//! one position, from `c − ⌊size/2⌋` on; within channels m = size² positions of one channel, from
//! row `i − ⌊size/2⌋` and column `j − ⌊size/2⌋` on. Zeros lie outside. Source: Krizhevsky,
//! Sutskever, Hinton, NIPS 2012; α's division and the second kind are Caffe's.

use super::Tensor;

/// What decides the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attributes {
    /// Channels of a window, or its rows and columns.
    pub size: usize,
    /// α.
    pub alpha: f64,
    /// β.
    pub beta: f64,
    /// k.
    pub k: f64,
    /// Whether the window lies within one channel.
    pub within_channels: bool,
}

impl Attributes {
    fn count(&self) -> f64 {
        match self.within_channels {
            true => (self.size * self.size) as f64,
            false => self.size as f64,
        }
    }

    /// The indices of the window around an element, those on the tensor.
    fn window(&self, shape: &[usize], centre: &[usize]) -> Vec<[usize; 4]> {
        let axis = |axis: usize| {
            (0..self.size)
                .filter_map(|u| (centre[axis] + u).checked_sub(self.size / 2))
                .filter(|&place| place < shape[axis])
                .collect::<Vec<_>>()
        };
        if self.within_channels {
            let columns = axis(3);
            let row = |i| columns.iter().map(move |&j| [centre[0], centre[1], i, j]);
            return axis(2).into_iter().flat_map(row).collect();
        }
        let channel = |c| [centre[0], c, centre[2], centre[3]];
        axis(1).into_iter().map(channel).collect()
    }
}

/// As an image: features are one pixel.
fn as_image(x: &Tensor) -> Tensor {
    match x.shape[..] {
        [batch, features] => x.reshaped(&[batch, features, 1, 1]),
        _ => x.clone(),
    }
}

/// s for every element of an image.
fn divisor(x: &Tensor, a: &Attributes) -> Tensor {
    Tensor::from_fn(&x.shape, |i| {
        let window = a.window(&x.shape, i);
        let squares: f64 = window.iter().map(|at| x.at(at).powi(2)).sum();
        a.k + a.alpha / a.count() * squares
    })
}

/// `x/s^β`.
pub fn forward(x: &Tensor, a: &Attributes) -> Tensor {
    let image = as_image(x);
    let y = image.zip(&divisor(&image, a), |x, s| x / s.powf(a.beta));
    y.reshaped(&x.shape)
}

/// From the formula's derivative, element by element:
/// `∂y_j/∂x_i = [i = j]/s_j^β − 2αβ/m · x_j · x_i/s_j^(β+1)` for i in the window of j.
pub fn grad_input(x: &Tensor, a: &Attributes, grad_y: &Tensor) -> Tensor {
    let (image, delta) = (as_image(x), as_image(grad_y));
    let s = divisor(&image, a);
    let mut grad = delta.zip(&s, |delta, s| delta / s.powf(a.beta));
    Tensor::from_fn(&image.shape, |j| {
        let factor = 2.0 * a.alpha * a.beta / a.count();
        let term = factor * delta.at(j) * image.at(j) / s.at(j).powf(a.beta + 1.0);
        for i in a.window(&image.shape, j) {
            *grad.at_mut(&i) -= term * image.at(&i);
        }
        0.0
    });
    grad.reshaped(&x.shape)
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    /// Channels 1, 2, 3 with size 3, α = 3, k = 1, β = 1: s = 1 + the sums of squares
    /// 1+4, 1+4+9 and 4+9. With size 2 the window is (c − 1, c).
    #[test]
    fn values_across_channels_by_hand() {
        let x = Tensor::new(&[1, 3], vec![1., 2., 3.]);
        let three = Attributes {
            size: 3,
            alpha: 3.0,
            beta: 1.0,
            k: 1.0,
            within_channels: false,
        };
        assert_eq!(forward(&x, &three).data, [1. / 6., 2. / 15., 3. / 14.]);
        let two = Attributes {
            size: 2,
            alpha: 2.0,
            ..three
        };
        assert_eq!(forward(&x, &two).data, [1. / 2., 2. / 6., 3. / 14.]);
    }

    /// Caffe's WITHIN_CHANNEL, which PyTorch does not have. The image
    ///
    /// ```text
    /// 1 2 0
    /// 3 0 1
    /// ```
    ///
    /// with size 3, α = 9 (so that α/m = 1), k = 1 and β = 1. A window of 3×3 has both rows, and
    /// two columns at the left and right edge: sums of squares 1+4+9+0 = 14 left, 4+0+0+1 = 5
    /// right, 1+4+0+9+0+1 = 15 in the middle. s is one more: 15, 16, 6. A second channel of
    /// zeros changes nothing.
    #[test]
    fn values_within_channels_by_hand() {
        let x = Tensor::new(
            &[1, 2, 2, 3],
            [&[1., 2., 0., 3., 0., 1.][..], &[0.; 6]].concat(),
        );
        let a = Attributes {
            size: 3,
            alpha: 9.0,
            beta: 1.0,
            k: 1.0,
            within_channels: true,
        };
        let expected = [1. / 15., 2. / 16., 0., 3. / 15., 0., 1. / 6.];
        assert_eq!(forward(&x, &a).data[..6], expected);
        assert_eq!(forward(&x, &a).data[6..], [0.; 6]);
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        for (shape, size, within_channels) in [
            (&[2, 7, 2, 2][..], 3, false),
            (&[1, 6, 1, 2], 4, false),
            (&[3, 5], 9, false),
            (&[2, 2, 4, 5], 3, true),
            (&[1, 3, 5, 2], 2, true),
        ] {
            let a = Attributes {
                size,
                alpha: 0.7,
                beta: 0.75,
                k: 1.5,
                within_channels,
            };
            let (x, delta) = (Tensor::normal(shape, 1), Tensor::normal(shape, 2));
            let grad = grad_input(&x, &a, &delta);
            assert_gradient("x", &grad, &x, |x| forward(x, &a).dot(&delta));
        }
    }
}
