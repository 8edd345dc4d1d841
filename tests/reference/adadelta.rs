//! Adadelta, as PyTorch has it: `g ← g + λw`, `s ← ρs + (1−ρ)g²`,
//! `d = √(u + ε)/√(s + ε)·g`, `u ← ρu + (1−ρ)d²`, `w ← w − lr·d`.
//!
//! Source: Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

use super::{Factors, Tensor};

/// The rule's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attributes {
    /// Learning rate lr; 1 in the paper.
    pub learning_rate: f64,
    /// Decay ρ of the moving averages.
    pub rho: f64,
    /// ε, within the square roots.
    pub epsilon: f64,
    /// L2 weight decay λ.
    pub weight_decay: f64,
}

impl Attributes {
    /// ρ = 0.9, ε = 10⁻⁶, no decay.
    pub fn new(learning_rate: f64) -> Self {
        Attributes {
            learning_rate,
            rho: 0.9,
            epsilon: 1e-6,
            weight_decay: 0.0,
        }
    }
}

/// What Adadelta keeps of a parameter between steps; zeros at first.
#[derive(Clone, Debug)]
pub struct State {
    /// Moving average s of the gradient's square.
    pub square: Tensor,
    /// Moving average u of the step's square.
    pub moved: Tensor,
}

impl State {
    /// Before the first step of a parameter of this shape.
    pub fn new(shape: &[usize]) -> Self {
        State {
            square: Tensor::zeros(shape),
            moved: Tensor::zeros(shape),
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
    let fresh = 1.0 - a.rho;
    state.square = state
        .square
        .zip(&gradient, |s, g| a.rho * s + fresh * g * g);
    let ratio = state.moved.zip(&state.square, |u, s| {
        ((u + a.epsilon) / (s + a.epsilon)).sqrt()
    });
    let direction = gradient.zip(&ratio, |g, r| r * g);
    state.moved = state
        .moved
        .zip(&direction, |u, d| a.rho * u + fresh * d * d);
    *weight = weight.zip(&direction, |w, d| w - learning_rate * d);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ρ = ½, ε = 1, gradients 2 and 4: s = 2, d = √(1/3)·2, u = ½·4/3 = 2/3; then s = 9,
    /// d = √((5/3)/10)·4. Half the rate goes half as far.
    #[test]
    fn steps_by_hand() {
        for rate in [1.0, 0.5] {
            let a = Attributes {
                rho: 0.5,
                epsilon: 1.0,
                ..Attributes::new(rate)
            };
            let (mut weight, mut state) = (Tensor::zeros(&[1]), State::new(&[1]));
            let mut before = 0.0;
            for (g, expected) in [(2.0, 2.0 / 3f64.sqrt()), (4.0, 4.0 / 6f64.sqrt())] {
                let gradient = Tensor::new(&[1], vec![g]);
                step(&mut weight, &gradient, &mut state, Factors::default(), &a);
                let moved = before - weight.data[0];
                assert!((moved - rate * expected).abs() <= 1e-14, "{moved}");
                before = weight.data[0];
            }
        }
    }

    /// From a weight of 1, λ = 2 makes a gradient of −2 vanish.
    #[test]
    fn decay_is_part_of_the_gradient() {
        let a = Attributes {
            weight_decay: 2.0,
            ..Attributes::new(1.0)
        };
        let (mut weight, mut state) = (Tensor::new(&[1], vec![1.0]), State::new(&[1]));
        let gradient = Tensor::new(&[1], vec![-2.0]);
        step(&mut weight, &gradient, &mut state, Factors::default(), &a);
        assert_eq!(weight.data, [1.0]);
    }
}
