use proptest::prelude::*;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::add;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn check(shape: &[usize], seed: u64) {
    let Some(device) = gpu::device() else { return };
    let (a, b, dy) = (
        normal(shape, seed),
        normal(shape, seed + 1),
        normal(shape, seed + 2),
    );
    let mut probe = Probe::new(shape[0]);
    let (a_var, b_var) = (probe.input(&a), probe.input(&b));
    let y = probe.graph.add(a_var, b_var);
    // Through a second use of `a`, so that two contributions to its δ are added up.
    let z = probe.graph.add(y, a_var);
    let deltas = probe.gradients(z, &dy, &[a_var, b_var]);
    let results = probe.run(device, Mode::Training, &[y, deltas[0], deltas[1]]);
    assert_close("y", &results[0], &add::forward(&a, &b), Tolerance::F32);
    assert_close("da", &results[1], &dy.map(|d| 2.0 * d), Tolerance::F32);
    assert_close("db", &results[2], &dy, Tolerance::F32);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(n in 1_usize..4, c in channels(), h in 1_usize..9, w in 1_usize..9, seed: u64) {
        check(&[n, c, h, w], seed % 1000);
    }
}
