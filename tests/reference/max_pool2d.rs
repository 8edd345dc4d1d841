//! Maximum over windows: forward keeps the argument, backward routes δ to it.
//!
//! Shapes: input `[N, C, H, W]`, output and arguments `[N, C, Ho, Wo]`.

use super::Tensor;
use super::pool_window::{inside, output_length, window};

/// Window size, steps between windows and padding (−∞), as (rows, columns).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Window size K.
    pub kernel: [usize; 2],
    /// Steps S between windows.
    pub stride: [usize; 2],
    /// Padding P of −∞ before and after on each axis, at most K/2.
    pub padding: [[usize; 2]; 2],
    /// Round the output size up instead of down.
    pub ceil_mode: bool,
}

impl Attributes {
    /// Windows side by side: stride = kernel, no padding, sizes rounded down.
    pub fn new(kernel: [usize; 2]) -> Self {
        Attributes {
            kernel,
            stride: kernel,
            padding: [[0; 2]; 2],
            ceil_mode: false,
        }
    }

    /// Rows and columns of the output.
    pub fn output_size(&self, input: [usize; 2]) -> [usize; 2] {
        let &Attributes {
            kernel: k,
            stride: s,
            padding: p,
            ceil_mode,
        } = self;
        [0, 1].map(|axis| output_length(input[axis], k[axis], s[axis], p[axis], ceil_mode))
    }
}

/// What the forward pass gives.
pub struct Output {
    /// The maxima, `[N, C, Ho, Wo]`.
    pub y: Tensor,
    /// For each of them, in the same order, where it stood: row · W + column
    /// within its channel's map.
    pub argmax: Vec<usize>,
}

/// The first maximum of every window, in row order.
///
/// A NaN beats every number, and of several NaNs the last one is kept, as in
/// PyTorch. In a window of nothing but −∞ the first element is kept.
pub fn forward(x: &Tensor, a: &Attributes) -> Output {
    let [batch, channels, height, width] = x.dims4();
    let [out_height, out_width] = a.output_size([height, width]);
    let mut argmax = Vec::new();
    let y = Tensor::from_fn(&[batch, channels, out_height, out_width], |index| {
        let &[n, c, i, j] = index else { unreachable!() };
        let rows = inside(
            &window(i, height, a.kernel[0], a.stride[0], a.padding[0]),
            height,
        );
        let columns = inside(
            &window(j, width, a.kernel[1], a.stride[1], a.padding[1]),
            width,
        );
        let mut best = f64::NEG_INFINITY;
        let mut place = rows.start * width + columns.start;
        for row in rows {
            for column in columns.clone() {
                let value = x.at(&[n, c, row, column]);
                if value > best || value.is_nan() {
                    best = value;
                    place = row * width + column;
                }
            }
        }
        argmax.push(place);
        best
    });
    Output { y, argmax }
}

/// δ goes unchanged to the element that was the maximum, zero to all others;
/// where windows overlap, what they send adds up. For an input of `[H, W]`.
pub fn grad_input(grad_y: &Tensor, argmax: &[usize], input: [usize; 2]) -> Tensor {
    let [batch, channels, out_height, out_width] = grad_y.dims4();
    let [height, width] = input;
    let mut grad_x = Tensor::zeros(&[batch, channels, height, width]);
    for n in 0..batch {
        for c in 0..channels {
            for i in 0..out_height {
                for j in 0..out_width {
                    let place = argmax[grad_y.offset(&[n, c, i, j])];
                    *grad_x.at_mut(&[n, c, place / width, place % width]) +=
                        grad_y.at(&[n, c, i, j]);
                }
            }
        }
    }
    grad_x
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::super::philox::Draw;
    use super::*;

    fn row(data: &[f64]) -> Tensor {
        Tensor::new(&[1, 1, 1, data.len()], data.to_vec())
    }

    /// Windows {0,1}, {1,2,3}, {3,4} of kernel 3, stride 2, padding 1.
    #[test]
    fn overlapping_windows_by_hand() {
        let a = Attributes {
            stride: [1, 2],
            padding: [[0, 0], [1, 1]],
            ..Attributes::new([1, 3])
        };
        let out = forward(&row(&[-5., -3., -4., 7., 1.]), &a);
        assert_eq!(out.y, row(&[-3., 7., 7.]));
        assert_eq!(out.argmax, [1, 3, 3]);
        let grad = grad_input(&row(&[1., 10., 100.]), &out.argmax, [1, 5]);
        assert_eq!(grad, row(&[0., 1., 0., 110., 0.]));
    }

    #[test]
    fn the_first_of_equal_maxima_is_kept_in_row_order() {
        let x = Tensor::new(&[1, 1, 2, 2], vec![0., 4., 4., 4.]);
        assert_eq!(forward(&x, &Attributes::new([2, 2])).argmax, [1]);
    }

    /// `max_pool2d(torch.tensor([[[[5., nan, 9., nan, 1.]]]]), (1, 5),
    /// return_indices=True)` gives nan at 3; all −inf gives −inf at 0.
    #[test]
    fn nan_wins_and_minus_infinity_is_a_value() {
        let a = Attributes::new([1, 5]);
        let out = forward(&row(&[5., f64::NAN, 9., f64::NAN, 1.]), &a);
        assert!(out.y.data[0].is_nan());
        assert_eq!(out.argmax, [3]);
        let out = forward(&row(&[f64::NEG_INFINITY; 5]), &a);
        assert_eq!((out.y.data[0], out.argmax[0]), (f64::NEG_INFINITY, 0));
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        for seed in 0..40 {
            let draw = &mut Draw::new(seed);
            let kernel = [draw.within(1, 3), draw.within(1, 4)];
            let a = Attributes {
                kernel,
                stride: [draw.within(1, 3), draw.within(1, 4)],
                padding: kernel.map(|k| [draw.within(0, k / 2), draw.within(0, k / 2)]),
                ceil_mode: draw.within(0, 1) == 1,
            };
            let input = [draw.within(3, 7), draw.within(4, 7)];
            let x = Tensor::normal(&[2, 2, input[0], input[1]], seed + 100);
            let out = forward(&x, &a);
            let delta = Tensor::normal(&out.y.shape, seed + 200);
            let grad = grad_input(&delta, &out.argmax, input);
            assert_gradient(&format!("{a:?}"), &grad, &x, |x| {
                forward(x, &a).y.dot(&delta)
            });
        }
    }
}
