use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::ops::slice_channels::SliceChannels;
use wgrad::plan::Mode;

use super::{cases, normal};
use crate::reference::concat;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn check(shape: &[usize], start: usize, channels: usize, seed: u64) {
    let Some(device) = gpu::device() else { return };
    let x = normal(shape, seed);
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let slice = SliceChannels::new(start, channels);
    let y = probe.graph.apply("slice", slice, &[x_var]);
    let results = probe.run(device, Mode::Training, &[y]);
    let rest = shape[1] - start - channels;
    let parts = concat::grad_inputs(&x, &[start, channels, rest]);
    assert_close("y", &results[0], &parts[1], Tolerance::F32);
}

#[test]
fn aligned_and_not() {
    check(&[2, 12, 2, 3], 4, 5, 1);
    check(&[1, 13, 1, 1], 7, 6, 2);
    check(&[3, 9], 8, 1, 3);
}

#[test]
fn channels_beyond_the_last_are_refused() {
    for (start, channels) in [(2, 2), (0, 0), (usize::MAX, 2)] {
        let mut graph = Graph::new();
        let x = graph.input("x", [3, 2, 2]);
        graph.apply("slice", SliceChannels::new(start, channels), &[x]);
        assert_eq!(
            graph.check().unwrap_err().to_string(),
            format!(
                "layer `slice` (slice_channels): {channels} channels from {start} on are not \
                 within the input [3, 2, 2]"
            )
        );
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..4,
        before in 0_usize..9,
        channels in 1_usize..9,
        behind in 0_usize..6,
        h in 1_usize..6,
        w in 1_usize..6,
        seed: u64,
    ) {
        check(&[n, before + channels + behind, h, w], before, channels, seed % 1000);
    }
}
