//! Leaky rectifier: `f(y) = y` where `y > 0`, else `a·y` with a fixed slope a.

use super::Tensor;

/// The leaky rectifier of every element.
pub fn forward(x: &Tensor, slope: f64) -> Tensor {
    x.map(|y| if y > 0.0 { y } else { slope * y })
}

/// δ where `y > 0`, else a·δ (at 0 too). `x` is the input.
pub fn grad_input(x: &Tensor, grad_y: &Tensor, slope: f64) -> Tensor {
    x.zip(
        grad_y,
        |y, delta| if y > 0.0 { delta } else { slope * delta },
    )
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    #[test]
    fn values_by_hand() {
        let x = Tensor::new(&[3], vec![-2., 0., 3.]);
        assert_eq!(forward(&x, 0.25).data, [-0.5, 0., 3.]);
        assert_eq!(
            grad_input(&x, &Tensor::new(&[3], vec![8.; 3]), 0.25).data,
            [2., 2., 8.]
        );
    }

    #[test]
    fn gradient_agrees_with_central_differences() {
        let (x, delta) = (
            Tensor::normal(&[2, 3, 4, 5], 1),
            Tensor::normal(&[2, 3, 4, 5], 2),
        );
        // A negative slope is legal: the input's sign decides, not the output's.
        for slope in [0.01, 0.5, -0.3] {
            let grad = grad_input(&x, &delta, slope);
            assert_gradient("input", &grad, &x, |x| forward(x, slope).dot(&delta));
        }
    }
}
