//! RMSProp, as PyTorch has it: `g ← g + λw`, `s ← αs + (1−α)g²`, `v ← μv + g/(√s + ε)`,
//! `w ← w − lr·v`. Centered, the variance `s − m²` stands under the root, with
//! `m ← αm + (1−α)g`.
//!
//! Source: Tieleman, Hinton, "Lecture 6.5: RMSProp", 2012; centered: Graves,
//! "Generating sequences with recurrent neural networks", 2013.

use super::{Factors, Tensor};

/// The rule's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attributes {
    /// Learning rate lr.
    pub learning_rate: f64,
    /// Decay α of the moving averages.
    pub alpha: f64,
    /// ε, outside the square root.
    pub epsilon: f64,
    /// Momentum μ.
    pub momentum: f64,
    /// L2 weight decay λ.
    pub weight_decay: f64,
    /// Divide by the deviation instead of the root of the mean square.
    pub centered: bool,
}

impl Attributes {
    /// α = 0.99, ε = 10⁻⁸, neither momentum nor decay.
    pub fn new(learning_rate: f64) -> Self {
        Attributes {
            learning_rate,
            alpha: 0.99,
            epsilon: 1e-8,
            momentum: 0.0,
            weight_decay: 0.0,
            centered: false,
        }
    }
}

/// What RMSProp keeps of a parameter between steps; zeros at first.
#[derive(Clone, Debug)]
pub struct State {
    /// Moving average s of the gradient's square.
    pub square: Tensor,
    /// Moving average m of the gradient.
    pub mean: Tensor,
    /// Velocity v.
    pub velocity: Tensor,
}

impl State {
    /// Before the first step of a parameter of this shape.
    pub fn new(shape: &[usize]) -> Self {
        State {
            square: Tensor::zeros(shape),
            mean: Tensor::zeros(shape),
            velocity: Tensor::zeros(shape),
        }
    }
}

/// One step on one parameter.
pub fn step(
    weight: &mut Tensor,
    gradient: &Tensor,
    state: &mut State,
    factors: Factors,
    a: &Attributes,
) {
    let learning_rate = a.learning_rate * factors.learning_rate;
    let weight_decay = a.weight_decay * factors.weight_decay;
    let gradient = gradient.zip(weight, |g, w| g + weight_decay * w);
    let fresh = 1.0 - a.alpha;
    state.square = state
        .square
        .zip(&gradient, |s, g| a.alpha * s + fresh * g * g);
    state.mean = state.mean.zip(&gradient, |m, g| a.alpha * m + fresh * g);
    let divisor = match a.centered {
        true => state.square.zip(&state.mean, |s, m| (s - m * m).sqrt()),
        false => state.square.map(f64::sqrt),
    };
    let scaled = gradient.zip(&divisor, |g, d| g / (d + a.epsilon));
    state.velocity = state.velocity.zip(&scaled, |v, d| a.momentum * v + d);
    *weight = weight.zip(&state.velocity, |w, v| w - learning_rate * v);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How far two steps go from 0 with gradients 2 and 4, lr = 1.
    fn two_steps(factors: Factors, a: &Attributes) -> [f64; 2] {
        let (mut weight, mut state) = (Tensor::zeros(&[1]), State::new(&[1]));
        [2.0, 4.0].map(|g| {
            let before = weight.data[0];
            let gradient = Tensor::new(&[1], vec![g]);
            step(&mut weight, &gradient, &mut state, factors, a);
            before - weight.data[0]
        })
    }

    fn assert_close(found: [f64; 2], expected: [f64; 2]) {
        for (found, expected) in found.into_iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-14,
                "{found}, by hand {expected}"
            );
        }
    }

    /// α = ½: s = ½·4 = 2, then ½·2 + ½·16 = 9; m = 1, then ½·1 + ½·4 = 2.5, so that the variance
    /// is 2 − 1 = 1, then 9 − 6.25 = 2.75. Momentum ½ adds half of the first step to the second.
    #[test]
    fn steps_by_hand() {
        let plain = Attributes {
            alpha: 0.5,
            epsilon: 0.0,
            ..Attributes::new(1.0)
        };
        let one = Factors::default();
        let first = 2.0 / 2f64.sqrt();
        assert_close(two_steps(one, &plain), [first, 4.0 / 3.0]);
        let momentum = Attributes {
            momentum: 0.5,
            ..plain
        };
        assert_close(two_steps(one, &momentum), [first, 4.0 / 3.0 + 0.5 * first]);
        let centered = Attributes {
            centered: true,
            ..plain
        };
        assert_close(two_steps(one, &centered), [2.0, 4.0 / 2.75f64.sqrt()]);
        let epsilon = Attributes {
            epsilon: 1.0,
            ..plain
        };
        assert_close(two_steps(one, &epsilon), [2.0 / (2f64.sqrt() + 1.0), 1.0]);
    }

    /// With α = 0 and no ε a step has the length of the rate, whatever the gradient; of a weight
    /// that is moved the decay turns the gradient around.
    #[test]
    fn factors_scale_rate_and_decay() {
        let a = Attributes {
            alpha: 0.0,
            epsilon: 0.0,
            weight_decay: 8.0,
            ..Attributes::new(1.0)
        };
        let steps = |learning_rate, weight_decay| {
            let factors = Factors {
                learning_rate,
                weight_decay,
            };
            two_steps(factors, &a)
        };
        assert_eq!(steps(1.0, 0.0), [1.0, 1.0]);
        assert_eq!(steps(0.5, 0.0), [0.5, 0.5]);
        assert_eq!(steps(1.0, 1.0), [1.0, -1.0]);
    }
}
