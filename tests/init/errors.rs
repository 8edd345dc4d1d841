//! Every misuse is refused with a text that says what to change.

use wgrad::init::{Fan, Fans, Gain, Init, InitError};
use wgrad::random::Seed;

fn message(init: &Init, shape: &[usize]) -> String {
    match init.sample(shape, Fans::of(shape), Seed(1), "conv1.weight") {
        Ok(values) => panic!("{init} gave {} values", values.len()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn messages() {
    let nan = f64::NAN;
    let infinite = f64::INFINITY;
    let cases: [(Init, &[usize], &str); 20] = [
        (
            Init::Constant(nan),
            &[4],
            "constant must be finite, found NaN",
        ),
        (
            Init::Constant(1e39),
            &[4],
            "the value 1000000000000000000000000000000000000000 at element 0 does not fit f32",
        ),
        (
            Init::Uniform {
                low: 1.0,
                high: -1.0,
            },
            &[4],
            "a uniform law needs low <= high, found 1..-1",
        ),
        (
            Init::Uniform {
                low: nan,
                high: 1.0,
            },
            &[4],
            "low must be finite, found NaN",
        ),
        (
            Init::Uniform {
                low: 0.0,
                high: infinite,
            },
            &[4],
            "high must be finite, found inf",
        ),
        (
            Init::Uniform {
                low: f64::MIN,
                high: f64::MAX,
            },
            &[4],
            "width of the range must be finite, found inf",
        ),
        (
            Init::Gaussian {
                mean: 0.0,
                std: -0.5,
            },
            &[4],
            "standard deviation must be at least 0, found -0.5",
        ),
        (
            Init::Gaussian {
                mean: 0.0,
                std: nan,
            },
            &[4],
            "standard deviation must be finite, found NaN",
        ),
        (
            Init::Gaussian {
                mean: infinite,
                std: 1.0,
            },
            &[4],
            "mean must be finite, found inf",
        ),
        (
            Init::TruncatedGaussian {
                mean: 0.0,
                std: 1.0,
                bound: 0.0,
            },
            &[4],
            "truncation must be at least 0.01, found 0",
        ),
        (
            Init::he(),
            &[16],
            "the law divides by fan_in, which is zero for this parameter",
        ),
        (
            Init::xavier(),
            &[16],
            "the law divides by the average fan, which is zero for this parameter",
        ),
        (
            Init::he().negative_slope(nan),
            &[4, 4],
            "negative slope must be finite, found NaN",
        ),
        (Init::fixup(8, 1), &[4, 4], "gain must be finite, found NaN"),
        (
            Init::he(),
            &[4, 0],
            "a parameter of shape [4, 0] cannot be filled",
        ),
        (
            Init::he(),
            &[usize::MAX, 2],
            "a parameter of shape [18446744073709551615, 2] cannot be filled",
        ),
        (
            Init::Orthogonal { gain: 1.0 },
            &[4],
            "orthogonal needs two dimensions or more, found shape [4]",
        ),
        (
            Init::DeltaOrthogonal { gain: nan },
            &[4, 4],
            "gain must be finite, found NaN",
        ),
        (
            Init::Dirac { groups: 3 },
            &[4, 4],
            "dirac needs output channels divisible by its groups, found shape [4, 4]",
        ),
        (
            Init::Bilinear,
            &[1, 1, 3, 4],
            "bilinear needs square filters [out, in, k, k], found shape [1, 1, 3, 4]",
        ),
    ];
    for (init, shape, expected) in cases {
        assert_eq!(
            message(&init, shape),
            format!("cannot initialise conv1.weight: {expected}")
        );
    }
}

#[test]
fn a_negative_gain_is_refused() {
    let init = Init::Scaled {
        gain: Gain::Value(-1.0),
        fan: Fan::In,
        distribution: Default::default(),
    };
    assert_eq!(
        init.variance(Fans::of(&[2, 2])),
        Err(InitError::TooSmall {
            what: "gain",
            least: 0.0,
            value: -1.0
        })
    );
}

#[test]
fn dependent_elements_have_no_variance_by_fan() {
    for init in [
        Init::Orthogonal { gain: 1.0 },
        Init::Bilinear,
        Init::PositiveUnitBall,
    ] {
        let error = init.variance(Fans::of(&[2, 2]));
        assert!(matches!(error, Err(InitError::NoVariance { .. })), "{init}");
    }
}
