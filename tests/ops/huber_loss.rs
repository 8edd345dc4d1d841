use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::ops::HuberLoss;
use wgrad::ops::loss::Reduction;

use super::*;
use crate::reference::huber_loss::{self as expected, Attributes};

/// The loss, the losses per sample and δ of the prediction against the reference.
fn check(shape: &[usize], loss: HuberLoss, seed: u64) {
    let (p, t) = (normal(shape, seed), normal(shape, seed + 1));
    let a = Attributes {
        threshold: f64::from(loss.threshold),
        smooth_l1: loss.smooth_l1,
    };
    for (reduction, by_reference) in REDUCTIONS {
        let of = |p: &Tensor, t: &Tensor| expected::forward(p, t, by_reference, &a);
        let expected = Expected {
            loss: of(&p, &t),
            per_sample: sample_by_sample(&p, &t, of),
            delta: expected::grad_prediction(&p, &t, by_reference, &a),
        };
        let build = |probe: &mut Probe, p| {
            let t = probe.input(&t);
            probe.graph.huber_loss(p, t, loss.reduction(reduction))
        };
        check_loss(&p, build, &expected);
    }
}

#[test]
fn features_and_images() {
    for loss in [HuberLoss::default(), HuberLoss::smooth_l1(0.3)] {
        check(&[3, 1], loss, 1);
        check(&[5, 13], loss, 2);
        check(&[2, 3, 33, 65], loss, 3);
        check(&[4100, 1], loss, 4);
    }
}

#[test]
fn nan_stays_nan() {
    let (mut p, t) = (normal(&[2, 3], 1), normal(&[2, 3], 2));
    p.data[4] = f64::NAN;
    let build = |probe: &mut Probe, p| {
        let t = probe.input(&t);
        probe.graph.huber_loss(p, t, Reduction::Mean)
    };
    let Some(results) = run_loss(&p, build) else {
        return;
    };
    assert!(results[0][0].is_nan());
    assert_eq!(are_nan(&results[1]), [false, true]);
    assert_eq!(
        are_nan(&results[2]),
        [false, false, false, false, true, false]
    );
}

#[test]
fn wrong_thresholds_are_refused() {
    for threshold in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let mut graph = Graph::new();
        let (p, t) = (graph.input("p", [3]), graph.input("t", [3]));
        graph.huber_loss(p, t, HuberLoss::new(threshold));
        assert_eq!(
            graph.check().unwrap_err().to_string(),
            format!(
                "layer `huber_loss1` (huber_loss): the difference where the square ends must be \
                 greater than 0, it is {threshold}"
            )
        );
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..5, c in channels(), h in 1_usize..20, w in 1_usize..20,
        threshold in 0.01_f32..4.0, smooth_l1: bool, seed: u64,
    ) {
        let loss = HuberLoss { smooth_l1, ..HuberLoss::new(threshold) };
        check(&[n, c, h, w], loss, seed % 1000);
    }
}
