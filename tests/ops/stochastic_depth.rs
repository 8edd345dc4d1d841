use proptest::prelude::*;
use wgrad::ops::StochasticDepth;
use wgrad::ops::stochastic_depth::DropMode;

use super::*;
use crate::reference::dropout::Attributes;
use crate::reference::stochastic_depth as expected;

/// y and δx for one seed, step and stream: the very same samples as the reference drops.
fn check(shape: &[usize], whole: bool, a: Attributes) {
    let mode = match whole {
        true => DropMode::Batch,
        false => DropMode::Row,
    };
    let operator = StochasticDepth {
        probability: a.probability,
        mode,
        stream: a.node,
    };
    check_draws(shape, operator, (a.seed, a.step), |x, dy| {
        [
            expected::forward(x, whole, &a),
            expected::grad_input(dy, whole, &a),
        ]
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
    for shape in [&[1, 1][..], &[9, 13], &[7, 1, 2, 3], &[6, 5, 4, 4]] {
        for step in 0..4 {
            check(shape, false, Attributes { step, ..A });
            check(shape, true, Attributes { step, ..A });
        }
    }
}

/// As torchvision: with p = 1 nothing is left.
#[test]
fn evaluation_is_the_identity() {
    let Some(device) = gpu::device() else { return };
    let x = normal(&[2, 5, 3, 3], 1);
    for (mode, p, kept) in [
        (Mode::Evaluation, 0.9, true),
        (Mode::Training, 0.0, true),
        (Mode::Training, 1.0, false),
    ] {
        let mut probe = Probe::new(2);
        let x_var = probe.input(&x);
        let y = probe.graph.stochastic_depth(x_var, p);
        let results = probe.run(device, mode, &[y]);
        let expected = if kept { x.to_f32() } else { vec![0.0; 90] };
        assert_eq!(results[0], expected);
    }
}

#[test]
fn wrong_probabilities_are_refused() {
    for p in [1.5, -0.5, f32::NAN] {
        let mut graph = Graph::new();
        let x = graph.input("x", [3]);
        graph.stochastic_depth(x, p);
        assert_eq!(
            graph.check().unwrap_err().to_string(),
            format!(
                "layer `stochastic_depth1` (stochastic_depth): the probability of being dropped \
                 must lie in [0, 1], it is {p}"
            )
        );
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..12, c in channels(), h in 1_usize..7, w in 1_usize..7,
        p in 0.01_f32..0.99, whole: bool, seed: u64, step: u32, node: u32,
    ) {
        check(&[n, c, h, w], whole, Attributes { probability: p, seed, step, node });
    }
}
