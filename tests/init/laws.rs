//! Mean, variance and bounds of every law, and a check that is itself checked.

use wgrad::init::{Distribution, Fan, Fans, Init, sample_from};
use wgrad::random::Seed;

/// What a sample should look like.
#[derive(Clone, Copy, Debug)]
struct Expected {
    mean: f64,
    variance: f64,
    /// `E[(x − mean)⁴]/variance²`: 3 for a normal law, 1.8 for a uniform one.
    kurtosis: f64,
    /// Smallest and largest value possible.
    bounds: (f64, f64),
}

impl Expected {
    fn normal(mean: f64, variance: f64) -> Self {
        // Φ(−7) is about 1e-12: none of some million draws lies beyond seven deviations.
        let reach = 7.0 * variance.sqrt();
        Self {
            mean,
            variance,
            kurtosis: 3.0,
            bounds: (mean - reach, mean + reach),
        }
    }

    fn uniform(low: f64, high: f64) -> Self {
        let variance = (high - low).powi(2) / 12.0;
        Self {
            mean: 0.5 * (low + high),
            variance,
            kurtosis: 1.8,
            bounds: (low, high),
        }
    }

    fn centred(variance: f64, distribution: Distribution) -> Self {
        let bound = (3.0 * variance).sqrt();
        match distribution {
            Distribution::Normal => Self::normal(0.0, variance),
            Distribution::Uniform => Self::uniform(-bound, bound),
        }
    }
}

/// Says what is wrong with a sample: mean or variance further than four standard errors from the
/// law's, or a value out of bounds.
fn check(sample: &[f32], law: Expected) -> Result<(), String> {
    let n = sample.len() as f64;
    let values = || sample.iter().map(|&x| f64::from(x));
    let mean = values().sum::<f64>() / n;
    let variance = values().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let mean_error = 4.0 * (law.variance / n).sqrt();
    // Var[s²] = σ⁴·(κ/n − (n − 3)/(n(n − 1))).
    let spread = law.kurtosis / n - (n - 3.0) / (n * (n - 1.0));
    let variance_error = 4.0 * law.variance * spread.sqrt();

    // A NaN is within nothing.
    let within = |found: f64, expected: f64, error: f64| (found - expected).abs() <= error;
    if !within(mean, law.mean, mean_error) {
        return Err(format!("mean {mean}, expected {} ± {mean_error}", law.mean));
    }
    if !within(variance, law.variance, variance_error) {
        return Err(format!(
            "variance {variance}, expected {} ± {variance_error}",
            law.variance
        ));
    }
    // A draw may round to the f32 just above the bound.
    let (low, high) = (law.bounds.0 as f32, law.bounds.1 as f32);
    match sample.iter().find(|x| !(low <= **x && **x <= high)) {
        Some(outside) => Err(format!("{outside} lies outside {low}..{high}")),
        None => Ok(()),
    }
}

fn draw(init: &Init, shape: &[usize], fans: Fans, seed: u64) -> Vec<f32> {
    init.sample(shape, fans, Seed(seed), "layer.weight")
        .expect("valid initialiser")
}

/// A parameter's shape, its convolution's groups, and its fans by the book.
const SHAPES: [(&[usize], usize, (f64, f64)); 12] = [
    (&[10, 64], 1, (64.0, 10.0)),
    (&[512, 300], 1, (300.0, 512.0)),
    (&[7, 333], 1, (333.0, 7.0)),
    (&[1000, 1], 1, (1.0, 1000.0)),
    (&[16, 3, 3, 3], 1, (27.0, 144.0)),
    (&[32, 16, 3, 3], 1, (144.0, 288.0)),
    (&[64, 3, 7, 7], 1, (147.0, 3136.0)),
    (&[20, 1, 5, 5], 1, (25.0, 500.0)),
    (&[64, 128, 1, 1], 1, (128.0, 64.0)),
    (&[24, 5, 1, 7], 1, (35.0, 168.0)),
    (&[96, 1, 3, 3], 96, (9.0, 9.0)),
    (&[64, 8, 3, 3], 4, (72.0, 144.0)),
];

fn fans_of(shape: &[usize], groups: usize) -> Fans {
    match *shape {
        [out, in_per_group, kh, kw] => Fans::conv(out, in_per_group, kh, kw, groups),
        _ => Fans::of(shape),
    }
}

