//! Stochastic gradient descent with momentum, in PyTorch's form:
//! `g ← g + λw`, `v ← μv + (1−τ)g`, `w ← w − lr·v` (Nesterov: `w − lr·(g + μv)`).

use super::{Factors, Tensor};

/// The rule's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attributes {
    /// Learning rate lr.
    pub learning_rate: f64,
    /// Momentum μ; 0 keeps no velocity.
    pub momentum: f64,
    /// Dampening τ of the gradient's part in the velocity.
    pub dampening: f64,
    /// Look ahead by one more step of momentum.
    pub nesterov: bool,
    /// L2 weight decay λ.
    pub weight_decay: f64,
}

impl Attributes {
    /// Plain gradient descent.
    pub fn new(learning_rate: f64) -> Self {
        let (momentum, dampening, weight_decay) = (0.0, 0.0, 0.0);
        Attributes {
            learning_rate,
            momentum,
            dampening,
            nesterov: false,
            weight_decay,
        }
    }
}

/// One step on one parameter. `velocity` is None before the first step, which
/// sets it to the gradient itself, undampened.
pub fn step(
    weight: &mut Tensor,
    gradient: &Tensor,
    velocity: &mut Option<Tensor>,
    factors: Factors,
    a: &Attributes,
) {
    let learning_rate = a.learning_rate * factors.learning_rate;
    let weight_decay = a.weight_decay * factors.weight_decay;
    let gradient = gradient.zip(weight, |g, w| g + weight_decay * w);
    let direction = if a.momentum == 0.0 {
        gradient
    } else {
        let moved = match velocity {
            None => gradient.clone(),
            Some(v) => v.zip(&gradient, |v, g| a.momentum * v + (1.0 - a.dampening) * g),
        };
        let direction = if a.nesterov {
            gradient.zip(&moved, |g, v| g + a.momentum * v)
        } else {
            moved.clone()
        };
        *velocity = Some(moved);
        direction
    };
    *weight = weight.zip(&direction, |w, d| w - learning_rate * d);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts at 1 with gradients 2 and 4 and returns where the two steps lead.
    fn two_steps(factors: Factors, a: &Attributes) -> [f64; 2] {
        let (mut weight, mut velocity) = (Tensor::new(&[1], vec![1.0]), None);
        [2.0, 4.0].map(|g| {
            step(
                &mut weight,
                &Tensor::new(&[1], vec![g]),
                &mut velocity,
                factors,
                a,
            );
            weight.data[0]
        })
    }

    /// lr = ½, μ = ½: v = 2 then ½·2 + 4 = 5, dampened by ¼ ½·2 + ¾·4 = 4;
    /// Nesterov moves by 2 + ½·2 = 3 then 4 + ½·5 = 6.5.
    #[test]
    fn steps_by_hand() {
        let plain = Attributes::new(0.5);
        let momentum = Attributes {
            momentum: 0.5,
            ..plain
        };
        let one = Factors::default();
        assert_eq!(two_steps(one, &plain), [0.0, -2.0]);
        assert_eq!(two_steps(one, &momentum), [0.0, -2.5]);
        assert_eq!(
            two_steps(
                one,
                &Attributes {
                    dampening: 0.25,
                    ..momentum
                }
            ),
            [0.0, -2.0]
        );
        assert_eq!(
            two_steps(
                one,
                &Attributes {
                    nesterov: true,
                    ..momentum
                }
            ),
            [-0.5, -3.75]
        );
    }

    /// λ = 2 adds 2·1 to the first gradient, or half or nothing of it by factor.
    #[test]
    fn factors_scale_rate_and_decay() {
        let a = Attributes {
            weight_decay: 2.0,
            ..Attributes::new(0.5)
        };
        let first = |learning_rate, weight_decay| {
            two_steps(
                Factors {
                    learning_rate,
                    weight_decay,
                },
                &a,
            )[0]
        };
        assert_eq!(first(1.0, 1.0), -1.0);
        assert_eq!(first(1.0, 0.5), -0.5);
        assert_eq!(first(1.0, 0.0), 0.0);
        assert_eq!(first(0.5, 1.0), 0.0);
        assert_eq!(first(0.0, 1.0), 1.0);
    }
}
