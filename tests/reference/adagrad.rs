//! Adagrad, as PyTorch has it: `g ← g + λw`, `s ← s + g²`,
//! `w ← w − lr/(1 + t·η)·g/(√s + ε)` at step t = 0, 1, …
//!
//! Source: Duchi, Hazan, Singer, "Adaptive subgradient methods for online
//! learning and stochastic optimization", JMLR 12, 2011.

use super::{Factors, Tensor};

/// The rule's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attributes {
    /// Learning rate lr.
    pub learning_rate: f64,
    /// Decay η of the learning rate.
    pub learning_rate_decay: f64,
    /// Where s starts from.
    pub initial_accumulator: f64,
    /// ε, outside the square root.
    pub epsilon: f64,
    /// L2 weight decay λ.
    pub weight_decay: f64,
}

impl Attributes {
    /// ε = 10⁻¹⁰, no decay, s from 0.
    pub fn new(learning_rate: f64) -> Self {
        Attributes {
            learning_rate,
            learning_rate_decay: 0.0,
            initial_accumulator: 0.0,
            epsilon: 1e-10,
            weight_decay: 0.0,
        }
    }
}

/// What Adagrad keeps of a parameter between steps.
#[derive(Clone, Debug)]
pub struct State {
    /// Sum s of the gradients' squares.
    pub sum: Tensor,
    /// Steps taken so far.
    pub steps: u32,
}

impl State {
    /// Before the first step of a parameter of this shape.
    pub fn new(shape: &[usize], a: &Attributes) -> Self {
        State {
            sum: Tensor::zeros(shape).map(|_| a.initial_accumulator),
            steps: 0,
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
    let slowed = 1.0 + f64::from(state.steps) * a.learning_rate_decay;
    let learning_rate = a.learning_rate * factors.learning_rate / slowed;
    let weight_decay = a.weight_decay * factors.weight_decay;
    let gradient = gradient.zip(weight, |g, w| g + weight_decay * w);
    state.steps += 1;
    state.sum = state.sum.zip(&gradient, |s, g| s + g * g);
    let direction = gradient.zip(&state.sum, |g, s| g / (s.sqrt() + a.epsilon));
    *weight = weight.zip(&direction, |w, d| w - learning_rate * d);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How far two steps go from 0 with gradients 2 and 4, lr = 1.
    fn two_steps(a: &Attributes) -> [f64; 2] {
        let (mut weight, mut state) = (Tensor::zeros(&[1]), State::new(&[1], a));
        [2.0, 4.0].map(|g| {
            let before = weight.data[0];
            let gradient = Tensor::new(&[1], vec![g]);
            step(&mut weight, &gradient, &mut state, Factors::default(), a);
            before - weight.data[0]
        })
    }

    /// s = 4, then 20; from 5 it is 9, then 25. η = 1 halves the second step. λ = 1 takes the
    /// weight −1 from the second gradient, which leaves 3, and s = 13.
    #[test]
    fn steps_by_hand() {
        let plain = Attributes {
            epsilon: 0.0,
            ..Attributes::new(1.0)
        };
        let second = 4.0 / 20f64.sqrt();
        let cases = [
            (plain, [1.0, second]),
            (
                Attributes {
                    learning_rate_decay: 1.0,
                    ..plain
                },
                [1.0, second / 2.0],
            ),
            (
                Attributes {
                    initial_accumulator: 5.0,
                    epsilon: 1.0,
                    ..plain
                },
                [2.0 / 4.0, 4.0 / 6.0],
            ),
            (
                Attributes {
                    weight_decay: 1.0,
                    ..plain
                },
                [1.0, 3.0 / 13f64.sqrt()],
            ),
        ];
        for (a, expected) in cases {
            for (found, expected) in two_steps(&a).into_iter().zip(expected) {
                assert!((found - expected).abs() <= 1e-15, "{a:?}: {found}");
            }
        }
    }
}
