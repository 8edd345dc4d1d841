use proptest::prelude::*;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::log_softmax;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn check(shape: &[usize], scale: f64, seed: u64) {
    let Some(device) = gpu::device() else { return };
    let x = normal(shape, seed).map(|x| f64::from((scale * x) as f32));
    let dy = normal(shape, seed + 1);
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let y = probe.graph.log_softmax(x_var);
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    let reference = log_softmax::forward(&x);
    assert_close("y", &results[0], &reference, Tolerance::F32);
    let reference = log_softmax::grad_input(&reference, &dy);
    assert_close("dx", &results[1], &reference, Tolerance::F32);
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
