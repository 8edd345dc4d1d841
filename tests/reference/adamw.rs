//! AdamW: Adam with the decay taken off the weight itself,
//! `w ← (1 − lr·λ)·w`, before Adam's step on the bare gradient.
//!
//! Source: Loshchilov, Hutter, "Decoupled Weight Decay Regularization",
//! ICLR 2019. PyTorch's default λ is 0.01, not 0.

use super::adam::{Attributes, State, descend};
use super::{Factors, Tensor};

/// One step on one parameter, decay apart from the gradient.
pub fn step(
    weight: &mut Tensor,
    gradient: &Tensor,
    state: &mut State,
    factors: Factors,
    a: &Attributes,
) {
    let learning_rate = a.learning_rate * factors.learning_rate;
    let weight_decay = a.weight_decay * factors.weight_decay;
    *weight = weight.map(|w| w * (1.0 - learning_rate * weight_decay));
    descend(weight, gradient, state, learning_rate, a);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// lr = 0.1, λ = 0.5: 2 shrinks to 1.9, then the first step takes 0.1.
    #[test]
    fn first_step_by_hand() {
        let a = Attributes {
            weight_decay: 0.5,
            epsilon: 0.0,
            ..Attributes::new(0.1)
        };
        let (mut weight, mut state) = (Tensor::new(&[1], vec![2.0]), State::new(&[1]));
        step(
            &mut weight,
            &Tensor::new(&[1], vec![3.0]),
            &mut state,
            Factors::default(),
            &a,
        );
        assert!((weight.data[0] - 1.8).abs() <= 1e-15);
    }
}
