//! One seed, one set of weights, on every platform and in every release.
//!
//! The bits below were computed by a Python program written from the definitions (Philox 4×32-10
//! on the counter `[block, 0, FNV-1a(name)]`; `statistics.NormalDist().inv_cdf`), not copied from
//! this crate. A change here breaks every user's seeds: it needs a note in the changelog.

use wgrad::init::{Fans, Init, sample_from};
use wgrad::random::Seed;

fn bits(init: &Init, seed: u64, name: &str) -> Vec<u32> {
    let sample = init.sample(&[16, 8], Fans::of(&[16, 8]), Seed(seed), name);
    sample
        .expect("valid initialiser")
        .iter()
        .take(4)
        .map(|x| x.to_bits())
        .collect()
}

#[test]
fn first_values() {
    let he = Init::he();
    let uniform = Init::Uniform {
        low: -1.0,
        high: 1.0,
    };
    assert_eq!(
        bits(&he, 0, "conv1.weight"),
        [0x3ea9_91d3, 0x3f6e_1f22, 0x3f71_9f79, 0xbe80_dc24]
    );
    assert_eq!(
        bits(&he, 42, "conv1.weight"),
        [0x3d3a_dba0, 0x3e85_12d8, 0xbfa3_dafd, 0x3cc9_8706]
    );
    assert_eq!(
        bits(&he, 42, "fc.weight"),
        [0x3c78_013a, 0xbec9_2140, 0xbe7d_6ad0, 0xbe7d_a6b4]
    );
    assert_eq!(
        bits(&he, u64::MAX, "conv1.weight"),
        [0xbeec_982f, 0xbf1f_683b, 0x3e5b_c81b, 0xbe1d_999b]
    );
    assert_eq!(
        bits(&uniform, 42, "conv1.weight"),
        [0x3d94_e26b, 0x3ecb_2ab1, 0xbf7d_527f, 0x3d20_bb14]
    );
    assert_eq!(
        bits(&uniform, 42, "fc.weight"),
        [0x3cc5_d956, 0xbf11_6437, 0xbec2_3c96, 0xbec2_66dc]
    );
}

#[test]
fn same_arguments_same_bits() {
    for init in [
        Init::he(),
        Init::xavier_uniform(),
        Init::Orthogonal { gain: 1.0 },
    ] {
        assert_eq!(bits(&init, 9, "a"), bits(&init, 9, "a"));
        assert_ne!(bits(&init, 9, "a"), bits(&init, 9, "b"), "{init}: names");
        assert_ne!(bits(&init, 9, "a"), bits(&init, 10, "a"), "{init}: seeds");
        assert_ne!(
            bits(&init, 9, "a"),
            bits(&init, 9 + (1 << 32), "a"),
            "{init}: high word"
        );
    }
}

/// A layer that grows keeps the values it had, in row order.
#[test]
fn a_longer_parameter_begins_with_the_shorter_one() {
    let law = Init::Gaussian {
        mean: 0.0,
        std: 1.0,
    };
    let draw = |n| {
        law.sample(&[n], Fans::default(), Seed(1), "x")
            .expect("valid initialiser")
    };
    assert_eq!(draw(100)[..37], draw(37));
}

/// No two of a network's parameters are correlated beyond four standard errors (1/√n).
#[test]
fn names_give_unrelated_values() {
    let n = 10_000;
    let standard = Init::Gaussian {
        mean: 0.0,
        std: 1.0,
    };
    let names = [
        "conv1.weight",
        "conv2.weight",
        "conv1.bias",
        "conv11.weight",
        "layer.0.weight",
    ];
    let samples = names.map(|name| {
        standard
            .sample(&[n], Fans::default(), Seed(1), name)
            .expect("valid initialiser")
    });
    for (i, a) in samples.iter().enumerate() {
        for b in &samples[..i] {
            let product: f64 = a.iter().zip(b).map(|(x, y)| f64::from(x * y)).sum();
            assert!((product / n as f64).abs() < 4.0 / (n as f64).sqrt());
        }
    }
}

#[test]
fn foreign_laws_are_drawn_from_the_named_stream() {
    let law = rand_distr::Triangular::new(-1.0, 2.0, 0.0).expect("valid law");
    let values = sample_from(&law, 500, Seed(1), "x");
    assert!(values.iter().all(|x| (-1.0..=2.0).contains(x)));
    assert_eq!(values, sample_from(&law, 500, Seed(1), "x"));
    assert_ne!(values, sample_from(&law, 500, Seed(1), "y"));
}
