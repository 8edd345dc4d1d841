//! Hand-worked numbers, and central differences at random shapes.

use super::super::finite_difference::assert_gradient;
use super::super::philox::Draw;
use super::*;

fn map(rows: usize, columns: usize, data: &[f64]) -> Tensor {
    Tensor::new(&[1, 1, rows, columns], data.to_vec())
}

/// x = 1 … 9 in a square, w = [[1, 2], [3, 4]]: the first output is
/// 1·1 + 2·2 + 3·4 + 4·5 = 37, and each step right adds 1+2+3+4 = 10. Were the
/// filter turned (a true convolution), it would be 23.
#[test]
fn forward_is_a_cross_correlation() {
    let x = map(3, 3, &[1., 2., 3., 4., 5., 6., 7., 8., 9.]);
    let weight = map(2, 2, &[1., 2., 3., 4.]);
    let bias = Tensor::new(&[1], vec![0.5]);
    let y = forward(&x, &weight, Some(&bias), &Attributes::new([2, 2]));
    assert_eq!(y, map(2, 2, &[37.5, 47.5, 67.5, 77.5]));
}

/// Padding 1, stride 2, dilation 2 on one row: outputs at −1 and 1 read
/// x[−1]=0, x[1]=20 and x[1]=20, x[3]=40 with w = (1, 2).
#[test]
fn stride_padding_and_dilation_by_hand() {
    let x = map(1, 4, &[10., 20., 30., 40.]);
    let weight = map(1, 2, &[1., 2.]);
    let a = Attributes {
        stride: [1, 2],
        padding: [[0, 0], [1, 1]],
        dilation: [1, 2],
        ..Attributes::new([1, 2])
    };
    assert_eq!(forward(&x, &weight, None, &a), map(1, 2, &[40., 100.]));
}

/// Kernel 2 and stride 3 on 6: outputs at 0 and 3, so columns 2 and 5 are
/// never read. δ = (1, 10), w = (3, 4).
#[test]
fn columns_the_stride_never_reached_get_zero() {
    let a = Attributes {
        stride: [1, 3],
        ..Attributes::new([1, 2])
    };
    let weight = map(1, 2, &[3., 4.]);
    let grad = grad_input(&map(1, 2, &[1., 10.]), &weight, [1, 6], &a);
    assert_eq!(grad, map(1, 6, &[3., 4., 0., 30., 40., 0.]));
}

#[test]
fn the_pieces_of_the_input_gradient() {
    let delta = map(2, 2, &[1., 2., 3., 4.]);
    assert_eq!(
        restore(&delta, [2, 3]),
        map(3, 4, &[1., 0., 0., 2., 0., 0., 0., 0., 3., 0., 0., 4.])
    );
    assert_eq!(rotate_180(&delta), map(2, 2, &[4., 3., 2., 1.]));
    assert_eq!(
        pad(&delta, [[1, -1], [-1, 2]]),
        map(2, 3, &[0., 0., 0., 2., 0., 0.])
    );
}

/// Two groups, kernel 1: output 0 sees channel 0 only, output 1 channel 1.
#[test]
fn groups_do_not_mix() {
    let x = Tensor::new(&[1, 2, 1, 1], vec![5., 7.]);
    let weight = Tensor::new(&[2, 1, 1, 1], vec![10., 100.]);
    let a = Attributes {
        groups: 2,
        ..Attributes::new([1, 1])
    };
    assert_eq!(forward(&x, &weight, None, &a).data, [50., 700.]);
}

#[test]
fn bias_gradient_sums_batch_and_positions() {
    let grad_y = Tensor::from_fn(&[2, 2, 1, 2], |i| (4 * i[0] + 2 * i[1] + i[3]) as f64);
    assert_eq!(
        grad_bias(&grad_y).data,
        [0. + 1. + 4. + 5., 2. + 3. + 6. + 7.]
    );
}

/// One axis: kernel, stride, dilation, padding before and after, and a length that is legal.
fn draw_axis(draw: &mut Draw) -> [usize; 6] {
    let kernel = draw.within(1, 3);
    let (stride, dilation) = (draw.within(1, 3), draw.within(1, 3));
    let (before, after) = (draw.within(0, 3), draw.within(0, 3));
    let least = (dilation * (kernel - 1) + 1)
        .saturating_sub(before + after)
        .max(1);
    [
        kernel,
        stride,
        dilation,
        before,
        after,
        least + draw.within(0, 4),
    ]
}

#[test]
fn gradients_agree_with_central_differences() {
    let mut telling = 0;
    for seed in 0..72 {
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
        let input = pair(5);
        let (channels, filters) = (groups * draw.within(1, 2), groups * draw.within(1, 2));
        let batch = draw.within(1, 2);
        // Seeds apart from those of the shapes, and from each other.
        let [seed_x, seed_w, seed_b, seed_y] = [100, 200, 300, 400].map(|base| base + seed);
        let x = Tensor::normal(&[batch, channels, input[0], input[1]], seed_x);
        let w = Tensor::normal(
            &[filters, channels / groups, a.kernel[0], a.kernel[1]],
            seed_w,
        );
        let b = Tensor::normal(&[filters], seed_b);
        let y = forward(&x, &w, Some(&b), &a);
        let delta = Tensor::normal(&y.shape, seed_y);
        let name = |what: &str| format!("seed {seed}, {what}, input {input:?}, {a:?}");

        let grad = grad_input(&delta, &w, input, &a);
        // A case in which padding is all that any filter sees says nothing.
        if grad.data.iter().any(|&value| value != 0.0) {
            telling += 1;
            let loss = |x: &Tensor| forward(x, &w, Some(&b), &a).dot(&delta);
            assert_gradient(&name("input"), &grad, &x, loss);
            let loss = |w: &Tensor| forward(&x, w, Some(&b), &a).dot(&delta);
            assert_gradient(&name("weight"), &grad_weight(&x, &delta, &a), &w, loss);
        }
        let loss = |b: &Tensor| forward(&x, &w, Some(b), &a).dot(&delta);
        assert_gradient(&name("bias"), &grad_bias(&delta), &b, loss);
    }
    assert!(telling >= 50, "only {telling} of 72 cases say anything");
}
