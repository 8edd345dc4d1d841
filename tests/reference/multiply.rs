//! Product of two values: `y = a·b`, element by element.

use super::Tensor;

/// `a·b`.
pub fn forward(a: &Tensor, b: &Tensor) -> Tensor {
    a.zip(b, |a, b| a * b)
}

/// δ of one factor: δ times the other.
pub fn grad_factor(other: &Tensor, grad_y: &Tensor) -> Tensor {
    other.zip(grad_y, |factor, delta| delta * factor)
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    #[test]
    fn values_by_hand() {
        let (a, b) = (
            Tensor::new(&[3], vec![1., -2., 0.]),
            Tensor::new(&[3], vec![4., 5., 6.]),
        );
        assert_eq!(forward(&a, &b).data, [4., -10., 0.]);
        assert_eq!(grad_factor(&b, &a).data, [4., -10., 0.]);
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        let [a, b, delta] = [1, 2, 3].map(|seed| Tensor::normal(&[2, 3, 4], seed));
        assert_gradient("a", &grad_factor(&b, &delta), &a, |a| {
            forward(a, &b).dot(&delta)
        });
        assert_gradient("b", &grad_factor(&a, &delta), &b, |b| {
            forward(&a, b).dot(&delta)
        });
    }
}
