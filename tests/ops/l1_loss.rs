use proptest::prelude::*;
use wgrad::autodiff::gradients;
use wgrad::graph::Graph;
use wgrad::ops::loss::Reduction;

use super::*;
use crate::reference::l1_loss as expected;

/// The loss, the losses per sample and δ of the prediction against the reference.
fn check(shape: &[usize], seed: u64) {
    let (mut p, t) = (normal(shape, seed), normal(shape, seed + 1));
    p.data[0] = t.data[0]; // no slope where they are equal
    for (reduction, by_reference) in REDUCTIONS {
        let loss = |p: &Tensor, t: &Tensor| expected::forward(p, t, by_reference);
        let expected = Expected {
            loss: loss(&p, &t),
            per_sample: sample_by_sample(&p, &t, loss),
            delta: expected::grad_prediction(&p, &t, by_reference),
        };
        let build = |probe: &mut Probe, p| {
            let t = probe.input(&t);
            probe.graph.l1_loss(p, t, reduction)
        };
        check_loss(&p, build, &expected);
    }
}

#[test]
fn features_and_images() {
    check(&[3, 1], 1);
    check(&[5, 13], 2);
    check(&[2, 3, 33, 65], 3);
    check(&[4100, 1], 4);
}

#[test]
fn nan_stays_nan() {
    let (mut p, t) = (normal(&[2, 3], 1), normal(&[2, 3], 2));
    p.data[4] = f64::NAN;
    let build = |probe: &mut Probe, p| {
        let t = probe.input(&t);
        probe.graph.l1_loss(p, t, Reduction::Mean)
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
fn wrong_operands_are_refused() {
    let mut graph = Graph::new();
    let (p, t) = (graph.input("p", [3, 4, 5]), graph.input("t", [3, 4]));
    graph.l1_loss(p, t, Reduction::Mean);
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `l1_loss1` (l1_loss): the operands' shapes [3, 4, 5] and [3, 4] differ"
    );
    let mut graph = Graph::new();
    let (p, t) = (graph.input("p", [3]), graph.input("t", [3]));
    let loss = graph.l1_loss(p, t, Reduction::Mean).loss;
    let error = gradients(&mut graph, loss, &[t]).unwrap_err().to_string();
    assert!(
        error.contains("the target of a loss has no gradient"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(n in 1_usize..5, c in channels(), h in 1_usize..20, w in 1_usize..20, seed: u64) {
        check(&[n, c, h, w + 1], seed % 1000);
    }
}
