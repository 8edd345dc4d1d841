//! Adam, with L2 decay as PyTorch: `g ← g + λw`, `m ← β₁m + (1−β₁)g`,
//! `v ← β₂v + (1−β₂)g²`, `w ← w − lr·m̂/(√v̂ + ε)` with the bias-corrected
//! `m̂ = m/(1−β₁ᵗ)`, `v̂ = v/(1−β₂ᵗ)`, t = 1, 2, ….
//!
//! Source: Kingma, Ba, "Adam", ICLR 2015.

use super::{Factors, Tensor};

/// The settings of Adam, and of AdamW.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attributes {
    /// Learning rate lr.
    pub learning_rate: f64,
    /// Decay (β₁, β₂) of the two moving averages.
    pub betas: [f64; 2],
    /// ε, outside the square root.
    pub epsilon: f64,
    /// Weight decay λ.
    pub weight_decay: f64,
}

impl Attributes {
    /// β = (0.9, 0.999), ε = 10⁻⁸, no decay.
    pub fn new(learning_rate: f64) -> Self {
        Attributes {
            learning_rate,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            weight_decay: 0.0,
        }
    }
}

/// What Adam keeps of a parameter between steps.
#[derive(Clone, Debug)]
pub struct State {
    /// Moving average m of the gradient.
    pub mean: Tensor,
    /// Moving average v of its square.
    pub square: Tensor,
    /// Steps taken so far.
    pub steps: i32,
}

impl State {
    /// Before the first step of a parameter of this shape.
    pub fn new(shape: &[usize]) -> Self {
        State {
            mean: Tensor::zeros(shape),
            square: Tensor::zeros(shape),
            steps: 0,
        }
    }
}

/// One step on one parameter, L2 decay in the gradient.
pub fn step(
    weight: &mut Tensor,
    gradient: &Tensor,
    state: &mut State,
    factors: Factors,
    a: &Attributes,
) {
    let weight_decay = a.weight_decay * factors.weight_decay;
    let gradient = gradient.zip(weight, |g, w| g + weight_decay * w);
    descend(
        weight,
        &gradient,
        state,
        a.learning_rate * factors.learning_rate,
        a,
    );
}

/// The part of a step that Adam and AdamW share; `gradient` is final.
pub(super) fn descend(
    weight: &mut Tensor,
    gradient: &Tensor,
    state: &mut State,
    learning_rate: f64,
    a: &Attributes,
) {
    let [beta1, beta2] = a.betas;
    state.steps += 1;
    state.mean = state
        .mean
        .zip(gradient, |m, g| beta1 * m + (1.0 - beta1) * g);
    state.square = state
        .square
        .zip(gradient, |v, g| beta2 * v + (1.0 - beta2) * g * g);
    let mean = state.mean.map(|m| m / (1.0 - beta1.powi(state.steps)));
    let square = state.square.map(|v| v / (1.0 - beta2.powi(state.steps)));
    let direction = mean.zip(&square, |m, v| m / (v.sqrt() + a.epsilon));
    *weight = weight.zip(&direction, |w, d| w - learning_rate * d);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bias correction makes the first m̂ = g and √v̂ = |g|: the first step has
    /// length lr, whatever the gradient. With β = (½, ¾) and gradients 2, 4 the
    /// second has m = 2.5, m̂ = 10/3, v = ¾ + 4 = 4.75, v̂ = 76/7.
    #[test]
    fn steps_by_hand() {
        let a = Attributes {
            betas: [0.5, 0.75],
            epsilon: 0.0,
            ..Attributes::new(0.1)
        };
        let (mut weight, mut state) = (Tensor::new(&[1], vec![1.0]), State::new(&[1]));
        let mut next = |g: f64| {
            step(
                &mut weight,
                &Tensor::new(&[1], vec![g]),
                &mut state,
                Factors::default(),
                &a,
            );
            weight.data[0]
        };
        assert!((next(2.0) - 0.9).abs() <= 1e-15);
        let second = 0.9 - 0.1 * (10.0 / 3.0) / (76f64 / 7.0).sqrt();
        assert!((next(4.0) - second).abs() <= 1e-15);
    }
}
