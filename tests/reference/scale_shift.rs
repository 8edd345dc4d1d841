//! Learned factor and summand per channel: `f = γ_c·y + β_c`.
//!
//! Shapes: input `[N, C, H, W]` or `[N, C]`, γ and β `[C]`. Source: Caffe's `Scale` layer.

use super::Tensor;

/// `γ_c·y + β_c`.
pub fn forward(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Tensor {
    let by_channel = x.by_channel();
    let y = Tensor::from_fn(&by_channel.shape, |index| {
        weight.data[index[1]] * by_channel.at(index) + bias.data[index[1]]
    });
    y.reshaped(&x.shape)
}

/// `γ_c·δ`.
pub fn grad_input(weight: &Tensor, grad_y: &Tensor) -> Tensor {
    forward(grad_y, weight, &Tensor::zeros(&weight.shape))
}

/// `δγ_c = Σ_{n,i,j} δ·y`.
pub fn grad_weight(x: &Tensor, grad_y: &Tensor) -> Tensor {
    grad_bias(&x.zip(grad_y, |y, delta| y * delta))
}

/// `δβ_c = Σ_{n,i,j} δ`.
pub fn grad_bias(grad_y: &Tensor) -> Tensor {
    let delta = grad_y.by_channel();
    let &[batch, channels, positions] = delta.shape.as_slice() else {
        unreachable!()
    };
    let mut grad = Tensor::zeros(&[channels]);
    for n in 0..batch {
        for c in 0..channels {
            for p in 0..positions {
                grad.data[c] += delta.at(&[n, c, p]);
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
        let x = Tensor::new(&[2, 2], vec![1., 2., 3., 4.]);
        let (weight, bias) = (
            Tensor::new(&[2], vec![10., -1.]),
            Tensor::new(&[2], vec![5., 0.5]),
        );
        assert_eq!(forward(&x, &weight, &bias).data, [15., -1.5, 35., -3.5]);
        let delta = Tensor::new(&[2, 2], vec![1., 1., 2., 0.]);
        assert_eq!(grad_input(&weight, &delta).data, [10., -1., 20., 0.]);
        assert_eq!(grad_weight(&x, &delta).data, [7., 2.]);
        assert_eq!(grad_bias(&delta).data, [3., 1.]);
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        let (x, delta) = (
            Tensor::normal(&[2, 3, 4, 5], 1),
            Tensor::normal(&[2, 3, 4, 5], 2),
        );
        let (weight, bias) = (Tensor::normal(&[3], 3), Tensor::normal(&[3], 4));
        assert_gradient("input", &grad_input(&weight, &delta), &x, |x| {
            forward(x, &weight, &bias).dot(&delta)
        });
        assert_gradient("weight", &grad_weight(&x, &delta), &weight, |weight| {
            forward(&x, weight, &bias).dot(&delta)
        });
        assert_gradient("bias", &grad_bias(&delta), &bias, |bias| {
            forward(&x, &weight, bias).dot(&delta)
        });
    }
}
