use proptest::prelude::*;
use wgrad::graph::{Graph, ValueType, Var};
use wgrad::layout::Layout;
use wgrad::ops::dropout::Dropout;
use wgrad::plan::Mode;
use wgrad::random::Seed;
use wgrad::shape::Shape;
use wgrad::{Session, SessionOptions};

use super::{cases, channels, check_draws, normal};
use crate::reference::Tensor;
use crate::reference::dropout::{self as expected, Attributes};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

/// y and δx for one seed, step and stream: the very same elements as the reference drops.
fn check(shape: &[usize], a: Attributes) {
    let operator = Dropout {
        probability: a.probability,
        stream: a.node,
    };
    check_draws(shape, operator, (a.seed, a.step), |x, dy| {
        [expected::forward(x, &a), expected::grad_input(dy, &a)]
    });
}

const A: Attributes = Attributes {
    probability: 0.3,
    seed: 0x0123_4567_89ab_cdef,
    step: 7,
    node: 0xfedc_ba98,
};

#[test]
fn drops_what_the_reference_drops() {
    // Features by fours and not; images by four positions and not; one position.
    for shape in [
        &[1, 1][..],
        &[3, 8],
        &[3, 5],
        &[2, 1, 2, 2],
        &[3, 5, 6, 6],
        &[2, 13, 3, 5],
    ] {
        check(shape, A);
    }
    check(&[2, 3, 1, 1], A);
    check(&[2, 6, 2, 3, 4], A);
}

/// The stream of `graph.dropout` is the FNV-1a hash of the layer's path, so that a mask does
/// not depend on other layers; padding holds zero.
#[test]
fn a_layer_draws_by_its_path() {
    let Some(device) = gpu::device() else { return };
    let fnv1a = "block.dropout2"
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(16_777_619)
        });
    let a = Attributes {
        probability: 0.5,
        seed: 0,
        step: 0,
        node: fnv1a,
    };
    for shape in [[3, 5, 4, 4], [3, 5, 3, 3]] {
        let x = normal(&shape, 1);
        let mut probe = Probe::new(3);
        let x_var = probe.input(&x);
        let [first, second] = probe
            .graph
            .scope("block", |graph| [0.5, 0.5].map(|p| graph.dropout(x_var, p)));
        let results = probe.run(device, Mode::Training, &[first, second]);
        let zeros = |of: usize| results[of].iter().map(|&y: &f32| y == 0.0);
        assert!(zeros(0).ne(zeros(1)));
        assert_close("y", &results[1], &expected::forward(&x, &a), Tolerance::F32);
    }
}

/// A flattened image, which still lies in memory as the image does, is numbered like features.
#[test]
fn a_flattened_image_is_numbered_like_features() {
    let Some(device) = gpu::device() else { return };
    for image in [[5, 2, 2], [5, 1, 3]] {
        let image = Shape::from(image);
        let flat = ValueType {
            layout: Layout::sample(&image),
            ..ValueType::sample([image.elements()])
        };
        let x = normal(&[2, image.elements()], 1);
        let mut graph = Graph::new();
        let x_var = graph.persistent("x", flat, "x", 0);
        let operator = Dropout {
            probability: A.probability,
            stream: A.node,
        };
        let y = graph.apply("drop", operator, &[x_var]);
        let session = Session::new(device, &graph, &[y], SessionOptions::training(2)).unwrap();
        session.set(x_var, &x.to_f32()).unwrap();
        session.set_random_state(Seed(A.seed), A.step).unwrap();
        session.run().unwrap();
        let reference = expected::forward(&x, &A);
        assert_close("y", &session.get(y).unwrap(), &reference, Tolerance::F32);
    }
}

/// Runs a layer on ones and gives its response.
fn response(device: &wgrad::Device, p: f32, seed: u64, step: u32) -> Vec<f32> {
    let mut graph = Graph::new();
    let x = graph.input("x", [40, 10, 10]);
    let y = graph.dropout(x, p);
    let session = Session::new(device, &graph, &[y], SessionOptions::training(10)).unwrap();
    session.set(x, &[1.0; 40_000]).unwrap();
    session.set_random_state(Seed(seed), step).unwrap();
    session.run().unwrap();
    session.get(y).unwrap()
}

