use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::ops::BinaryCrossEntropy;
use wgrad::ops::loss::Reduction;

use super::*;
use crate::reference::binary_cross_entropy as expected;

/// Labels 0 and 1, and some between.
fn targets(shape: &[usize], seed: u64) -> Tensor {
    normal(shape, seed).map(|t| match t {
        t if t < -0.5 => 0.0,
        t if t > 0.5 => 1.0,
        t => t + 0.5,
    })
}

/// The loss, the losses per sample and δ of the logits against the reference.
fn check(z: &Tensor, t: &Tensor, weights: Option<Vec<f32>>) {
    let wide: Option<Vec<f64>> = weights
        .as_ref()
        .map(|w| w.iter().map(|&w| f64::from(w)).collect());
    let wide = wide.as_deref();
    let loss = match weights {
        Some(weights) => BinaryCrossEntropy::new().positive_weights(weights),
        None => BinaryCrossEntropy::new(),
    };
    for (reduction, by_reference) in REDUCTIONS {
        let of = |z: &Tensor, t: &Tensor| expected::forward(z, t, by_reference, wide);
        let expected = Expected {
            loss: of(z, t),
            per_sample: sample_by_sample(z, t, of),
            delta: expected::grad_logits(z, t, by_reference, wide),
        };
        let build = |probe: &mut Probe, z| {
            let t = probe.input(t);
            let loss = loss.clone().reduction(reduction);
            probe.graph.binary_cross_entropy(z, t, loss)
        };
        check_loss(z, build, &expected);
    }
}

fn check_shape(shape: &[usize], weighted: bool, seed: u64) {
    let z = normal(shape, seed).map(|z| f64::from((3.0 * z) as f32));
    let weights = (0..shape[1]).map(|c| 0.5 + c as f32).collect();
    check(
        &z,
        &targets(shape, seed + 1).map(|t| f64::from(t as f32)),
        weighted.then_some(weights),
    );
}

#[test]
fn features_and_images() {
    for weighted in [false, true] {
        check_shape(&[1, 1], weighted, 1);
        check_shape(&[5, 13], weighted, 2);
        check_shape(&[2, 3, 33, 65], weighted, 3);
        check_shape(&[2, 5, 3, 3], weighted, 4);
        check_shape(&[4100, 1], weighted, 5);
    }
    let z = normal(&[3, 5], 1);
    check(
        &z,
        &targets(&[3, 5], 2).map(|t| f64::from(t as f32)),
        Some(vec![2.5]),
    );
}

#[test]
fn huge_logits_stay_finite() {
    let z = Tensor::new(&[2, 3], vec![1e4, -1e4, 1e4, -1e4, 9999.0, 0.0]);
    check(
        &z,
        &Tensor::new(&[2, 3], vec![1., 0., 0., 1., 0.5, 1.]),
        None,
    );
}

/// Losses near e⁻¹⁵ keep their digits, and so does δ.
#[test]
fn almost_certain_answers_keep_their_digits() {
    let z = Tensor::new(&[2, 2], vec![15.0, -15.0, 14.0, -17.0]);
    check(&z, &Tensor::new(&[2, 2], vec![1., 0., 1., 0.]), None);
}

#[test]
fn nan_stays_nan() {
    for spoiled in [0, 1] {
        let (mut z, mut t) = (normal(&[2, 3], 1), targets(&[2, 3], 2));
        [&mut z, &mut t][spoiled].data[4] = f64::NAN;
        let build = |probe: &mut Probe, z| {
            let t = probe.input(&t);
            probe.graph.binary_cross_entropy(z, t, Reduction::Mean)
        };
        let Some(results) = run_loss(&z, build) else {
            return;
        };
        assert!(results[0][0].is_nan());
        assert_eq!(are_nan(&results[1]), [false, true]);
        assert_eq!(
            are_nan(&results[2]),
            [false, false, false, false, true, false]
        );
    }
}

#[test]
fn wrong_operands_are_refused() {
    let error = |outputs: usize, weights: &[f32]| {
        let mut graph = Graph::new();
        let (z, t) = (graph.input("z", [3]), graph.input("t", [outputs]));
        let loss = BinaryCrossEntropy::new().positive_weights(weights);
        graph.binary_cross_entropy(z, t, loss);
        graph.check().unwrap_err().to_string()
    };
    assert_eq!(
        error(4, &[1.0]),
        "layer `binary_cross_entropy1` (binary_cross_entropy): the operands' shapes [3] and [4] \
         differ"
    );
    assert_eq!(
        error(3, &[1.0, 2.0]),
        "layer `binary_cross_entropy1` (binary_cross_entropy): there are 2 weights for 3 channels"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..5, c in channels(), h in 1_usize..12, w in 1_usize..12, weighted: bool, seed: u64,
    ) {
        check_shape(&[n, c, h, w], weighted, seed % 1000);
        check_shape(&[n, c * h], weighted, seed % 1000);
    }
}
