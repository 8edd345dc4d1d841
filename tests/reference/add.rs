//! Sum of two values of one shape, as in a residual shortcut.

use super::Tensor;

/// `a + b`.
pub fn forward(a: &Tensor, b: &Tensor) -> Tensor {
    a.zip(b, |a, b| a + b)
}

/// Both inputs receive δ unchanged.
pub fn grad_inputs(grad_y: &Tensor) -> [Tensor; 2] {
    [grad_y.clone(), grad_y.clone()]
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    #[test]
    fn forward_by_hand() {
        let (a, b) = (
            Tensor::new(&[1, 2], vec![1., 2.]),
            Tensor::new(&[1, 2], vec![10., 30.]),
        );
        assert_eq!(forward(&a, &b).data, [11., 32.]);
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        let [a, b, delta] = [1, 2, 3].map(|seed| Tensor::normal(&[2, 3, 2, 2], seed));
        let [grad_a, grad_b] = grad_inputs(&delta);
        assert_gradient("a", &grad_a, &a, |a| forward(a, &b).dot(&delta));
        assert_gradient("b", &grad_b, &b, |b| forward(&a, b).dot(&delta));
    }
}
