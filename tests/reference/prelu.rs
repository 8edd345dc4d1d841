//! Parametric rectifier: `f(y) = max(0, y) + a·min(0, y)` with a learned slope.
//!
//! Shapes: input `[N, C, H, W]` or `[N, C]`, slope `[C]`, or `[1]` when all
//! channels share one. Source: He, Zhang, Ren, Sun, "Delving Deep into
//! Rectifiers", ICCV 2015.

use super::Tensor;

/// The slope that channel `c` uses.
fn slope_of(slope: &Tensor, channels: usize, c: usize) -> f64 {
    let count = slope.data.len();
    assert!(
        count == channels || count == 1,
        "one slope, or one for each of {channels} channels"
    );
    if count == 1 {
        slope.at(&[0])
    } else {
        slope.at(&[c])
    }
}

/// `max(0, y) + a_c·min(0, y)`.
pub fn forward(x: &Tensor, slope: &Tensor) -> Tensor {
    let by_channel = x.by_channel();
    let y = Tensor::from_fn(&by_channel.shape, |index| {
        let y = by_channel.at(index);
        if y > 0.0 {
            y
        } else {
            slope_of(slope, x.shape[1], index[1]) * y
        }
    });
    y.reshaped(&x.shape)
}

/// δ where `y > 0`, else a_c·δ. `x` is the input: the output's sign would
/// mislead where a slope is negative.
pub fn grad_input(x: &Tensor, slope: &Tensor, grad_y: &Tensor) -> Tensor {
    let (by_channel, delta) = (x.by_channel(), grad_y.by_channel());
    let grad = Tensor::from_fn(&by_channel.shape, |index| {
        let derivative = if by_channel.at(index) > 0.0 {
            1.0
        } else {
            slope_of(slope, x.shape[1], index[1])
        };
        derivative * delta.at(index)
    });
    grad.reshaped(&x.shape)
}

/// `δa_c = Σ_{n,i,j} δ·min(0, y)`; a shared slope sums over the channels too.
/// The result has the shape of `slope`.
pub fn grad_slope(x: &Tensor, slope: &Tensor, grad_y: &Tensor) -> Tensor {
    let (by_channel, delta) = (x.by_channel(), grad_y.by_channel());
    let &[batch, channels, positions] = by_channel.shape.as_slice() else {
        unreachable!()
    };
    let shared = slope.data.len() == 1;
    let mut grad = Tensor::zeros(&slope.shape);
    for n in 0..batch {
        for c in 0..channels {
            for p in 0..positions {
                let y = by_channel.at(&[n, c, p]);
                let term = if y > 0.0 {
                    0.0
                } else {
                    y * delta.at(&[n, c, p])
                };
                *grad.at_mut(&[if shared { 0 } else { c }]) += term;
            }
        }
    }
    grad
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    #[test]
    fn values_by_hand() {
        let x = Tensor::new(&[2, 2], vec![-2., -4., 3., -8.]);
        let delta = Tensor::new(&[2, 2], vec![1., 10., 100., 1000.]);
        let slope = Tensor::new(&[2], vec![0.5, -0.25]);
        assert_eq!(forward(&x, &slope).data, [-1., 1., 3., 2.]);
        assert_eq!(
            grad_input(&x, &slope, &delta).data,
            [0.5, -2.5, 100., -250.]
        );
        assert_eq!(grad_slope(&x, &slope, &delta).data, [-2., -40. - 8000.]);
        let shared = Tensor::new(&[1], vec![0.5]);
        assert_eq!(forward(&x, &shared).data, [-1., -2., 3., -4.]);
        assert_eq!(grad_slope(&x, &shared, &delta).data, [-2. - 40. - 8000.]);
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        for (shape, slopes) in [
            (vec![2, 3, 4, 5], 3),
            (vec![2, 3, 4, 5], 1),
            (vec![4, 6], 6),
            (vec![4, 6], 1),
        ] {
            let (x, delta) = (Tensor::normal(&shape, 1), Tensor::normal(&shape, 2));
            let slope = Tensor::normal(&[slopes], 3);
            let grad = grad_input(&x, &slope, &delta);
            assert_gradient("input", &grad, &x, |x| forward(x, &slope).dot(&delta));
            let grad = grad_slope(&x, &slope, &delta);
            assert_gradient("slope", &grad, &slope, |slope| {
                forward(&x, slope).dot(&delta)
            });
        }
    }
}
