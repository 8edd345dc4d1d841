//! Rectifier: `f(y) = max(0, y)`.

use super::Tensor;

/// `max(0, y)` of every element; NaN stays NaN.
pub fn forward(x: &Tensor) -> Tensor {
    x.map(|y| if y < 0.0 { 0.0 } else { y })
}

/// δ where `y > 0`, else 0 (at 0 too, as in PyTorch). `x` is the input.
pub fn grad_input(x: &Tensor, grad_y: &Tensor) -> Tensor {
    x.zip(grad_y, |y, delta| if y > 0.0 { delta } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    #[test]
    fn values_by_hand() {
        let x = Tensor::new(&[4], vec![-2., 0., 3., f64::NAN]);
        let y = forward(&x);
        assert_eq!(y.data[..3], [0., 0., 3.]);
        assert!(y.data[3].is_nan());
        assert_eq!(
            grad_input(&x, &Tensor::new(&[4], vec![5.; 4])).data[..3],
            [0., 0., 5.]
        );
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        let (x, delta) = (
            Tensor::normal(&[2, 3, 4, 5], 1),
            Tensor::normal(&[2, 3, 4, 5], 2),
        );
        assert_gradient("input", &grad_input(&x, &delta), &x, |x| {
            forward(x).dot(&delta)
        });
    }
}
