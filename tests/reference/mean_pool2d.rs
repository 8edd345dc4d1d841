//! Mean over windows; backward spreads δ evenly over the window.
//!
//! Shapes: input `[N, C, H, W]`, output `[N, C, Ho, Wo]`.

use super::Tensor;
use super::pool_window::{inside, output_length, window};
use std::ops::Range;

/// Window size, steps between windows and zero padding, as (rows, columns).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Window size K.
    pub kernel: [usize; 2],
    /// Steps S between windows.
    pub stride: [usize; 2],
    /// Zero padding P before and after on each axis, at most K/2.
    pub padding: [[usize; 2]; 2],
    /// Round the output size up instead of down.
    pub ceil_mode: bool,
    /// Whether padding counts in the mean's divisor.
    pub count_include_pad: bool,
}

impl Attributes {
    /// Windows side by side: stride = kernel, no padding, sizes rounded down;
    /// padding would count, as is PyTorch's default.
    pub fn new(kernel: [usize; 2]) -> Self {
        Attributes {
            kernel,
            stride: kernel,
            padding: [[0; 2]; 2],
            ceil_mode: false,
            count_include_pad: true,
        }
    }

    /// Rows and columns of the output.
    pub fn output_size(&self, input: [usize; 2]) -> [usize; 2] {
        let &Attributes {
            kernel: k,
            stride: s,
            padding: p,
            ceil_mode,
            ..
        } = self;
        [0, 1].map(|axis| output_length(input[axis], k[axis], s[axis], p[axis], ceil_mode))
    }

    /// The rows and columns of the input that output (i, j) averages, and what
    /// their sum is divided by.
    ///
    /// With `count_include_pad` the divisor counts the padding, yet never what
    /// a last window of `ceil_mode` covers beyond the padding.
    fn window(&self, [i, j]: [usize; 2], input: [usize; 2]) -> (Range<usize>, Range<usize>, f64) {
        let [rows, columns] = [(0, i), (1, j)].map(|(axis, o)| {
            window(
                o,
                input[axis],
                self.kernel[axis],
                self.stride[axis],
                self.padding[axis],
            )
        });
        let (inner_rows, inner_columns) = (inside(&rows, input[0]), inside(&columns, input[1]));
        let count = if self.count_include_pad {
            rows.len() * columns.len()
        } else {
            inner_rows.len() * inner_columns.len()
        };
        (inner_rows, inner_columns, count as f64)
    }
}

/// The mean of every window.
pub fn forward(x: &Tensor, a: &Attributes) -> Tensor {
    let [batch, channels, height, width] = x.dims4();
    let [out_height, out_width] = a.output_size([height, width]);
    Tensor::from_fn(&[batch, channels, out_height, out_width], |index| {
        let &[n, c, i, j] = index else { unreachable!() };
        let (rows, columns, count) = a.window([i, j], [height, width]);
        let mut sum = 0.0;
        for row in rows {
            for column in columns.clone() {
                sum += x.at(&[n, c, row, column]);
            }
        }
        sum / count
    })
}

/// Every element of a window gets δ divided by what the mean was divided by;
/// where windows overlap, the shares add up. For an input of `[H, W]`.
///
/// For non-overlapping n×n windows this is the Kronecker product of δ with an
/// n×n block of 1/n².
pub fn grad_input(grad_y: &Tensor, input: [usize; 2], a: &Attributes) -> Tensor {
    let [batch, channels, out_height, out_width] = grad_y.dims4();
    let mut grad_x = Tensor::zeros(&[batch, channels, input[0], input[1]]);
    for n in 0..batch {
        for c in 0..channels {
            for i in 0..out_height {
                for j in 0..out_width {
                    let (rows, columns, count) = a.window([i, j], input);
                    let share = grad_y.at(&[n, c, i, j]) / count;
                    for row in rows {
                        for column in columns.clone() {
                            *grad_x.at_mut(&[n, c, row, column]) += share;
                        }
                    }
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

    /// Kernel 4, stride 3, padding 1, rounded up, on 6 elements: windows
    /// −1…2, 2…5 and 5…8, the last cut to 5…6 by the end of the padding.
    #[test]
    fn divisors_by_hand() {
        let mut a = Attributes {
            stride: [1, 3],
            padding: [[0, 0], [1, 1]],
            ceil_mode: true,
            ..Attributes::new([1, 4])
        };
        let x = row(&[12., 24., 36., 48., 60., 72.]);
        assert_eq!(forward(&x, &a), row(&[72. / 4., 216. / 4., 72. / 2.]));
        a.count_include_pad = false;
        assert_eq!(forward(&x, &a), row(&[72. / 3., 216. / 4., 72. / 1.]));
    }

    #[test]
    fn gradient_without_overlap_is_a_kronecker_product() {
        let grad_y = Tensor::new(&[1, 1, 1, 2], vec![4., 8.]);
        let grad = grad_input(&grad_y, [2, 4], &Attributes::new([2, 2]));
        assert_eq!(grad.data, [1., 1., 2., 2., 1., 1., 2., 2.]);
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
                count_include_pad: draw.within(0, 1) == 1,
            };
            let input = [draw.within(3, 7), draw.within(4, 7)];
            let x = Tensor::normal(&[2, 2, input[0], input[1]], seed + 100);
            let delta = Tensor::normal(&forward(&x, &a).shape, seed + 200);
            let grad = grad_input(&delta, input, &a);
            assert_gradient(&format!("{a:?}"), &grad, &x, |x| forward(x, &a).dot(&delta));
        }
    }
}
