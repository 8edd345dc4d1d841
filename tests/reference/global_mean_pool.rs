//! Mean over all positions: `[N, C, H, W]` to `[N, C, 1, 1]`.

use super::Tensor;

/// `y[n,c] = 1/(H·W) Σ_{i,j} x[n,c,i,j]`.
pub fn forward(x: &Tensor) -> Tensor {
    let [batch, channels, height, width] = x.dims4();
    Tensor::from_fn(&[batch, channels, 1, 1], |index| {
        let mut sum = 0.0;
        for i in 0..height {
            for j in 0..width {
                sum += x.at(&[index[0], index[1], i, j]);
            }
        }
        sum / (height * width) as f64
    })
}

/// Every position of an input of `[H, W]` gets δ/(H·W). `grad_y` may be
/// `[N, C, 1, 1]` or `[N, C]`.
pub fn grad_input(grad_y: &Tensor, input: [usize; 2]) -> Tensor {
    let (batch, channels) = (grad_y.shape[0], grad_y.shape[1]);
    let grad_y = grad_y.reshaped(&[batch, channels]);
    Tensor::from_fn(&[batch, channels, input[0], input[1]], |index| {
        grad_y.at(&index[..2]) / (input[0] * input[1]) as f64
    })
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    #[test]
    fn forward_by_hand() {
        let x = Tensor::new(&[1, 2, 1, 2], vec![1., 2., 30., 50.]);
        assert_eq!(forward(&x), Tensor::new(&[1, 2, 1, 1], vec![1.5, 40.]));
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        for (seed, shape) in [[2, 3, 4, 5], [1, 1, 1, 7], [3, 2, 1, 1]]
            .into_iter()
            .enumerate()
        {
            let x = Tensor::normal(&shape, seed as u64);
            let delta = Tensor::normal(&[shape[0], shape[1], 1, 1], 50 + seed as u64);
            let grad = grad_input(&delta, [shape[2], shape[3]]);
            assert_gradient("input", &grad, &x, |x| forward(x).dot(&delta));
        }
    }
}