/// Every law that scales with a fan, every fan and both distributions, on every shape.
#[test]
fn scaled_laws_have_their_variance() {
    let mut failures = Vec::new();
    for (shape, groups, (fan_in, fan_out)) in SHAPES {
        let fans = fans_of(shape, groups);
        for (fan, n) in [
            (Fan::In, fan_in),
            (Fan::Out, fan_out),
            (Fan::Average, (fan_in + fan_out) / 2.0),
        ] {
            let cases = [
                (Init::lecun().mode(fan), 1.0 / n),
                (Init::xavier().mode(fan), 1.0 / n),
                (Init::caffe_xavier(fan), 1.0 / n),
                (Init::he().mode(fan), 2.0 / n),
                (Init::he_uniform().mode(fan), 2.0 / n),
                (
                    Init::he().mode(fan).negative_slope(0.25),
                    2.0 / (1.0625 * n),
                ),
                (Init::he().mode(fan).negative_slope(1.0).uniform(), 1.0 / n),
            ];
            for (init, variance) in cases {
                let Init::Scaled { distribution, .. } = init else {
                    panic!("{init} is scaled")
                };
                assert!((init.variance(fans).unwrap() - variance).abs() <= 1e-15 * variance);
                for seed in 0..2 {
                    let sample = draw(&init, shape, fans, seed);
                    assert_eq!(sample.len(), shape.iter().product::<usize>());
                    if let Err(fault) = check(&sample, Expected::centred(variance, distribution)) {
                        failures.push(format!("{init}, {shape:?}, seed {seed}: {fault}"));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn xavier_is_two_over_the_sum_of_the_fans() {
    let fans = Fans {
        fan_in: 30,
        fan_out: 20,
    };
    assert_eq!(Init::xavier().variance(fans).unwrap(), 2.0 / 50.0);
    let sample = draw(&Init::xavier_uniform(), &[20, 30], fans, 5);
    check(
        &sample,
        Expected::uniform(-(6.0_f64 / 50.0).sqrt(), (6.0_f64 / 50.0).sqrt()),
    )
    .unwrap();
}

#[test]
fn laws_with_their_own_numbers() {
    let none = Fans::default();
    for n in [50, 999, 40_000] {
        for seed in 0..5 {
            let uniform = Init::Uniform {
                low: -0.25,
                high: 1.5,
            };
            check(
                &draw(&uniform, &[n], none, seed),
                Expected::uniform(-0.25, 1.5),
            )
            .unwrap();
            let gaussian = Init::Gaussian {
                mean: -3.0,
                std: 0.01,
            };
            check(
                &draw(&gaussian, &[n], none, seed),
                Expected::normal(-3.0, 1e-4),
            )
            .unwrap();
            assert_eq!(draw(&Init::Constant(0.25), &[n], none, seed), vec![0.25; n]);
        }
    }
}

/// Kurtosis of a normal law truncated at two deviations, by numerical integration: 2.0623/0.7737²
/// is about 2.06, less than 3; the wider bound of the check is harmless.
#[test]
fn truncated_gaussian_stays_in_bounds() {
    for bound in [0.5, 2.0, 3.0] {
        let init = Init::TruncatedGaussian {
            mean: 1.0,
            std: 0.1,
            bound,
        };
        let variance = init.variance(Fans::default()).unwrap();
        let law = Expected {
            bounds: (1.0 - 0.1 * bound, 1.0 + 0.1 * bound),
            ..Expected::normal(1.0, variance)
        };
        check(&draw(&init, &[30_000], Fans::default(), 1), law).unwrap();
    }
}

/// Draws of this crate and of `rand_distr` are of one law: two-sample Kolmogorov and Smirnov,
/// whose statistic exceeds 1.95·√(2/n) once in a thousand.
#[test]
fn gaussian_agrees_with_rand_distr() {
    let n = 50_000;
    let mut ours = draw(
        &Init::Gaussian {
            mean: 0.5,
            std: 2.0,
        },
        &[n],
        Fans::default(),
        1,
    );
    let law = rand_distr::Normal::new(0.5, 2.0).expect("valid law");
    let mut theirs = sample_from(&law, n, Seed(2), "theirs");
    assert!(largest_gap(&mut ours, &mut theirs) < 1.95 * (2.0 / n as f64).sqrt());

    // The same statistic tells a law that is 5 % wider.
    let mut wider = draw(
        &Init::Gaussian {
            mean: 0.5,
            std: 2.1,
        },
        &[n],
        Fans::default(),
        1,
    );
    assert!(largest_gap(&mut wider, &mut theirs) > 1.95 * (2.0 / n as f64).sqrt());
}

/// Largest distance between two samples' distribution functions; sorts both.
fn largest_gap(a: &mut [f32], b: &mut [f32]) -> f64 {
    a.sort_by(f32::total_cmp);
    b.sort_by(f32::total_cmp);
    let below = |x: f32| b.partition_point(|y| *y < x) as f64 / b.len() as f64;
    let gap = |(i, x): (usize, &f32)| (i as f64 / a.len() as f64 - below(*x)).abs();
    a.iter().enumerate().map(gap).fold(0.0, f64::max)
}

/// The faults that a lenient check lets pass: each must be refused.
#[test]
fn the_check_catches_planted_faults() {
    let fans = Fans::of(&[64, 32, 3, 3]);
    let variance = 2.0 / 288.0;
    let law = Expected::centred(variance, Distribution::Uniform);
    let good = draw(&Init::he_uniform(), &[64, 32, 3, 3], fans, 1);
    check(&good, law).unwrap();

    let changed = |f: &dyn Fn(f32) -> f32| good.iter().map(|&x| f(x)).collect::<Vec<_>>();
    let mut one_nan = good.clone();
    one_nan[17] = f32::NAN;
    let mut one_outside = good.clone();
    one_outside[17] = 1.001 * law.bounds.1 as f32;
    let faults = [
        ("all zero", vec![0.0; good.len()]),
        ("one NaN", one_nan),
        ("one value out of bounds", one_outside),
        (
            "variance of fan_out",
            draw(&Init::he_uniform().mode(Fan::Out), &[64, 32, 3, 3], fans, 1),
        ),
        (
            "variance without the rectifier",
            draw(&Init::caffe_xavier(Fan::In), &[9, 2048], fans, 1),
        ),
        ("spread 3 % too wide", changed(&|x| 1.03 * x)),
        ("spread 3 % too narrow", changed(&|x| 0.97 * x)),
        ("shifted", changed(&|x| x + 0.05 * law.bounds.1 as f32)),
        ("never negative", changed(&f32::abs)),
        (
            "normal law of the same variance",
            draw(&Init::he(), &[64, 32, 3, 3], fans, 1),
        ),
    ];
    for (fault, sample) in faults {
        assert!(check(&sample, law).is_err(), "not caught: {fault}");
    }
}
