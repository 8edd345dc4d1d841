use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::ops::HingeLoss;
use wgrad::ops::loss::Reduction;

use super::*;
use crate::reference::hinge_loss as expected;

/// The loss, the losses per sample and δ of the scores against the reference.
fn check(samples: usize, classes: usize, squared: bool, seed: u64) {
    let z = normal(&[samples, classes], seed);
    let labels: Vec<u32> = (0..samples).map(|n| (n * 7 % classes) as u32).collect();
    for (reduction, by_reference) in REDUCTIONS {
        let expected = Expected {
            loss: expected::forward(&z, &labels, by_reference, squared),
            per_sample: expected::per_sample(&z, &labels, squared),
            delta: expected::grad_scores(&z, &labels, by_reference, squared),
        };
        let build = |probe: &mut Probe, z| {
            let t = probe.labels(&labels);
            let loss = HingeLoss::new().squared(squared).reduction(reduction);
            probe.graph.hinge_loss(z, t, loss)
        };
        check_loss(&z, build, &expected);
    }
}

#[test]
fn few_and_many_classes() {
    for squared in [false, true] {
        for (samples, classes) in [(1, 1), (3, 5), (64, 10), (7, 1000), (4100, 3)] {
            check(samples, classes, squared, 1);
        }
    }
}

#[test]
fn nan_and_labels_that_are_no_class_spoil_their_sample_only() {
    let mut z = normal(&[3, 5], 1);
    z.data[6] = f64::NAN;
    for squared in [false, true] {
        let build = |probe: &mut Probe, z| {
            let t = probe.labels(&[0, 1, 5]);
            probe
                .graph
                .hinge_loss(z, t, HingeLoss::new().squared(squared))
        };
        let Some(results) = run_loss(&z, build) else {
            return;
        };
        assert!(results[0][0].is_nan());
        assert_eq!(are_nan(&results[1]), [false, true, true]);
        let mut delta = [false; 15];
        delta[6] = true;
        delta[10..].fill(true);
        assert_eq!(are_nan(&results[2]), delta);
    }
}

#[test]
fn wrong_operands_are_refused() {
    let mut graph = Graph::new();
    let (z, t) = (graph.input("z", [3]), graph.input("t", [3]));
    graph.hinge_loss(z, t, Reduction::Mean);
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `hinge_loss1` (hinge_loss): one class index per sample is needed as label, the \
         input is [3]"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(n in 1_usize..9, k in 1_usize..90, squared: bool, seed: u64) {
        check(n, k, squared, seed % 1000);
    }
}
