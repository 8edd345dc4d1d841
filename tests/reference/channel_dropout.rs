//! Dropout of whole channels: in training each channel of each sample is zeroed with probability
//! p and the others are multiplied by 1/(1−p).
//!
//! Source: Tompson et al., "Efficient object localization using convolutional networks", 2015;
//! PyTorch's `Dropout2d`.

use super::Tensor;
use super::dropout::{Attributes, factor};

/// The training forward pass; evaluation is the identity. Axis 0 counts samples, axis 1 channels.
pub fn forward(x: &Tensor, a: &Attributes) -> Tensor {
    Tensor::from_fn(&x.shape, |index| {
        x.at(index) * factor(index[0] * x.shape[1] + index[1], a)
    })
}

/// The forward pass once more, with the same draws.
pub fn grad_input(grad_y: &Tensor, a: &Attributes) -> Tensor {
    forward(grad_y, a)
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    const A: Attributes = Attributes {
        probability: 0.5,
        seed: 0,
        step: 0,
        node: 0,
    };

    /// Seed, step and node 0 give uniforms 0.399…, 0.880…, 0.735… and 0.605….
    #[test]
    fn values_by_hand() {
        let x = Tensor::new(&[2, 2, 2], vec![1., 2., 3., 4., 5., 6., 7., 8.]);
        let y = forward(&x, &A);
        assert_eq!(y.data, [0., 0., 6., 8., 10., 12., 14., 16.]);
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        let (x, delta) = (
            Tensor::normal(&[3, 5, 2, 2], 1),
            Tensor::normal(&[3, 5, 2, 2], 2),
        );
        assert_gradient("input", &grad_input(&delta, &A), &x, |x| {
            forward(x, &A).dot(&delta)
        });
    }
}
