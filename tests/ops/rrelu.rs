use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::ops::Rrelu;
use wgrad::plan::Mode;

use super::{cases, channels, check_draws, normal};
use crate::reference::Tensor;
use crate::reference::rrelu::{self as expected, Attributes};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

/// y and δx for one seed, step and stream.
fn check(shape: &[usize], a: Attributes) {
    let operator = Rrelu {
        lower: a.lower,
        upper: a.upper,
        stream: a.node,
    };
    check_draws(shape, operator, (a.seed, a.step), |x, dy| {
        let slopes = expected::slopes(shape, &a);
        [
            expected::forward(x, &slopes),
            expected::grad_input(x, dy, &slopes),
        ]
    });
}

const A: Attributes = Attributes {
    lower: -0.5,
    upper: 2.0,
    seed: 0x0123_4567_89ab_cdef,
    step: 7,
    node: 0xfedc_ba98,
};

#[test]
fn draws_what_the_reference_draws() {
    // Features by fours and not; images by four positions and not; one position.
    for shape in [
        &[1, 1][..],
        &[3, 8],
        &[3, 5],
        &[2, 1, 2, 2],
        &[3, 5, 6, 6],
        &[2, 13, 3, 5],
        &[2, 3, 1, 1],
    ] {
        check(shape, A);
    }
}

/// The stream of `graph.rrelu` is the FNV-1a hash of the layer's path; padding holds zero.
#[test]
fn a_layer_draws_by_its_path() {
    let Some(device) = gpu::device() else { return };
    let fnv1a = "block.rrelu2".bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(16_777_619)
    });
    let (lower, upper) = (1.0 / 8.0, 1.0 / 3.0);
    let a = Attributes {
        lower,
        upper,
        seed: 0,
        step: 0,
        node: fnv1a,
    };
    for shape in [[3, 5, 4, 4], [3, 5, 3, 3]] {
        let (x, dy) = (normal(&shape, 1), normal(&shape, 2));
        let mut probe = Probe::new(3);
        let x_var = probe.input(&x);
        let [first, second] = probe.graph.scope("block", |graph| {
            [0, 1].map(|_| graph.rrelu(x_var, Rrelu::default()))
        });
        let dx = probe.gradients(second, &dy, &[x_var])[0];
        let results = probe.run(device, Mode::Training, &[first, second, dx]);
        assert_ne!(results[0], results[1]);
        let slopes = expected::slopes(&shape, &a);
        let reference = expected::forward(&x, &slopes);
        assert_close("y", &results[1], &reference, Tolerance::F32);
        let reference = expected::grad_input(&x, &dy, &slopes);
        assert_close("dx", &results[2], &reference, Tolerance::F32);
    }
}

#[test]
fn evaluation_takes_the_mean_slope() {
    let Some(device) = gpu::device() else { return };
    let shape = [2, 5, 3, 3];
    let (x, dy) = (normal(&shape, 1), normal(&shape, 2));
    let mut probe = Probe::new(2);
    let x_var = probe.input(&x);
    let y = probe.graph.rrelu(x_var, Rrelu::new(A.lower, A.upper));
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Evaluation, &[y, dx]);
    let slopes = x.map(|_| A.mean_slope());
    let reference = expected::forward(&x, &slopes);
    assert_close("y", &results[0], &reference, Tolerance::F32);
    let reference = expected::grad_input(&x, &dy, &slopes);
    assert_close("dx", &results[1], &reference, Tolerance::F32);
}

#[test]
fn infinities_and_nan_stay() {
    let Some(device) = gpu::device() else { return };
    for shape in [[1, 4, 1, 1], [1, 1, 2, 2]] {
        let values = vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0];
        let mut probe = Probe::new(1);
        let x = probe.input(&Tensor::new(&shape, values));
        let y = probe.graph.rrelu(x, Rrelu::default());
        let y = &probe.run(device, Mode::Training, &[y])[0];
        assert!(y[0].is_nan() && y[3] < 0.0, "{y:?}");
        assert_eq!(y[1..3], [f32::INFINITY, f32::NEG_INFINITY]);
    }
}

#[test]
fn wrong_slopes_and_inputs_are_refused() {
    let error = |lower, upper, labels: bool| {
        let mut graph = Graph::new();
        let x = match labels {
            true => graph.labels("x"),
            false => graph.input("x", [3]),
        };
        graph.rrelu(x, Rrelu::new(lower, upper));
        graph.check().unwrap_err().to_string()
    };
    for (lower, upper) in [(0.5, 0.25), (f32::NAN, 1.0), (0.0, f32::INFINITY)] {
        let expected =
            format!("layer `rrelu1` (rrelu): slopes cannot be drawn from {lower} to {upper}");
        assert_eq!(error(lower, upper, false), expected);
    }
    assert_eq!(
        error(0.1, 0.2, true),
        "layer `rrelu1` (rrelu): an image or features are needed, the input is []"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..4, c in channels(), h in 1_usize..7, w in 1_usize..7,
        lower in -1_f32..0.5, width in 0_f32..1.0, seed: u64, step: u32, node: u32,
    ) {
        let a = Attributes { lower, upper: lower + width, seed, step, node };
        check(&[n, c, h, w], a);
        check(&[n, c * h], a);
    }
}
