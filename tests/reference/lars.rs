//! Layer-wise adaptive rate scaling: `λ = η·‖w‖/(‖g‖ + β‖w‖)`, `v ← μv + lr·λ·(g + βw)`,
//! `w ← w − v`; λ = 1 where a norm is 0, and for parameters that are not adapted.
//!
//! Source: You, Gitman, Ginsburg, "Large batch training of convolutional networks", 2017,
//! algorithm 1.

use super::{Factors, Tensor};

/// The rule's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attributes {
    /// Learning rate lr.
    pub learning_rate: f64,
    /// Trust coefficient η.
    pub trust_coefficient: f64,
    /// Momentum μ.
    pub momentum: f64,
    /// Weight decay β.
    pub weight_decay: f64,
}

fn norm(x: &Tensor) -> f64 {
    x.data.iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// One step on one parameter; `velocity` is zeros before the first.
pub fn step(
    weight: &mut Tensor,
    gradient: &Tensor,
    velocity: &mut Tensor,
    factors: Factors,
    adapted: bool,
    a: &Attributes,
) {
    let decay = a.weight_decay * factors.weight_decay;
    let (length, slope) = (norm(weight), norm(gradient));
    let trust = match adapted && length > 0.0 && slope > 0.0 {
        true => a.trust_coefficient * length / (slope + decay * length),
        false => 1.0,
    };
    let rate = a.learning_rate * factors.learning_rate * trust;
    let gradient = gradient.zip(weight, |g, w| g + decay * w);
    *velocity = velocity.zip(&gradient, |v, g| a.momentum * v + rate * g);
    *weight = weight.zip(velocity, |w, v| w - v);
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Attributes = Attributes {
        learning_rate: 2.0,
        trust_coefficient: 0.1,
        momentum: 0.5,
        weight_decay: 0.5,
    };

    fn steps(
        factors: Factors,
        adapted: bool,
        weight: [f64; 2],
        gradients: &[[f64; 2]],
    ) -> Vec<f64> {
        let mut weight = Tensor::new(&[2], weight.to_vec());
        let mut velocity = Tensor::zeros(&[2]);
        for gradient in gradients {
            let gradient = Tensor::new(&[2], gradient.to_vec());
            step(&mut weight, &gradient, &mut velocity, factors, adapted, &A);
        }
        weight.data
    }

    fn assert_close(found: &[f64], expected: [f64; 2]) {
        let close = |(f, e): (&f64, &f64)| (f - e).abs() <= 1e-14;
        assert!(found.iter().zip(&expected).all(close), "{found:?}");
    }

    /// ‖w‖ = 5 and ‖g‖ = 7.5: λ = 0.1·5/(7.5 + 0.5·5) = 0.05, so that v is a tenth of
    /// g + w/2 = (6, 8). Then w = (2.4, 3.2) has the norm 4; with g = (0, 2)
    /// λ = 0.4/(2 + 2) = 0.1, and v = (0.3, 0.4) + 0.2·(1.2, 3.6).
    #[test]
    fn steps_by_hand() {
        let w = [3.0, 4.0];
        let one = Factors::default();
        assert_close(&steps(one, true, w, &[[4.5, 6.0]]), [2.4, 3.2]);
        let two = steps(one, true, w, &[[4.5, 6.0], [0.0, 2.0]]);
        assert_close(&two, [2.4 - 0.54, 3.2 - 1.12]);
    }

    /// Without adaptation, and where a norm is 0: w − 2·(g + w/2).
    #[test]
    fn trust_is_one_where_nothing_is_adapted() {
        let one = Factors::default();
        assert_close(&steps(one, false, [3.0, 4.0], &[[4.5, 6.0]]), [-9.0, -12.0]);
        assert_close(&steps(one, true, [3.0, 4.0], &[[0.0, 0.0]]), [0.0, 0.0]);
        assert_close(&steps(one, true, [0.0, 0.0], &[[1.0, 2.0]]), [-2.0, -4.0]);
    }

    /// Half the rate, no decay: λ = 0.1·5/7.5, and w falls by λ·g.
    #[test]
    fn factors_scale_rate_and_decay() {
        let factors = Factors {
            learning_rate: 0.5,
            weight_decay: 0.0,
        };
        let found = steps(factors, true, [3.0, 4.0], &[[4.5, 6.0]]);
        assert_close(&found, [3.0 - 0.3, 4.0 - 0.4]);
    }
}
