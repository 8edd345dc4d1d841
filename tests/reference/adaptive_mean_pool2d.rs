//! Mean over bins that divide an image of any size.
//!
//! Shapes: input `[N, C, H, W]`, output `[N, C, h, w]`.

use super::Tensor;
use super::pool_window::bin;

/// The mean of every bin.
pub fn forward(x: &Tensor, bins: [usize; 2]) -> Tensor {
    let [batch, channels, height, width] = x.dims4();
    Tensor::from_fn(&[batch, channels, bins[0], bins[1]], |index| {
        let &[n, c, i, j] = index else { unreachable!() };
        let (rows, columns) = (bin(i, height, bins[0]), bin(j, width, bins[1]));
        let count = (rows.len() * columns.len()) as f64;
        let mut sum = 0.0;
        for row in rows {
            for column in columns.clone() {
                sum += x.at(&[n, c, row, column]);
            }
        }
        sum / count
    })
}

/// Every element of a bin gets δ divided by the number of its elements; where
/// bins overlap, the shares add up. For an input of `[H, W]`.
pub fn grad_input(grad_y: &Tensor, input: [usize; 2]) -> Tensor {
    let [batch, channels, out_height, out_width] = grad_y.dims4();
    let mut grad_x = Tensor::zeros(&[batch, channels, input[0], input[1]]);
    for n in 0..batch {
        for c in 0..channels {
            for i in 0..out_height {
                for j in 0..out_width {
                    let rows = bin(i, input[0], out_height);
                    let columns = bin(j, input[1], out_width);
                    let share = grad_y.at(&[n, c, i, j]) / (rows.len() * columns.len()) as f64;
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

    /// Three bins over five columns: {0,1}, {1,2,3}, {3,4}.
    #[test]
    fn overlapping_bins_by_hand() {
        let y = forward(&row(&[2., 4., 6., 8., 10.]), [1, 3]);
        assert_eq!(y, row(&[3., 6., 9.]));
        let grad = grad_input(&row(&[2., 3., 4.]), [1, 5]);
        assert_eq!(grad, row(&[1., 2., 1., 3., 2.]));
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        for seed in 0..40 {
            let draw = &mut Draw::new(seed);
            let bins = [draw.within(1, 7), draw.within(1, 7)];
            let input = [draw.within(1, 7), draw.within(1, 7)];
            let x = Tensor::normal(&[2, 2, input[0], input[1]], seed + 100);
            let delta = Tensor::normal(&forward(&x, bins).shape, seed + 200);
            let grad = grad_input(&delta, input);
            assert_gradient(&format!("{bins:?} over {input:?}"), &grad, &x, |x| {
                forward(x, bins).dot(&delta)
            });
        }
    }
}
