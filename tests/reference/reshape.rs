//! Reshape and flatten: the same elements, in row-major NCHW order, under
//! another shape. Nothing moves here; a padded device layout may have to.

use super::Tensor;

/// `x` under `shape`, batch included.
pub fn forward(x: &Tensor, shape: &[usize]) -> Tensor {
    x.reshaped(shape)
}

/// δ under the input's shape.
pub fn grad_input(grad_y: &Tensor, input: &[usize]) -> Tensor {
    grad_y.reshaped(input)
}

/// `[N, C, H, W]` to `[N, C·H·W]`: feature (c·H + i)·W + j.
pub fn flatten(x: &Tensor) -> Tensor {
    forward(x, &[x.shape[0], x.shape[1..].iter().product()])
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    #[test]
    fn flatten_by_hand() {
        let x = Tensor::from_fn(&[2, 3, 4, 5], |i| {
            (1000 * i[0] + 100 * i[1] + 10 * i[2] + i[3]) as f64
        });
        let y = flatten(&x);
        assert_eq!(y.shape, [2, 60]);
        assert_eq!(y.at(&[1, (2 * 4 + 3) * 5 + 1]), 1231.0);
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        let (x, delta) = (
            Tensor::normal(&[2, 3, 2, 2], 1),
            Tensor::normal(&[2, 12], 2),
        );
        let grad = grad_input(&delta, &[2, 3, 2, 2]);
        assert_gradient("input", &grad, &x, |x| flatten(x).dot(&delta));
    }
}
