//! A part of an image: `y[n,c,i,j] = x[n, c₀+c, i₀+i, j₀+j]`.
//!
//! Shapes: input `[N, C, H, W]` or `[N, C]`; starts and lengths for the axes after the batch.

use super::{Tensor, zero_pad};

/// The part that begins at `start` and has these lengths, axis by axis.
pub fn forward(x: &Tensor, start: &[usize], lengths: &[usize]) -> Tensor {
    let shape = [&x.shape[..1], lengths].concat();
    Tensor::from_fn(&shape, |index| {
        let mut at = index.to_vec();
        for (place, first) in at[1..].iter_mut().zip(start) {
            *place += first;
        }
        x.at(&at)
    })
}

/// δ with zeros around it, in the shape of the input.
pub fn grad_input(grad_y: &Tensor, start: &[usize], input: &[usize]) -> Tensor {
    let margins: Vec<[usize; 2]> = (0..start.len())
        .map(|axis| {
            [
                start[axis],
                input[axis + 1] - start[axis] - grad_y.shape[axis + 1],
            ]
        })
        .collect();
    zero_pad::forward(grad_y, &margins)
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    #[test]
    fn values_by_hand() {
        let x = Tensor::from_fn(&[1, 2, 2, 3], |i| (100 * i[1] + 10 * i[2] + i[3]) as f64);
        assert_eq!(
            forward(&x, &[1, 0, 1], &[1, 2, 2]).data,
            [101., 102., 111., 112.]
        );
        let x = Tensor::new(&[2, 3], vec![1., 2., 3., 4., 5., 6.]);
        assert_eq!(forward(&x, &[1], &[2]).data, [2., 3., 5., 6.]);
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        let x = Tensor::normal(&[2, 4, 3, 5], 1);
        let (start, lengths) = ([1, 0, 2], [2, 3, 2]);
        let delta = Tensor::normal(&[2, 2, 3, 2], 2);
        let grad = grad_input(&delta, &start, &x.shape);
        assert_gradient("x", &grad, &x, |x| forward(x, &start, &lengths).dot(&delta));
    }
}
