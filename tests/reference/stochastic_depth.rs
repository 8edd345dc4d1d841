//! Stochastic depth: in training a sample, or the whole batch, is zeroed with probability p and
//! otherwise multiplied by 1/(1−p).
//!
//! Source: Huang et al., "Deep networks with stochastic depth", 2016; torchvision's
//! `stochastic_depth`, modes `row` and `batch`.

use super::Tensor;
use super::dropout::{Attributes, factor};

/// The training forward pass; evaluation is the identity. `whole` drops the batch together.
pub fn forward(x: &Tensor, whole: bool, a: &Attributes) -> Tensor {
    Tensor::from_fn(&x.shape, |index| {
        let sample = if whole { 0 } else { index[0] };
        x.at(index) * factor(sample, a)
    })
}

/// The forward pass once more, with the same draws.
pub fn grad_input(grad_y: &Tensor, whole: bool, a: &Attributes) -> Tensor {
    forward(grad_y, whole, a)
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    const A: Attributes = Attributes {
        probability: 0.75,
        seed: 0,
        step: 0,
        node: 0,
    };

    /// Seed, step and node 0 give uniforms 0.399…, 0.880…, 0.735… and 0.605….
    #[test]
    fn values_by_hand() {
        let x = Tensor::new(&[2, 2], vec![1., 2., 3., 4.]);
        assert_eq!(forward(&x, false, &A).data, [0., 0., 12., 16.]);
        assert_eq!(forward(&x, true, &A).data, [0.; 4]);
        let quarter = Attributes {
            probability: 0.25,
            ..A
        };
        let x = Tensor::new(&[2, 2], vec![3., 6., 9., 12.]);
        assert_eq!(forward(&x, true, &quarter).data, [4., 8., 12., 16.]);
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        let (x, delta) = (Tensor::normal(&[4, 5], 1), Tensor::normal(&[4, 5], 2));
        assert_gradient("input", &grad_input(&delta, false, &A), &x, |x| {
            forward(x, false, &A).dot(&delta)
        });
    }
}
