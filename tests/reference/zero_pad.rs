//! Zeros around an image: before and behind every axis but the batch.

use super::{Tensor, slice};

/// `margins[axis]` zeros before and behind each axis after the batch.
pub fn forward(x: &Tensor, margins: &[[usize; 2]]) -> Tensor {
    let mut shape = x.shape.clone();
    for (length, [before, behind]) in shape[1..].iter_mut().zip(margins) {
        *length += before + behind;
    }
    let mut y = Tensor::zeros(&shape);
    Tensor::from_fn(&x.shape, |index| {
        let mut at = index.to_vec();
        for (place, [before, _]) in at[1..].iter_mut().zip(margins) {
            *place += before;
        }
        *y.at_mut(&at) = x.at(index);
        0.0
    });
    y
}

/// The part of δ where the input lies.
pub fn grad_input(grad_y: &Tensor, margins: &[[usize; 2]]) -> Tensor {
    let start: Vec<usize> = margins.iter().map(|[before, _]| *before).collect();
    let lengths: Vec<usize> = grad_y.shape[1..]
        .iter()
        .zip(margins)
        .map(|(length, [before, behind])| length - before - behind)
        .collect();
    slice::forward(grad_y, &start, &lengths)
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    #[test]
    fn values_by_hand() {
        let x = Tensor::new(&[1, 1, 1, 2], vec![1., 2.]);
        let y = forward(&x, &[[0, 0], [1, 0], [0, 2]]);
        assert_eq!(y.shape, [1, 1, 2, 4]);
        assert_eq!(y.data, [0., 0., 0., 0., 1., 2., 0., 0.]);
        let y = forward(&Tensor::new(&[2, 1], vec![3., 4.]), &[[1, 1]]);
        assert_eq!(y.data, [0., 3., 0., 0., 4., 0.]);
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        let x = Tensor::normal(&[2, 3, 2, 3], 1);
        let margins = [[1, 0], [0, 2], [3, 1]];
        let delta = Tensor::normal(&[2, 4, 4, 7], 2);
        let grad = grad_input(&delta, &margins);
        assert_gradient("x", &grad, &x, |x| forward(x, &margins).dot(&delta));
    }
}
