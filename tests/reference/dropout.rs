//! Inverted dropout: in training each element is zeroed with probability p and
//! the others are multiplied by 1/(1−p), so that evaluation needs no scaling.
//!
//! Source: Srivastava et al., "Dropout", JMLR 15 (2014).

use super::{Tensor, philox};

/// Which random numbers are drawn, and how many elements survive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attributes {
    /// The probability p of being dropped. An `f32`, since the kernel compares
    /// its `f32` draws with it, bit for bit.
    pub probability: f32,
    /// The run's seed.
    pub seed: u64,
    /// The training step.
    pub step: u32,
    /// The operator's number in the network.
    pub node: u32,
}

/// 1/(1−p) where an element is kept, 0 where it is dropped.
///
/// `element` is the index within the whole batch in row-major NCHW order,
/// whatever the layout on the device.
pub fn factor(element: usize, a: &Attributes) -> f64 {
    let word = philox::element_word(a.seed, a.step, a.node, element);
    let kept = philox::uniform(word) >= a.probability;
    if kept {
        1.0 / (1.0 - f64::from(a.probability))
    } else {
        0.0
    }
}

/// The training forward pass; evaluation is the identity.
pub fn forward(x: &Tensor, a: &Attributes) -> Tensor {
    let mut y = x.clone();
    for (element, value) in y.data.iter_mut().enumerate() {
        *value *= factor(element, a);
    }
    y
}

/// δ of a kept element is multiplied by 1/(1−p), of a dropped one by 0: the
/// forward pass once more, with the same draws.
pub fn grad_input(grad_y: &Tensor, a: &Attributes) -> Tensor {
    forward(grad_y, a)
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    const A: Attributes = Attributes {
        probability: 0.25,
        seed: 0,
        step: 0,
        node: 0,
    };

    /// Seed, step and node 0 give the words 6627e8d5, e169c58d, bc57ac4c and
    /// 9b00dbd8 (Random123's first vector): uniforms 0.399…, 0.880…, 0.735…
    /// and 0.605….
    #[test]
    fn values_by_hand() {
        let x = Tensor::new(&[1, 4], vec![3., 6., 9., 12.]);
        assert_eq!(forward(&x, &A).data, [4., 8., 12., 16.]);
        let half = Attributes {
            probability: 0.5,
            ..A
        };
        assert_eq!(forward(&x, &half).data, [0., 12., 18., 24.]);
        let seven_eighths = Attributes {
            probability: 0.875,
            ..A
        };
        assert_eq!(forward(&x, &seven_eighths).data, [0., 48., 0., 0.]);
        assert_eq!(
            forward(
                &x,
                &Attributes {
                    probability: 1.0,
                    ..A
                }
            )
            .data,
            [0.; 4]
        );
        assert_eq!(
            forward(
                &x,
                &Attributes {
                    probability: 0.0,
                    ..A
                }
            ),
            x
        );
    }

    #[test]
    fn a_quarter_of_many_is_dropped_and_the_draws_differ_between_steps() {
        let ones = Tensor::new(&[40_000], vec![1.0; 40_000]);
        let [first, second] = [0, 1].map(|step| forward(&ones, &Attributes { step, ..A }));
        let dropped = first.data.iter().filter(|&&y| y == 0.0).count() as f64 / 40_000.0;
        // Five standard errors: 5·√(¼·¾/40000).
        assert!((dropped - 0.25).abs() <= 0.011, "{dropped} dropped");
        assert_ne!(first, second);
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        let (x, delta) = (
            Tensor::normal(&[2, 3, 4, 5], 1),
            Tensor::normal(&[2, 3, 4, 5], 2),
        );
        assert_gradient("input", &grad_input(&delta, &A), &x, |x| {
            forward(x, &A).dot(&delta)
        });
    }
}
