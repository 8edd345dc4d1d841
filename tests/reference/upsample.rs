//! Images of another size: `y[n,c,i,j] = Σ_{p,q} a(i,p)·b(j,q)·x[n,c,p,q]`, where a and b say for
//! each output row and column how much of each input row and column it takes.
//!
//! Output i of an axis that grows from L to L′ lies at `s(i)` on the input: at `⌊i·L/L′⌋` (nearest),
//! at `max(0, (i + ½)·L/L′ − ½)` (bilinear) or at `i·(L − 1)/(L′ − 1)` (bilinear with aligned
//! corners), there between the two nearest. Source: PyTorch's `interpolate`.

use super::Tensor;

/// How values between the pixels are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The nearest pixel's.
    Nearest,
    /// Between the nearest four.
    Bilinear,
    /// The same, with the corners' centres in place.
    AlignedCorners,
}

/// How much output `i` of `output` takes of each of `input` places.
fn weights(method: Method, i: usize, input: usize, output: usize) -> Vec<f64> {
    let ratio = input as f64 / output as f64;
    let place = match method {
        Method::Nearest => (i * input / output) as f64,
        Method::Bilinear => ((i as f64 + 0.5) * ratio - 0.5).max(0.0),
        Method::AlignedCorners if output == 1 => 0.0,
        Method::AlignedCorners => i as f64 * (input - 1) as f64 / (output - 1) as f64,
    };
    let first = place.floor();
    let mut weights = vec![0.0; input];
    weights[first as usize] += 1.0 - (place - first);
    weights[(first as usize + 1).min(input - 1)] += place - first;
    weights
}

/// [`weights`] of all outputs, `[output, input]`.
fn matrix(method: Method, input: usize, output: usize) -> Tensor {
    let rows = (0..output).flat_map(|i| weights(method, i, input, output));
    Tensor::new(&[output, input], rows.collect())
}

/// To an image of `[rows, columns]`.
pub fn forward(x: &Tensor, method: Method, size: [usize; 2]) -> Tensor {
    let [batch, channels, height, width] = x.dims4();
    let rows = matrix(method, height, size[0]);
    let columns = matrix(method, width, size[1]);
    Tensor::from_fn(&[batch, channels, size[0], size[1]], |index| {
        let &[n, c, i, j] = index else { unreachable!() };
        let mut sum = 0.0;
        for p in 0..height {
            for q in 0..width {
                sum += rows.at(&[i, p]) * columns.at(&[j, q]) * x.at(&[n, c, p, q]);
            }
        }
        sum
    })
}

/// The transposed sums, for an input of `[rows, columns]`.
pub fn grad_input(grad_y: &Tensor, method: Method, input: [usize; 2]) -> Tensor {
    let [batch, channels, height, width] = grad_y.dims4();
    let rows = matrix(method, input[0], height);
    let columns = matrix(method, input[1], width);
    Tensor::from_fn(&[batch, channels, input[0], input[1]], |index| {
        let &[n, c, p, q] = index else { unreachable!() };
        let mut sum = 0.0;
        for i in 0..height {
            for j in 0..width {
                sum += rows.at(&[i, p]) * columns.at(&[j, q]) * grad_y.at(&[n, c, i, j]);
            }
        }
        sum
    })
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::*;

    /// The row (0, 4) becomes one of four. Bilinear: outputs lie at −¼ (which becomes 0), ¼, ¾, 1¼;
    /// aligned: at 0, ⅓, ⅔, 1.
    #[test]
    fn values_by_hand() {
        let x = Tensor::new(&[1, 1, 1, 2], vec![0., 4.]);
        let row = |method| forward(&x, method, [1, 4]).data;
        assert_eq!(row(Method::Nearest), [0., 0., 4., 4.]);
        assert_eq!(row(Method::Bilinear), [0., 1., 3., 4.]);
        for (value, thirds) in row(Method::AlignedCorners).iter().zip([0., 4., 8., 12.]) {
            assert!((value - thirds / 3.0).abs() <= 1e-15, "{value}");
        }
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        for method in [Method::Nearest, Method::Bilinear, Method::AlignedCorners] {
            for (input, output) in [([3, 4], [7, 8]), ([5, 1], [2, 3]), ([2, 6], [1, 4])] {
                let x = Tensor::normal(&[2, 2, input[0], input[1]], 1);
                let delta = Tensor::normal(&[2, 2, output[0], output[1]], 2);
                let grad = grad_input(&delta, method, input);
                assert_gradient("x", &grad, &x, |x| forward(x, method, output).dot(&delta));
            }
        }
    }
}