#[test]
fn the_share_of_dropped_elements_is_p_and_the_mean_stays() {
    let Some(device) = gpu::device() else { return };
    for p in [0.1_f32, 0.5, 0.9] {
        let y = response(device, p, 1, 0);
        let dropped = y.iter().filter(|&&y| y == 0.0).count() as f64 / 40_000.0;
        let p = f64::from(p);
        let five_errors = 5.0 * (p * (1.0 - p) / 40_000.0).sqrt();
        assert!(
            (dropped - p).abs() <= five_errors,
            "{dropped} instead of {p}"
        );
        let mean = y.iter().map(|&y| f64::from(y)).sum::<f64>() / 40_000.0;
        assert!((mean - 1.0).abs() <= five_errors / (1.0 - p), "mean {mean}");
    }
}

#[test]
fn seed_and_step_change_the_draws_and_nothing_else_does() {
    let Some(device) = gpu::device() else { return };
    let base = response(device, 0.5, 1, 0);
    assert_eq!(base, response(device, 0.5, 1, 0));
    for other in [(2, 0), (1 << 32 | 1, 0), (1, 1)] {
        let y = response(device, 0.5, other.0, other.1);
        // Independent halves agree in half of the elements.
        let equal = base.iter().zip(&y).filter(|(a, b)| a == b).count() as f64 / 40_000.0;
        assert!((equal - 0.5).abs() <= 0.0125, "{other:?}: {equal} agree");
    }
}

/// In evaluation, and with p = 0, nothing is computed: the result is the operand.
#[test]
fn evaluation_is_the_identity() {
    let Some(device) = gpu::device() else { return };
    for (mode, p) in [(Mode::Evaluation, 0.9), (Mode::Training, 0.0)] {
        let (x, dy) = (normal(&[2, 5, 3, 3], 1), normal(&[2, 5, 3, 3], 2));
        let mut probe = Probe::new(2);
        let x_var = probe.input(&x);
        let y = probe.graph.dropout(x_var, p);
        let dx = probe.gradients(y, &dy, &[x_var])[0];
        let results = probe.run(device, mode, &[y, dx]);
        assert_eq!(results, [x.to_f32(), dy.to_f32()]);
    }
}

/// As in PyTorch, whether or not the element is dropped.
#[test]
fn nan_stays_nan() {
    let Some(device) = gpu::device() else { return };
    for shape in [[1, 8, 1, 1], [1, 8, 2, 2]] {
        let x = Tensor::from_fn(&shape, |_| f64::NAN);
        let mut probe = Probe::new(1);
        let x = probe.input(&x);
        let y = probe.graph.dropout(x, 0.5);
        let results = probe.run(device, Mode::Training, &[y]);
        assert!(results[0].iter().all(|y| y.is_nan()));
    }
}

fn error(p: f32, input: impl FnOnce(&mut Graph) -> Var) -> String {
    let mut graph = Graph::new();
    let x = input(&mut graph);
    graph.dropout(x, p);
    graph.check().unwrap_err().to_string()
}

#[test]
fn wrong_probabilities_and_inputs_are_refused() {
    for p in [1.0, -0.5, 1.5, f32::NAN] {
        let expected = format!(
            "layer `dropout1` (dropout): the probability of being dropped must lie in [0, 1), it \
             is {p}"
        );
        assert_eq!(error(p, |graph| graph.input("x", [3])), expected);
    }
    assert_eq!(
        error(0.5, |graph| graph.labels("x")),
        "layer `dropout1` (dropout): an image or features are needed, the input is []"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..4, c in channels(), h in 1_usize..7, w in 1_usize..7,
        p in 0.01_f32..0.99, seed: u64, step: u32, node: u32,
    ) {
        check(&[n, c, h, w], Attributes { probability: p, seed, step, node });
        check(&[n, c * h], Attributes { probability: p, seed, step, node });
    }
}
