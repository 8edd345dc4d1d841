//! Initialisers whose elements hang together.

use wgrad::init::{Fans, Init};
use wgrad::random::Seed;

fn draw(init: &Init, shape: &[usize]) -> Vec<f32> {
    init.sample(shape, Fans::of(shape), Seed(1), "layer.weight")
        .expect("valid initialiser")
}

/// The largest difference between `w·wᵀ` (or `wᵀ·w` where columns are fewer) and `square` times
/// the identity.
fn distance_from_orthogonal(w: &[f32], rows: usize, columns: usize, square: f64) -> f64 {
    let wide = rows <= columns;
    let (count, length) = if wide {
        (rows, columns)
    } else {
        (columns, rows)
    };
    let at = |i: usize, k: usize| {
        f64::from(if wide {
            w[i * columns + k]
        } else {
            w[k * columns + i]
        })
    };
    let mut largest = 0.0_f64;
    for i in 0..count {
        for j in 0..count {
            let product: f64 = (0..length).map(|k| at(i, k) * at(j, k)).sum();
            let expected = if i == j { square } else { 0.0 };
            let error = (product - expected).abs();
            largest = if error.is_nan() {
                f64::INFINITY
            } else {
                largest.max(error)
            };
        }
    }
    largest
}

#[test]
fn orthogonal_rows_or_columns() {
    for shape in [
        &[8, 8][..],
        &[5, 30],
        &[30, 5],
        &[1, 9],
        &[9, 1],
        &[16, 4, 3, 3],
        &[64, 4, 3, 3],
    ] {
        let (rows, columns) = (shape[0], shape[1..].iter().product());
        let mut w = draw(
            &Init::Orthogonal {
                gain: 2.0_f64.sqrt(),
            },
            shape,
        );
        assert!(
            distance_from_orthogonal(&w, rows, columns, 2.0) < 1e-6,
            "{shape:?}"
        );
        w[0] += 0.01;
        assert!(
            distance_from_orthogonal(&w, rows, columns, 2.0) > 1e-5,
            "planted fault {shape:?}"
        );
    }
}

#[test]
fn delta_orthogonal_is_orthogonal_in_the_middle_and_zero_elsewhere() {
    let w = draw(&Init::DeltaOrthogonal { gain: 1.0 }, &[8, 6, 3, 5]);
    let middle: Vec<f32> = w.chunks(15).map(|filter| filter[7]).collect();
    assert!(distance_from_orthogonal(&middle, 8, 6, 1.0) < 1e-6);
    assert!(w.iter().enumerate().all(|(i, x)| i % 15 == 7 || *x == 0.0));
}

/// `torch.nn.init.dirac_(torch.empty(4, 2, 3, 3), groups=2)` and the like.
#[test]
fn dirac_copies_channels() {
    let ones = |shape: &[usize], groups| -> Vec<usize> {
        let w = draw(&Init::Dirac { groups }, shape);
        assert!(w.iter().all(|x| *x == 0.0 || *x == 1.0));
        (0..w.len()).filter(|i| w[*i] == 1.0).collect()
    };
    assert_eq!(ones(&[4, 2, 3, 3], 2), [4, 31, 40, 67]);
    assert_eq!(ones(&[3, 2, 2, 3], 1), [4, 22]);
    assert_eq!(ones(&[2, 3], 1), [0, 4]);
}

/// The kernels that Caffe's `BilinearFiller` documents for factors 2 and 3 (sizes 4 and 5).
#[test]
fn bilinear_is_a_tent() {
    let four = [0.25, 0.75, 0.75, 0.25];
    let third = 1.0 / 3.0;
    let five = [third, 2.0 * third, 1.0, 2.0 * third, third];
    for taps in [&four[..], &five[..]] {
        let k = taps.len();
        let w = draw(&Init::Bilinear, &[2, 1, k, k]);
        for (i, value) in w.iter().enumerate() {
            let expected = taps[i / k % k] * taps[i % k];
            assert!(
                (f64::from(*value) - expected).abs() < 1e-7,
                "size {k}, element {i}"
            );
        }
    }
}

#[test]
fn positive_unit_ball_sums_to_one() {
    let w = draw(&Init::PositiveUnitBall, &[6, 5, 3, 3]);
    assert!(w.iter().all(|x| *x > 0.0 && *x < 1.0));
    for output in w.chunks(45) {
        let sum: f64 = output.iter().map(|x| f64::from(*x)).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
    }
}

#[test]
fn fixup_shrinks_with_depth() {
    let fans = Fans {
        fan_in: 8,
        fan_out: 8,
    };
    let variance = |branches, layers| Init::fixup(branches, layers).variance(fans).unwrap();
    assert_eq!(variance(1, 2), 0.25);
    assert_eq!(variance(16, 2), 0.25 / 16.0);
    assert!((variance(16, 3) - 0.25 / 4.0).abs() < 1e-15);
}
