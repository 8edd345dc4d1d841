//! Group normalisation: `y = γ·(x − μ)/√(σ² + ε) + β`, sample by sample and group by group.
//!
//! Shapes: input `[N, C, H, W]` or `[N, C]`. γ (weight) and β (bias) are `[C]`, or have the shape
//! of a sample. μ and σ² are mean and biased variance of the C/G channels of a group of one
//! sample, over all positions. G = C is instance normalisation; G = 1 with γ and β of the
//! sample's shape is layer normalisation. Source: Wu, He, "Group Normalization", ECCV 2018.

use super::Tensor;

/// γ and β.
#[derive(Clone, Debug)]
pub struct Affine {
    /// γ.
    pub weight: Tensor,
    /// β.
    pub bias: Tensor,
}

/// Gradients of one step.
pub struct Gradients {
    /// With respect to the input.
    pub x: Tensor,
    /// With respect to γ and β, where there are any.
    pub affine: Option<Affine>,
}

/// The number of `parameter` that belongs to an element `[n, c, p]` of the input.
fn place(parameter: &Tensor, positions: usize, index: &[usize]) -> usize {
    match parameter.shape.len() {
        1 => index[1],
        _ => index[1] * positions + index[2],
    }
}

/// `x̂ = (x − μ)/√(σ² + ε)` as `[N, C, H·W]`, and `1/√(σ² + ε)` as `[N, G]`.
fn normalise(x: &Tensor, groups: usize, epsilon: f64) -> (Tensor, Tensor) {
    let x = x.by_channel();
    let &[batch, channels, positions] = x.shape.as_slice() else {
        unreachable!()
    };
    let count = (channels / groups * positions) as f64;
    let group_of = |c: usize| c / (channels / groups);
    let mut mean = Tensor::zeros(&[batch, groups]);
    let mut variance = Tensor::zeros(&[batch, groups]);
    for n in 0..batch {
        for c in 0..channels {
            for p in 0..positions {
                *mean.at_mut(&[n, group_of(c)]) += x.at(&[n, c, p]) / count;
            }
        }
        for c in 0..channels {
            for p in 0..positions {
                let deviation = x.at(&[n, c, p]) - mean.at(&[n, group_of(c)]);
                *variance.at_mut(&[n, group_of(c)]) += deviation * deviation / count;
            }
        }
    }
    let inverse = variance.map(|v| 1.0 / (v + epsilon).sqrt());
    let normalised = Tensor::from_fn(&x.shape, |i| {
        let g = [i[0], group_of(i[1])];
        (x.at(i) - mean.at(&g)) * inverse.at(&g)
    });
    (normalised, inverse)
}

/// Normalises `groups` groups of channels of every sample.
pub fn forward(x: &Tensor, affine: Option<&Affine>, groups: usize, epsilon: f64) -> Tensor {
    let (normalised, _) = normalise(x, groups, epsilon);
    let y = Tensor::from_fn(&normalised.shape, |i| match affine {
        None => normalised.at(i),
        Some(Affine { weight, bias }) => {
            let k = place(weight, normalised.shape[2], i);
            weight.data[k] * normalised.at(i) + bias.data[k]
        }
    });
    y.reshaped(&x.shape)
}

