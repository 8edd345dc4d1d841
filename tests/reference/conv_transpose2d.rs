//! Transposed convolution: the input gradient of a convolution, used forward.
//!
//! Shapes: input `[N, C, H, W]`, weight `[C, O/G, kh, kw]`, bias `[O]`, output
//! `[N, O, Ho, Wo]`. The attributes are those of the convolution from the
//! output's shape to the input's.

use super::Tensor;
use super::conv2d::{self, Attributes};

/// `(H−1)·S − P − P′ + D(K−1) + 1`, and the output padding, for each axis.
pub fn output_size(input: [usize; 2], output_padding: [usize; 2], a: &Attributes) -> [usize; 2] {
    [0, 1].map(|axis| {
        let covered = a.dilation[axis] * (a.kernel[axis] - 1) + 1;
        let full = (input[axis] - 1) * a.stride[axis] + covered + output_padding[axis];
        full - a.padding[axis].iter().sum::<usize>()
    })
}

/// `y[o] = b[o] + Σ_c restored(x[c]) ∗ rot180(w[c,o])`, of `output` = `[Ho, Wo]`.
pub fn forward(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    output: [usize; 2],
    a: &Attributes,
) -> Tensor {
    let mut y = conv2d::grad_input(x, weight, output, a);
    let &[_, channels, height, width] = y.shape.as_slice() else {
        unreachable!()
    };
    for (element, value) in y.data.iter_mut().enumerate() {
        let channel = element / (height * width) % channels;
        *value += bias.map_or(0.0, |bias| bias.at(&[channel]));
    }
    y
}

/// `δx = w ⋆ δy`: the convolution that the forward pass transposes.
pub fn grad_input(grad_y: &Tensor, weight: &Tensor, a: &Attributes) -> Tensor {
    conv2d::forward(grad_y, weight, None, a)
}

/// The convolution's filter gradient, x and δy in each other's place.
pub fn grad_weight(x: &Tensor, grad_y: &Tensor, a: &Attributes) -> Tensor {
    conv2d::grad_weight(grad_y, x, a)
}

#[cfg(test)]
mod tests {
    use super::super::finite_difference::assert_gradient;
    use super::super::philox::Draw;
    use super::*;

    fn row(data: &[f64]) -> Tensor {
        Tensor::new(&[1, 1, 1, data.len()], data.to_vec())
    }

    /// Every input adds its multiple of the filter (1, 10, 100), two places
    /// after its neighbour's: 2·(1, 10, 100, 0, 0) + 3·(0, 0, 1, 10, 100), and
    /// one column of output padding. A padding of 1 cuts off both ends.
    #[test]
    fn inputs_lay_down_multiples_of_the_filter() {
        let mut a = Attributes {
            stride: [1, 2],
            ..Attributes::new([1, 3])
        };
        let (x, weight) = (row(&[2., 3.]), row(&[1., 10., 100.]));
        let bias = Tensor::new(&[1], vec![0.5]);
        let size = output_size([1, 2], [0, 1], &a);
        let y = forward(&x, &weight, Some(&bias), size, &a);
        assert_eq!(y, row(&[2.5, 20.5, 203.5, 30.5, 300.5, 0.5]));
        a.padding[1] = [1, 1];
        let size = output_size([1, 2], [0, 0], &a);
        let y = forward(&x, &weight, None, size, &a);
        assert_eq!(y, row(&[20., 203., 30.]));
    }

    /// Two groups of one channel: output 0 sees channel 0 only, output 1 channel 1.
    #[test]
    fn groups_do_not_mix() {
        let x = Tensor::new(&[1, 2, 1, 1], vec![5., 7.]);
        let weight = Tensor::new(&[2, 1, 1, 1], vec![10., 100.]);
        let a = Attributes {
            groups: 2,
            ..Attributes::new([1, 1])
        };
        assert_eq!(forward(&x, &weight, None, [1, 1], &a).data, [50., 700.]);
    }

    /// One axis: kernel, stride, dilation, padding on both sides, length, output padding.
    fn draw_axis(draw: &mut Draw) -> [usize; 7] {
        let (kernel, stride, dilation) = (draw.within(1, 3), draw.within(1, 3), draw.within(1, 2));
        let (before, after) = (draw.within(0, 1), draw.within(0, 1));
        let output_padding = draw.within(0, stride - 1);
        // So long that something of the result is left.
        let length = 3 + draw.within(0, 2);
        [
            kernel,
            stride,
            dilation,
            before,
            after,
            length,
            output_padding,
        ]
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        for seed in 0..40 {
            let draw = &mut Draw::new(seed);
            let (rows, columns) = (draw_axis(draw), draw_axis(draw));
            let pair = |i: usize| [rows[i], columns[i]];
            let groups = draw.within(1, 3);
            let a = Attributes {
                kernel: pair(0),
                stride: pair(1),
                padding: [[rows[3], rows[4]], [columns[3], columns[4]]],
                dilation: pair(2),
                groups,
            };
            let (channels, per_group) = (groups * draw.within(1, 2), draw.within(1, 2));
            let input = pair(5);
            let size = output_size(input, pair(6), &a);
            let [seed_x, seed_w, seed_b, seed_y] = [100, 200, 300, 400].map(|base| base + seed);
            let x = Tensor::normal(&[2, channels, input[0], input[1]], seed_x);
            let w = Tensor::normal(&[channels, per_group, a.kernel[0], a.kernel[1]], seed_w);
            let b = Tensor::normal(&[per_group * groups], seed_b);
            let y = forward(&x, &w, Some(&b), size, &a);
            let delta = Tensor::normal(&y.shape, seed_y);
            let name = |what: &str| format!("seed {seed}, {what}, input {input:?}, {a:?}");

            let loss = |x: &Tensor| forward(x, &w, Some(&b), size, &a).dot(&delta);
            assert_gradient(&name("input"), &grad_input(&delta, &w, &a), &x, loss);
            let loss = |w: &Tensor| forward(&x, w, Some(&b), size, &a).dot(&delta);
            assert_gradient(&name("weight"), &grad_weight(&x, &delta, &a), &w, loss);
            let loss = |b: &Tensor| forward(&x, &w, Some(b), size, &a).dot(&delta);
            assert_gradient(&name("bias"), &conv2d::grad_bias(&delta), &b, loss);
        }
    }
}
