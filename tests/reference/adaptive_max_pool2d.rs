//! Maximum over bins that divide an image of any size.
//!
//! Shapes: input `[N, C, H, W]`, output and arguments `[N, C, h, w]`.

use super::Tensor;
use super::max_pool2d::{self, Output};
use super::pool_window::bin;

/// The first maximum of every bin, in row order; NaN as in [`max_pool2d`].
pub fn forward(x: &Tensor, bins: [usize; 2]) -> Output {
    let [batch, channels, height, width] = x.dims4();
    let mut argmax = Vec::new();
    let y = Tensor::from_fn(&[batch, channels, bins[0], bins[1]], |index| {
        let &[n, c, i, j] = index else { unreachable!() };
        let (rows, columns) = (bin(i, height, bins[0]), bin(j, width, bins[1]));
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

/// δ goes to the element that was the maximum; where bins overlap, what they
/// send adds up. For an input of `[H, W]`.
pub fn grad_input(grad_y: &Tensor, argmax: &[usize], input: [usize; 2]) -> Tensor {
    max_pool2d::grad_input(grad_y, argmax, input)
}

/// Spatial pyramid pooling: `[N, C, H, W]` to `[N, C·Σl²]`, the maxima of l×l
/// bins flattened as `[C, l, l]`, level after level.
pub fn pyramid(x: &Tensor, levels: &[usize]) -> Tensor {
    let levels = levels.iter().map(|&level| forward(x, [level; 2]).y);
    side_by_side(&levels.collect::<Vec<_>>())
}

/// The gradient of [`pyramid`]: every level's part of δ goes its own way, and
/// what the levels send to one element adds up.
pub fn grad_pyramid(x: &Tensor, levels: &[usize], grad_y: &Tensor) -> Tensor {
    let [_, channels, height, width] = x.dims4();
    let (batch, features) = (grad_y.shape[0], grad_y.shape[1]);
    let mut first = 0;
    let mut grad_x = Tensor::zeros(&x.shape);
    for &level in levels {
        let count = channels * level * level;
        let part = Tensor::from_fn(&[batch, count], |index| {
            grad_y.data[index[0] * features + first + index[1]]
        });
        let part = part.reshaped(&[batch, channels, level, level]);
        let argmax = forward(x, [level; 2]).argmax;
        let share = grad_input(&part, &argmax, [height, width]);
        grad_x = grad_x.zip(&share, |a, b| a + b);
        first += count;
    }
    grad_x
}

/// Every sample's elements, one tensor's after the other's.
fn side_by_side(parts: &[Tensor]) -> Tensor {
    let batch = parts[0].shape[0];
    let mut data = Vec::new();
    for n in 0..batch {
        for part in parts {
            let length = part.data.len() / batch;
            data.extend(&part.data[n * length..(n + 1) * length]);
        }
    }
    Tensor::new(&[batch, data.len() / batch], data)
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
        let out = forward(&row(&[-5., -3., -4., 7., 1.]), [1, 3]);
        assert_eq!(out.y, row(&[-3., 7., 7.]));
        assert_eq!(out.argmax, [1, 3, 3]);
        let grad = grad_input(&row(&[1., 10., 100.]), &out.argmax, [1, 5]);
        assert_eq!(grad, row(&[0., 1., 0., 110., 0.]));
    }

    /// Two channels of 2x2: the level of four bins is the image itself.
    #[test]
    fn a_pyramid_by_hand() {
        let x = Tensor::new(&[1, 2, 2, 2], vec![1., 4., 3., 2., 8., 5., 6., 7.]);
        let y = pyramid(&x, &[2, 1]);
        let expected = vec![1., 4., 3., 2., 8., 5., 6., 7., 4., 8.];
        assert_eq!(y, Tensor::new(&[1, 10], expected));
        let delta = Tensor::new(&[1, 10], (0..10).map(f64::from).collect());
        let grad = grad_pyramid(&x, &[2, 1], &delta);
        assert_eq!(grad.data, [0., 9., 2., 3., 13., 5., 6., 7.]);
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        for seed in 0..40 {
            let draw = &mut Draw::new(seed);
            let bins = [draw.within(1, 7), draw.within(1, 7)];
            let input = [draw.within(1, 7), draw.within(2, 7)];
            let x = Tensor::normal(&[2, 2, input[0], input[1]], seed + 100);
            let out = forward(&x, bins);
            let delta = Tensor::normal(&out.y.shape, seed + 200);
            let grad = grad_input(&delta, &out.argmax, input);
            assert_gradient(&format!("{bins:?} over {input:?}"), &grad, &x, |x| {
                forward(x, bins).y.dot(&delta)
            });
            let levels = [bins[0], 1, bins[1]];
            let delta = Tensor::normal(&pyramid(&x, &levels).shape, seed + 300);
            let grad = grad_pyramid(&x, &levels, &delta);
            assert_gradient(&format!("{levels:?} over {input:?}"), &grad, &x, |x| {
                pyramid(x, &levels).dot(&delta)
            });
        }
    }
}
