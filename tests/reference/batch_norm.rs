//! Batch normalisation: `y = γ·(x − μ)/√(σ² + ε) + β`, channel by channel.
//!
//! Shapes: input `[N, C, H, W]` or `[N, C]`; γ (weight), β (bias) and all
//! statistics `[C]`. m = N·H·W is the number of elements of one channel.
//! Source: Ioffe, Szegedy, "Batch Normalization", ICML 2015; PyTorch's choice
//! of variances.

use super::Tensor;

/// What a training step's forward pass gives.
pub struct Training {
    /// The normalised, scaled and shifted input.
    pub y: Tensor,
    /// The batch's mean μ.
    pub mean: Tensor,
    /// `1/m Σ (x − μ)²`: normalises the batch.
    pub biased_variance: Tensor,
    /// `1/(m−1) Σ (x − μ)²`: goes into the running variance.
    pub unbiased_variance: Tensor,
}

/// Gradients of one step.
pub struct Gradients {
    /// With respect to the input.
    pub x: Tensor,
    /// With respect to γ.
    pub weight: Tensor,
    /// With respect to β.
    pub bias: Tensor,
}

/// `Σ_{n,i,j} term(n, c, position)` for every channel c.
fn sum_by_channel(shape: &[usize], term: impl Fn(&[usize]) -> f64) -> Tensor {
    let &[batch, channels, positions] = shape else {
        unreachable!()
    };
    let mut sums = Tensor::zeros(&[channels]);
    for n in 0..batch {
        for c in 0..channels {
            for p in 0..positions {
                *sums.at_mut(&[c]) += term(&[n, c, p]);
            }
        }
    }
    sums
}

/// Normalises by the batch's own statistics. Panics when a channel has fewer
/// than two elements, which have no variance (PyTorch refuses too).
pub fn forward_training(x: &Tensor, weight: &Tensor, bias: &Tensor, epsilon: f64) -> Training {
    let by_channel = x.by_channel();
    let count = (by_channel.shape[0] * by_channel.shape[2]) as f64;
    assert!(count > 1.0, "more than one element a channel");
    let mean = sum_by_channel(&by_channel.shape, |i| by_channel.at(i)).map(|sum| sum / count);
    let squares = sum_by_channel(&by_channel.shape, |i| {
        (by_channel.at(i) - mean.at(&[i[1]])).powi(2)
    });
    let biased_variance = squares.map(|sum| sum / count);
    let unbiased_variance = squares.map(|sum| sum / (count - 1.0));
    let y = forward_evaluation(x, [weight, bias], [&mean, &biased_variance], epsilon);
    Training {
        y,
        mean,
        biased_variance,
        unbiased_variance,
    }
}

/// `(1 − momentum)·running + momentum·batch`: PyTorch's meaning of momentum
/// (0.1 by default). Give the mean, or the **unbiased** variance.
pub fn running_update(running: &Tensor, batch: &Tensor, momentum: f64) -> Tensor {
    running.zip(batch, |old, new| (1.0 - momentum) * old + momentum * new)
}

/// Normalises by given statistics: the running mean and variance.
pub fn forward_evaluation(
    x: &Tensor,
    [weight, bias]: [&Tensor; 2],
    [mean, variance]: [&Tensor; 2],
    epsilon: f64,
) -> Tensor {
    let by_channel = x.by_channel();
    let y = Tensor::from_fn(&by_channel.shape, |index| {
        let c = [index[1]];
        let normalised = (by_channel.at(index) - mean.at(&c)) / (variance.at(&c) + epsilon).sqrt();
        weight.at(&c) * normalised + bias.at(&c)
    });
    y.reshaped(&x.shape)
}

/// Gradients of a training step, where μ and σ² depend on x as well:
/// with x̂ = (x − μ)/√(σ² + ε),
/// `δβ = Σ δ`, `δγ = Σ δ·x̂`, `δx = γ/√(σ² + ε) · (δ − δβ/m − x̂·δγ/m)`.
pub fn grad_training(x: &Tensor, weight: &Tensor, grad_y: &Tensor, epsilon: f64) -> Gradients {
    let (zeros, ones) = (Tensor::zeros(&weight.shape), weight.map(|_| 1.0));
    let batch = forward_training(x, &ones, &zeros, epsilon);
    let (normalised, delta) = (batch.y.by_channel(), grad_y.by_channel());
    let count = (delta.shape[0] * delta.shape[2]) as f64;
    let bias = sum_by_channel(&delta.shape, |i| delta.at(i));
    let scale = sum_by_channel(&delta.shape, |i| delta.at(i) * normalised.at(i));
    let grad_x = Tensor::from_fn(&delta.shape, |index| {
        let c = [index[1]];
        let deviation = (batch.biased_variance.at(&c) + epsilon).sqrt();
        let through_mean = bias.at(&c) / count;
        let through_variance = normalised.at(index) * scale.at(&c) / count;
        weight.at(&c) / deviation * (delta.at(index) - through_mean - through_variance)
    });
    Gradients {
        x: grad_x.reshaped(&x.shape),
        weight: scale,
        bias,
    }
}

