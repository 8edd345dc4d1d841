//! Functions of one number, applied to every element: the table of activations, with derivatives.
//!
//! Where a derivative jumps, the value at the jump is PyTorch's.

use super::Tensor;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI, PI};

/// A function by the name of its operator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unary {
    /// With α (Barron 2017).
    Celu(f64),
    /// With α (Clevert, Unterthiner and Hochreiter 2016).
    Elu(f64),
    /// With the normal distribution function (Hendrycks and Gimpel 2016).
    Gelu,
    /// With tanh in its place (the same).
    GeluTanh,
    /// Howard et al. 2019.
    HardSigmoid,
    /// The same.
    HardSwish,
    /// Misra 2020.
    Mish,
    /// Krizhevsky 2010.
    Relu6,
    /// Klambauer, Unterthiner, Mayr and Hochreiter 2017.
    Selu,
    /// Elfwing, Uchibe and Doya 2018.
    Silu,
    /// With β (Dugas et al. 2000).
    Softplus(f64),
}

use Unary::*;

/// Every function, with odd attributes.
pub const ALL: [Unary; 13] = [
    Celu(0.7),
    Elu(1.0),
    Elu(-0.4),
    Gelu,
    GeluTanh,
    HardSigmoid,
    HardSwish,
    Mish,
    Relu6,
    Selu,
    Silu,
    Softplus(1.0),
    Softplus(2.5),
];

/// α and λ of SELU.
const SELU: [f64; 2] = [1.673_263_242_354_377_2, 1.050_700_987_355_480_5];

/// The cubic term in GELU's form with tanh.
const CUBIC: f64 = 0.044_715;

fn sigmoid(y: f64) -> f64 {
    1.0 / (1.0 + (-y).exp())
}

fn softplus(y: f64) -> f64 {
    y.max(0.0) + (-y.abs()).exp().ln_1p()
}

/// `erf(z) = 2/√π · e^{−z²} Σ_k 2^k z^{2k+1}/(1·3·…·(2k+1))`, whose terms have one sign (Abramowitz
/// and Stegun, 7.1.6).
fn erf(z: f64) -> f64 {
    if z.abs() > 6.0 {
        return z.signum();
    }
    let (mut term, mut sum) = (z, z);
    for k in 1..200 {
        term *= 2.0 * z * z / f64::from(2 * k + 1);
        sum += term;
    }
    2.0 / PI.sqrt() * (-z * z).exp() * sum
}

/// Φ, the standard normal distribution function.
fn normal_distribution(y: f64) -> f64 {
    0.5 * (1.0 + erf(y * FRAC_1_SQRT_2))
}

/// The tanh that stands for `erf(y/√2)` in the other form of GELU.
fn tanh_for_erf(y: f64) -> f64 {
    (FRAC_2_PI.sqrt() * (y + CUBIC * y.powi(3))).tanh()
}

impl Unary {
    /// f(y).
    pub fn value(self, y: f64) -> f64 {
        match self {
            Celu(alpha) => y.max(0.0) + (alpha * (y / alpha).exp_m1()).min(0.0),
            Elu(_) if y > 0.0 => y,
            Elu(alpha) => alpha * y.exp_m1(),
            Gelu => y * normal_distribution(y),
            GeluTanh => 0.5 * y * (1.0 + tanh_for_erf(y)),
            HardSigmoid => Relu6.value(y + 3.0) / 6.0,
            HardSwish => y * HardSigmoid.value(y),
            Mish => y * softplus(y).tanh(),
            Relu6 => y.clamp(0.0, 6.0),
            Selu => SELU[1] * Elu(SELU[0]).value(y),
            Silu => y * sigmoid(y),
            Softplus(beta) => softplus(beta * y) / beta,
        }
    }

