//! Randomised rectifier: `f(y) = y` where `y > 0`, else `a·y`; in training a is drawn for every
//! element from U(lower, upper), in evaluation it is their mean.
//!
//! Source: Xu, Wang, Chen and Li, "Empirical evaluation of rectified activations in convolutional
//! network", 2015.

use super::{Tensor, philox};

/// Which slopes are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attributes {
    /// The least slope.
    pub lower: f32,
    /// The end of the slopes.
    pub upper: f32,
    /// The run's seed.
    pub seed: u64,
    /// The training step.
    pub step: u32,
    /// The operator's number in the network.
    pub node: u32,
}

impl Attributes {
    /// The slope of evaluation.
    pub fn mean_slope(&self) -> f64 {
        0.5 * (f64::from(self.lower) + f64::from(self.upper))
    }
}

/// The slopes of training, one for every element of a whole batch in row-major NCHW order.
pub fn slopes(shape: &[usize], a: &Attributes) -> Tensor {
    let mut slopes = Tensor::zeros(shape);
    for (element, slope) in slopes.data.iter_mut().enumerate() {
        let word = philox::element_word(a.seed, a.step, a.node, element);
        let (lower, upper) = (f64::from(a.lower), f64::from(a.upper));
        *slope = lower + (upper - lower) * f64::from(philox::uniform(word));
    }
    slopes
}

/// The rectifier with these slopes.
pub fn forward(x: &Tensor, slopes: &Tensor) -> Tensor {
    x.zip(slopes, |y, slope| if y > 0.0 { y } else { slope * y })
}

/// δ where `y > 0`, else a·δ (at 0 too). `x` is the input.
pub fn grad_input(x: &Tensor, grad_y: &Tensor, slopes: &Tensor) -> Tensor {
    let derivative = x.zip(slopes, |y, slope| if y > 0.0 { 1.0 } else { slope });
    derivative.zip(grad_y, |derivative, delta| derivative * delta)
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    const A: Attributes = Attributes {
        lower: 0.25,
        upper: 0.75,
        seed: 0,
        step: 0,
        node: 0,
    };

    /// Seed, step and node 0 give the words 6627e8d5, e169c58d, bc57ac4c and 9b00dbd8 (Random123's
    /// first vector), so that the second number is e169c5 · 2⁻²⁴.
    #[test]
    fn values_by_hand() {
        let slopes = slopes(&[1, 4], &A);
        let second = 0.25 + 0.5 * f64::from(0xe1_69c5) / 16_777_216.0;
        assert_eq!(slopes.data[1], second);
        let x = Tensor::new(&[1, 4], vec![3., -2., 0., 5.]);
        assert_eq!(forward(&x, &slopes).data, [3., -2. * second, 0., 5.]);
        let delta = Tensor::new(&[1, 4], vec![1., 2., 0., 4.]);
        let grad = grad_input(&x, &delta, &slopes);
        assert_eq!(grad.data, [1., 2. * second, 0., 4.]);
        assert_eq!(A.mean_slope(), 0.5);
    }

    #[test]
    fn slopes_are_uniform_and_differ_between_steps() {
        let [first, second] = [0, 1].map(|step| slopes(&[40_000], &Attributes { step, ..A }));
        let mean = first.data.iter().sum::<f64>() / 40_000.0;
        // Five standard errors: 5·(upper − lower)/√(12·40000).
        assert!((mean - 0.5).abs() <= 0.0037, "mean {mean}");
        assert!(first.data.iter().all(|a| (0.25..0.75).contains(a)));
        assert_ne!(first, second);
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        let (x, delta) = (
            Tensor::normal(&[2, 3, 4, 5], 1),
            Tensor::normal(&[2, 3, 4, 5], 2),
        );
        let slopes = slopes(&x.shape, &A);
        assert_gradient("input", &grad_input(&x, &delta, &slopes), &x, |x| {
            forward(x, &slopes).dot(&delta)
        });
    }
}
