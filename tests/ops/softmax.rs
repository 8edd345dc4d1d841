//! Softmax and, where the two are asked the same, its logarithm.

use proptest::prelude::*;
use wgrad::graph::{Graph, Var};
use wgrad::plan::Mode;

use super::{cases, channels, check_from_result, normal};
use crate::reference::{Tensor, softmax};
use crate::support::gpu;
use crate::support::probe::Probe;

fn check(shape: &[usize], scale: f64, seed: u64) {
    let case = (shape, scale, seed);
    check_from_result(case, Graph::softmax, softmax::forward, softmax::grad_input);
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

type Apply = fn(&mut Graph, Var) -> Var;

/// What softmax and log-softmax give for a sample of features.
fn run(apply: Apply, x: &[f64]) -> Option<Vec<f32>> {
    let device = gpu::device()?;
    let mut probe = Probe::new(1);
    let x = probe.input(&Tensor::new(&[1, x.len()], x.to_vec()));
    let y = apply(&mut probe.graph, x);
    probe.run(device, Mode::Training, &[y]).pop()
}

const BOTH: [Apply; 2] = [Graph::softmax, Graph::log_softmax];

/// Few channels and many, in which the last ones matter.
#[test]
fn huge_numbers_neither_overflow_nor_vanish() {
    for len in [3, 100] {
        let mut x = vec![-1e4; len];
        (x[0], x[len - 1]) = (1e4, 1e4);
        let Some(y) = run(BOTH[0], &x) else { return };
        assert_eq!((y[0], y[1], y[len - 1]), (0.5, 0.0, 0.5));
        let Some(y) = run(BOTH[1], &x) else { return };
        let ln2 = std::f32::consts::LN_2;
        assert!((y[0] + ln2).abs() <= 1e-6 && y[0] == y[len - 1], "{y:?}");
        assert!((y[1] + 2e4 + ln2).abs() <= 2e-3, "{y:?}");
    }
}

/// As in PyTorch: an impossible channel is none, NaN and +∞ spoil the row, and so does a row of
/// impossible channels.
#[test]
fn numbers_that_are_not_finite() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    for len in [3, 100] {
        let mut x = vec![-inf; len];
        x[len - 1] = 5.0;
        let Some(y) = run(BOTH[0], &x) else { return };
        assert_eq!((y[0], y[len - 1]), (0.0, 1.0));
        let Some(y) = run(BOTH[1], &x) else { return };
        assert_eq!((y[0], y[len - 1]), (f32::NEG_INFINITY, 0.0));
        for apply in BOTH {
            for bad in [inf, nan] {
                x[1] = bad;
                let Some(y) = run(apply, &x) else { return };
                assert!(y.iter().filter(|y| y.is_nan()).count() >= 1, "{bad}: {y:?}");
                assert!(y[1].is_nan());
            }
            let Some(y) = run(apply, &vec![-inf; len]) else {
                return;
            };
            assert!(y.iter().all(|y| y.is_nan()), "{y:?}");
        }
    }
}

/// A flattened image gets the order of features first.
#[test]
fn a_reshaped_value_is_laid_out_anew() {
    let Some(device) = gpu::device() else { return };
    let x = normal(&[2, 3, 2, 2], 1);
    for apply in BOTH {
        let mut probe = Probe::new(2);
        let x_var = probe.input(&x);
        let flat = probe.graph.flatten(x_var);
        let y = apply(&mut probe.graph, flat);
        let y = &probe.run(device, Mode::Training, &[y])[0];
        let sum = |row: &[f32]| {
            row.iter()
                .map(|y| f64::from(if *y < 0.0 { y.exp() } else { *y }))
                .sum()
        };
        let sums: Vec<f64> = y.chunks(12).map(sum).collect();
        assert!(
            sums.iter().all(|s: &f64| (s - 1.0).abs() <= 1e-5),
            "{sums:?}"
        );
    }
}

#[test]
fn labels_are_refused() {
    let mut graph = Graph::new();
    let x = graph.labels("x");
    graph.softmax(x);
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `softmax1` (softmax): an image or features are needed, the input is []"
    );
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