/// Gradients in evaluation, where μ and σ² are constants:
/// `δx = γ/√(σ² + ε) · δ`, the others as in training.
pub fn grad_evaluation(
    x: &Tensor,
    weight: &Tensor,
    [mean, variance]: [&Tensor; 2],
    grad_y: &Tensor,
    epsilon: f64,
) -> Gradients {
    let (zeros, ones) = (Tensor::zeros(&weight.shape), weight.map(|_| 1.0));
    let normalised = forward_evaluation(x, [&ones, &zeros], [mean, variance], epsilon).by_channel();
    let delta = grad_y.by_channel();
    let grad_x = Tensor::from_fn(&delta.shape, |index| {
        let c = [index[1]];
        weight.at(&c) / (variance.at(&c) + epsilon).sqrt() * delta.at(index)
    });
    Gradients {
        x: grad_x.reshaped(&x.shape),
        weight: sum_by_channel(&delta.shape, |i| delta.at(i) * normalised.at(i)),
        bias: sum_by_channel(&delta.shape, |i| delta.at(i)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    /// Channel (1, 3): mean 2, variances 1 and 2; with ε = 3 the deviation is
    /// 2, so x̂ = ∓½ and y = 10·x̂ + 100.
    #[test]
    fn statistics_and_values_by_hand() {
        let x = Tensor::new(&[2, 1], vec![1., 3.]);
        let (gamma, beta) = (Tensor::new(&[1], vec![10.]), Tensor::new(&[1], vec![100.]));
        let out = forward_training(&x, &gamma, &beta, 3.0);
        assert_eq!((out.mean.data[0], out.biased_variance.data[0]), (2., 1.));
        assert_eq!(out.unbiased_variance.data[0], 2.);
        assert_eq!(out.y.data, [95., 105.]);
        let running = Tensor::new(&[1], vec![8.]);
        assert_eq!(running_update(&running, &out.mean, 0.25).data, [6.5]);
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        const EPSILON: f64 = 1e-5;
        for shape in [vec![3, 2, 4, 2], vec![2, 4, 1, 3], vec![5, 3]] {
            let (x, delta) = (Tensor::normal(&shape, 1), Tensor::normal(&shape, 2));
            let (gamma, beta) = (
                Tensor::normal(&shape[1..2], 3),
                Tensor::normal(&shape[1..2], 4),
            );
            let mean = Tensor::normal(&shape[1..2], 5);
            let variance = Tensor::normal(&shape[1..2], 6).map(|v| v * v + 0.1);

            let training = |x: &Tensor, gamma: &Tensor, beta: &Tensor| {
                forward_training(x, gamma, beta, EPSILON).y.dot(&delta)
            };
            let grad = grad_training(&x, &gamma, &delta, EPSILON);
            assert_gradient("training, x", &grad.x, &x, |x| training(x, &gamma, &beta));
            assert_gradient("training, γ", &grad.weight, &gamma, |g| {
                training(&x, g, &beta)
            });
            assert_gradient("training, β", &grad.bias, &beta, |b| {
                training(&x, &gamma, b)
            });

            let evaluation = |x: &Tensor, gamma: &Tensor, beta: &Tensor| {
                forward_evaluation(x, [gamma, beta], [&mean, &variance], EPSILON).dot(&delta)
            };
            let grad = grad_evaluation(&x, &gamma, [&mean, &variance], &delta, EPSILON);
            assert_gradient("evaluation, x", &grad.x, &x, |x| {
                evaluation(x, &gamma, &beta)
            });
            assert_gradient("evaluation, γ", &grad.weight, &gamma, |g| {
                evaluation(&x, g, &beta)
            });
            assert_gradient("evaluation, β", &grad.bias, &beta, |b| {
                evaluation(&x, &gamma, b)
            });
        }
    }
}