/// With `g = γ·δ` and m numbers a group,
/// `δx = (g − Σg/m − x̂·Σ(g·x̂)/m)/√(σ² + ε)`, `δγ = Σ δ·x̂`, `δβ = Σ δ`.
pub fn grad(
    x: &Tensor,
    affine: Option<&Affine>,
    groups: usize,
    epsilon: f64,
    grad_y: &Tensor,
) -> Gradients {
    let (normalised, inverse) = normalise(x, groups, epsilon);
    let delta = grad_y.by_channel();
    let &[batch, channels, positions] = delta.shape.as_slice() else {
        unreachable!()
    };
    let group_of = |i: &[usize]| [i[0], i[1] / (channels / groups)];
    let scaled = Tensor::from_fn(&delta.shape, |i| match affine {
        None => delta.at(i),
        Some(affine) => affine.weight.data[place(&affine.weight, positions, i)] * delta.at(i),
    });
    let mut sums = Tensor::zeros(&[batch, groups]);
    let mut weighted = Tensor::zeros(&[batch, groups]);
    let mut affine_gradient = affine.map(|a| Affine {
        weight: a.weight.map(|_| 0.0),
        bias: a.bias.map(|_| 0.0),
    });
    for n in 0..batch {
        for c in 0..channels {
            for p in 0..positions {
                let i = [n, c, p];
                *sums.at_mut(&group_of(&i)) += scaled.at(&i);
                *weighted.at_mut(&group_of(&i)) += scaled.at(&i) * normalised.at(&i);
                if let Some(Affine { weight, bias }) = &mut affine_gradient {
                    let k = place(weight, positions, &i);
                    weight.data[k] += delta.at(&i) * normalised.at(&i);
                    bias.data[k] += delta.at(&i);
                }
            }
        }
    }
    let count = (channels / groups * positions) as f64;
    let grad_x = Tensor::from_fn(&delta.shape, |i| {
        let g = group_of(i);
        let through_mean = sums.at(&g) / count;
        let through_variance = normalised.at(i) * weighted.at(&g) / count;
        inverse.at(&g) * (scaled.at(i) - through_mean - through_variance)
    });
    Gradients {
        x: grad_x.reshaped(&x.shape),
        affine: affine_gradient,
    }
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    /// Groups (1, 3) and (10, 14): means 2 and 12, variances 1 and 4; with ε = 0, x̂ is ∓1.
    #[test]
    fn values_by_hand() {
        let x = Tensor::new(&[1, 4], vec![1., 3., 10., 14.]);
        let affine = Affine {
            weight: Tensor::new(&[4], vec![1., 2., 3., 4.]),
            bias: Tensor::new(&[4], vec![0., 0., 10., 10.]),
        };
        assert_eq!(forward(&x, None, 2, 0.0).data, [-1., 1., -1., 1.]);
        assert_eq!(forward(&x, Some(&affine), 2, 0.0).data, [-1., 2., 7., 14.]);
        // One channel of two positions, each with a weight of its own.
        let x = Tensor::new(&[1, 1, 1, 2], vec![1., 3.]);
        let affine = Affine {
            weight: Tensor::new(&[1, 1, 2], vec![5., 6.]),
            bias: Tensor::new(&[1, 1, 2], vec![0., 1.]),
        };
        assert_eq!(forward(&x, Some(&affine), 1, 0.0).data, [-5., 7.]);
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        const EPSILON: f64 = 1e-5;
        for (shape, groups, per_element) in [
            (vec![2, 6, 2, 3], 3, false),
            (vec![3, 4, 3, 1], 4, false),
            (vec![2, 3, 2, 2], 1, true),
            (vec![3, 6], 2, false),
            (vec![2, 5], 1, true),
        ] {
            let (x, delta) = (Tensor::normal(&shape, 1), Tensor::normal(&shape, 2));
            let parameters = if per_element {
                &shape[1..]
            } else {
                &shape[1..2]
            };
            let affine = Affine {
                weight: Tensor::normal(parameters, 3),
                bias: Tensor::normal(parameters, 4),
            };
            let loss = |x: &Tensor, affine: Option<&Affine>| {
                forward(x, affine, groups, EPSILON).dot(&delta)
            };
            let plain = grad(&x, None, groups, EPSILON, &delta);
            assert!(plain.affine.is_none());
            assert_gradient("x alone", &plain.x, &x, |x| loss(x, None));
            let found = grad(&x, Some(&affine), groups, EPSILON, &delta);
            assert_gradient("x", &found.x, &x, |x| loss(x, Some(&affine)));
            let gradient = found.affine.expect("there are γ and β");
            let with = |weight: &Tensor, bias: &Tensor| Affine {
                weight: weight.clone(),
                bias: bias.clone(),
            };
            assert_gradient("γ", &gradient.weight, &affine.weight, |weight| {
                loss(&x, Some(&with(weight, &affine.bias)))
            });
            assert_gradient("β", &gradient.bias, &affine.bias, |bias| {
                loss(&x, Some(&with(&affine.weight, bias)))
            });
        }
    }
}
