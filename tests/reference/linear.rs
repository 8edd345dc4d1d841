//! Fully connected layer: `z' = z·Wᵀ + b`.
//!
//! Shapes: input `[N, in]`, weight `[out, in]`, bias `[out]`, output `[N, out]`.

use super::Tensor;

/// `y[n,o] = b[o] + Σ_i x[n,i]·W[o,i]`.
pub fn forward(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
    let [batch, inputs] = x.dims2();
    let [outputs, weight_inputs] = weight.dims2();
    assert_eq!(inputs, weight_inputs, "inputs of data and weight");
    Tensor::from_fn(&[batch, outputs], |index| {
        let &[n, o] = index else { unreachable!() };
        let mut sum = bias.map_or(0.0, |bias| bias.at(&[o]));
        for i in 0..inputs {
            sum += x.at(&[n, i]) * weight.at(&[o, i]);
        }
        sum
    })
}

/// `δz = δz'·W`.
pub fn grad_input(grad_y: &Tensor, weight: &Tensor) -> Tensor {
    let [batch, outputs] = grad_y.dims2();
    let [_, inputs] = weight.dims2();
    Tensor::from_fn(&[batch, inputs], |index| {
        let &[n, i] = index else { unreachable!() };
        (0..outputs)
            .map(|o| grad_y.at(&[n, o]) * weight.at(&[o, i]))
            .sum()
    })
}

/// `δW = δz'ᵀ·z`, summed over the batch.
pub fn grad_weight(x: &Tensor, grad_y: &Tensor) -> Tensor {
    let [batch, inputs] = x.dims2();
    let [_, outputs] = grad_y.dims2();
    Tensor::from_fn(&[outputs, inputs], |index| {
        let &[o, i] = index else { unreachable!() };
        (0..batch).map(|n| grad_y.at(&[n, o]) * x.at(&[n, i])).sum()
    })
}

/// `δb = Σ_n δz'`.
pub fn grad_bias(grad_y: &Tensor) -> Tensor {
    let [batch, outputs] = grad_y.dims2();
    Tensor::from_fn(&[outputs], |o| {
        (0..batch).map(|n| grad_y.at(&[n, o[0]])).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::super::philox::Draw;
    use super::*;

    /// (1, 2)·(10, 20) = 50, (1, 2)·(30, 40) = 110, (1, 2)·(50, 60) = 170.
    #[test]
    fn forward_by_hand() {
        let x = Tensor::new(&[1, 2], vec![1., 2.]);
        let weight = Tensor::new(&[3, 2], vec![10., 20., 30., 40., 50., 60.]);
        let bias = Tensor::new(&[3], vec![0.1, 0.2, 0.3]);
        assert_eq!(forward(&x, &weight, Some(&bias)).data, [50.1, 110.2, 170.3]);
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        for seed in 0..10 {
            let draw = &mut Draw::new(seed);
            let [n, i, o] = [draw.within(1, 4), draw.within(1, 5), draw.within(1, 5)];
            let (x, w) = (
                Tensor::normal(&[n, i], seed + 100),
                Tensor::normal(&[o, i], seed + 200),
            );
            let (b, delta) = (
                Tensor::normal(&[o], seed + 300),
                Tensor::normal(&[n, o], seed + 400),
            );
            let loss = |x: &Tensor, w: &Tensor, b: &Tensor| forward(x, w, Some(b)).dot(&delta);
            assert_gradient("input", &grad_input(&delta, &w), &x, |x| loss(x, &w, &b));
            assert_gradient("weight", &grad_weight(&x, &delta), &w, |w| loss(&x, w, &b));
            assert_gradient("bias", &grad_bias(&delta), &b, |b| loss(&x, &w, b));
        }
    }
}