    /// f′(y).
    pub fn derivative(self, y: f64) -> f64 {
        match self {
            Celu(alpha) => (y / alpha).exp().min(1.0),
            Elu(_) if y > 0.0 => 1.0,
            Elu(alpha) => alpha * y.exp(),
            Gelu => normal_distribution(y) + y * (-0.5 * y * y).exp() / (2.0 * PI).sqrt(),
            GeluTanh => {
                let tanh = tanh_for_erf(y);
                let inner = FRAC_2_PI.sqrt() * (1.0 + 3.0 * CUBIC * y * y);
                0.5 * (1.0 + tanh) + 0.5 * y * (1.0 - tanh * tanh) * inner
            }
            HardSigmoid => f64::from(y.abs() < 3.0) / 6.0,
            HardSwish if y <= -3.0 => 0.0,
            HardSwish if y < 3.0 => y / 3.0 + 0.5,
            HardSwish => 1.0,
            Mish => {
                let tanh = softplus(y).tanh();
                tanh + y * (1.0 - tanh * tanh) * sigmoid(y)
            }
            Relu6 => f64::from(y > 0.0 && y < 6.0),
            Selu => SELU[1] * Elu(SELU[0]).derivative(y),
            Silu => sigmoid(y) + y * sigmoid(y) * (1.0 - sigmoid(y)),
            Softplus(beta) => sigmoid(beta * y),
        }
    }

    /// Where the derivative jumps.
    pub fn kinks(self) -> &'static [f64] {
        match self {
            Elu(_) | Selu => &[0.0],
            HardSigmoid | HardSwish => &[-3.0, 3.0],
            Relu6 => &[0.0, 6.0],
            _ => &[],
        }
    }

    /// f of every element.
    pub fn forward(self, x: &Tensor) -> Tensor {
        x.map(|y| self.value(y))
    }

    /// `δ·f′(y)`; `x` is the input.
    pub fn grad_input(self, x: &Tensor, grad_y: &Tensor) -> Tensor {
        x.zip(grad_y, |y, delta| delta * self.derivative(y))
    }
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    /// Values at 0 and one more place, from the formulas with `e^{ln 2} = 2`; Φ(1) and erf from
    /// tables.
    #[test]
    fn values_by_hand() {
        let ln2 = 2f64.ln();
        for (function, y, value, derivative) in [
            (Celu(2.0), -2.0 * ln2, -1.0, 0.5),
            (Elu(3.0), -ln2, -1.5, 1.5),
            (Elu(3.0), 2.0, 2.0, 1.0),
            (Gelu, 0.0, 0.0, 0.5),
            (Gelu, 1.0, 0.841_344_746_068_542_9, 1.083_315_470_587_686_3),
            (GeluTanh, 0.0, 0.0, 0.5),
            (HardSigmoid, 1.5, 0.75, 1.0 / 6.0),
            (HardSigmoid, 3.0, 1.0, 0.0),
            (HardSwish, -3.0, 0.0, 0.0),
            (HardSwish, 1.5, 1.125, 1.0),
            (HardSwish, 3.0, 3.0, 1.0),
            (Mish, 0.0, 0.0, 0.6),
            (Mish, ln2, 0.8 * ln2, 0.8 + 0.24 * ln2),
            (Relu6, 7.0, 6.0, 0.0),
            (Relu6, 5.0, 5.0, 1.0),
            (
                Selu,
                -ln2,
                -0.5 * SELU[0] * SELU[1],
                0.5 * SELU[0] * SELU[1],
            ),
            (Selu, 2.0, 2.0 * SELU[1], SELU[1]),
            (Silu, ln2, ln2 * 2.0 / 3.0, 2.0 / 3.0 + ln2 * 2.0 / 9.0),
            (Softplus(1.0), 0.0, ln2, 0.5),
            (Softplus(2.0), 0.5 * ln2, 0.5 * 3f64.ln(), 2.0 / 3.0),
            (Softplus(1.0), 1e4, 1e4, 1.0),
            (Softplus(1.0), -1e4, 0.0, 0.0),
        ] {
            let found = [function.value(y), function.derivative(y)];
            for (found, expected) in found.iter().zip([value, derivative]) {
                let close = (found - expected).abs() <= 1e-15 * (1.0 + expected.abs());
                assert!(close, "{function:?} at {y}: {found} instead of {expected}");
            }
        }
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        let (x, delta) = (
            Tensor::normal(&[2, 3, 4, 5], 1).map(|y| 3.0 * y),
            Tensor::normal(&[2, 3, 4, 5], 2),
        );
        for function in ALL {
            let grad = function.grad_input(&x, &delta);
            assert_gradient(&format!("{function:?}"), &grad, &x, |x| {
                function.forward(x).dot(&delta)
            });
        }
    }
}
