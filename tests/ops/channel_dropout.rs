use proptest::prelude::*;
use wgrad::ops::ChannelDropout;

use super::*;
use crate::reference::channel_dropout as expected;
use crate::reference::dropout::Attributes;

/// y and δx for one seed, step and stream: the very same channels as the reference drops.
fn check(shape: &[usize], a: Attributes) {
    let operator = ChannelDropout {
        probability: a.probability,
        stream: a.node,
    };
    check_draws(shape, operator, (a.seed, a.step), |x, dy| {
        [expected::forward(x, &a), expected::grad_input(dy, &a)]
    });
}

const A: Attributes = Attributes {
    probability: 0.4,
    seed: 0x0123_4567_89ab_cdef,
    step: 7,
    node: 0xfedc_ba98,
};

#[test]
fn drops_what_the_reference_drops() {
    for shape in [
        &[1, 1][..],
        &[5, 13],
        &[3, 8],
        &[7, 1, 2, 3],
        &[3, 5, 4, 4],
        &[2, 8, 3, 3],
    ] {
        check(shape, A);
    }
}

#[test]
fn evaluation_is_the_identity_and_padding_stays_zero() {
    let Some(device) = gpu::device() else { return };
    for (mode, p) in [
        (Mode::Evaluation, 0.9),
        (Mode::Training, 0.0),
        (Mode::Training, 0.5),
    ] {
        let x = normal(&[2, 5, 3, 3], 1);
        let mut probe = Probe::new(2);
        let x_var = probe.input(&x);
        let y = probe.graph.channel_dropout(x_var, p);
        let results = probe.run(device, mode, &[y]);
        assert_eq!(results[0] == x.to_f32(), p != 0.5);
    }
}

#[test]
fn wrong_probabilities_are_refused() {
    for p in [1.0, -0.5, f32::NAN] {
        let mut graph = Graph::new();
        let x = graph.input("x", [3]);
        graph.channel_dropout(x, p);
        assert_eq!(
            graph.check().unwrap_err().to_string(),
            format!(
                "layer `channel_dropout1` (channel_dropout): the probability of being dropped \
                 must lie in [0, 1), it is {p}"
            )
        );
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..6, c in channels(), h in 1_usize..7, w in 1_usize..7,
        p in 0.01_f32..0.99, seed: u64, step: u32, node: u32,
    ) {
        let a = Attributes { probability: p, seed, step, node };
        check(&[n, c, h, w], a);
        check(&[n, c * h], a);
    }
}
