use proptest::prelude::*;
use wgrad::graph::Graph;

use super::{cases, channels, check_from_result};
use crate::reference::log_softmax;

fn check(shape: &[usize], scale: f64, seed: u64) {
    let case = (shape, scale, seed);
    check_from_result(
        case,
        Graph::log_softmax,
        log_softmax::forward,
        log_softmax::grad_input,
    );
}

#[test]
fn features_and_images() {
    check(&[3, 10], 1.0, 1);
    check(&[2, 5, 3, 7], 3.0, 2);
    check(&[1, 13, 1, 1], 0.1, 3);
}

/// More channels than one invocation takes.
#[test]
fn many_channels_are_shared_by_a_workgroup() {
    check(&[3, 65], 1.0, 4);
    check(&[2, 1003], 2.0, 5);
    check(&[2, 67, 3, 2], 1.0, 6);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..4,
        c in prop_oneof![channels(), 60_usize..80],
        h in 1_usize..9,
        w in 1_usize..9,
        scale in 0.1..3.0,
        seed: u64,
    ) {
        check(&[n, c, h, w], scale, seed % 1000);
    }
}
