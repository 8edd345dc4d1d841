//! Quickprop, branch by branch as in Fahlman's program `quickprop.c`: with the slope
//! `s = g + λw`, the slope p and the change d of the step before, and `shrink = μ/(1 + μ)`.
//!
//! Source: Fahlman, "An empirical study of learning speed in back-propagation networks",
//! CMU-CS-88-162, 1988, and the program's function `UPDATE_WEIGHTS`.

use super::{Factors, Tensor};

/// The rule's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attributes {
    /// Learning rate ε of the linear term.
    pub learning_rate: f64,
    /// Growth factor μ.
    pub growth: f64,
    /// Weight decay λ.
    pub weight_decay: f64,
}

/// What Quickprop keeps of a parameter between steps; zeros at first.
#[derive(Clone, Debug)]
pub struct State {
    /// The last slopes.
    pub slope: Tensor,
    /// The last changes.
    pub change: Tensor,
}

impl State {
    /// Before the first step of a parameter of this shape.
    pub fn new(shape: &[usize]) -> Self {
        State {
            slope: Tensor::zeros(shape),
            change: Tensor::zeros(shape),
        }
    }
}

/// The change of one weight.
fn change(s: f64, p: f64, d: f64, epsilon: f64, mu: f64) -> f64 {
    let shrink = mu / (1.0 + mu);
    let mut next = 0.0;
    if d < 0.0 {
        if s > 0.0 {
            next -= epsilon * s;
        }
        if s >= shrink * p {
            next += mu * d;
        } else {
            next += d * s / (p - s);
        }
    } else if d > 0.0 {
        if s < 0.0 {
            next -= epsilon * s;
        }
        if s <= shrink * p {
            next += mu * d;
        } else {
            next += d * s / (p - s);
        }
    } else {
        next -= epsilon * s;
    }
    next
}

/// One step on one parameter.
pub fn step(
    weight: &mut Tensor,
    gradient: &Tensor,
    state: &mut State,
    factors: Factors,
    a: &Attributes,
) {
    let epsilon = a.learning_rate * factors.learning_rate;
    let decay = a.weight_decay * factors.weight_decay;
    for i in 0..weight.data.len() {
        let s = gradient.data[i] + decay * weight.data[i];
        let (p, d) = (state.slope.data[i], state.change.data[i]);
        let next = change(s, p, d, epsilon, a.growth);
        state.slope.data[i] = s;
        state.change.data[i] = next;
        weight.data[i] += next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Attributes = Attributes {
        learning_rate: 0.5,
        growth: 1.5,
        weight_decay: 0.0,
    };

    /// Where these gradients lead from 0, step by step.
    fn follow(gradients: &[f64]) -> Vec<f64> {
        let (mut weight, mut state) = (Tensor::new(&[1], vec![0.0]), State::new(&[1]));
        let mut next = |g: &f64| {
            let gradient = Tensor::new(&[1], vec![*g]);
            step(&mut weight, &gradient, &mut state, Factors::default(), &A);
            weight.data[0]
        };
        gradients.iter().map(&mut next).collect()
    }

    /// The first step is −ε·s; μ/(1 + μ) is 0.6. From the slope −4 and the change 2:
    /// * slope −2 is below 0.6 · −4 in size: parabola −2/(−4 + 2)·2 = 2, and ε·2 = 1 beside it;
    /// * slope −3 is not: μ·2 = 3, and ε·3 = 1.5;
    /// * slope 0: nothing, and then the linear term again;
    /// * slope 4 is beyond the minimum: 4/(−4 − 4)·2 = −1, without linear term.
    #[test]
    fn steps_by_hand() {
        assert_eq!(follow(&[-4.0, -2.0]), [2.0, 5.0]);
        assert_eq!(follow(&[-4.0, -3.0]), [2.0, 6.5]);
        assert_eq!(follow(&[-4.0, 0.0, -1.0]), [2.0, 2.0, 2.5]);
        assert_eq!(follow(&[-4.0, 4.0]), [2.0, 1.0]);
    }

    /// The same to the other side, on to a third step: change −1, slope 4, now −1:
    /// −1/(4 + 1)·(−1) = 0.2.
    #[test]
    fn the_other_side_is_the_mirror_image() {
        assert_eq!(follow(&[4.0, 2.0]), [-2.0, -5.0]);
        assert_eq!(follow(&[4.0, 3.0]), [-2.0, -6.5]);
        let three = follow(&[-4.0, 4.0, -1.0]);
        assert!((three[2] - 1.2).abs() <= 1e-15, "{three:?}");
    }

    /// On a parabola the second step, the linear term aside, ends at the minimum: from 0 with
    /// the slope 2(w − 3).
    #[test]
    fn a_parabola_is_solved_at_once() {
        let (mut weight, mut state) = (Tensor::new(&[1], vec![0.0]), State::new(&[1]));
        for rate in [0.75, 0.0] {
            let gradient = weight.map(|w| 2.0 * (w - 3.0));
            let factors = Factors {
                learning_rate: rate,
                ..Factors::default()
            };
            step(&mut weight, &gradient, &mut state, factors, &A);
        }
        assert!((weight.data[0] - 3.0).abs() <= 1e-15, "{weight:?}");
    }
}
