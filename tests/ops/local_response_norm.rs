use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::ops::LocalResponseNorm;
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::Tensor;
use crate::reference::local_response_norm::{Attributes, forward, grad_input};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

fn norm(a: &Attributes) -> LocalResponseNorm {
    let norm = LocalResponseNorm::new(a.size)
        .alpha(a.alpha as f32)
        .beta(a.beta as f32)
        .k(a.k as f32);
    match a.within_channels {
        true => norm.within_channels(),
        false => norm,
    }
}

/// α large enough that the sums matter. All numbers are exactly f32.
fn across(size: usize) -> Attributes {
    Attributes {
        size,
        alpha: 0.5,
        beta: 0.75,
        k: 2.0,
        within_channels: false,
    }
}

fn within(size: usize) -> Attributes {
    Attributes {
        within_channels: true,
        ..across(size)
    }
}

fn check(x: &Tensor, a: &Attributes) {
    let Some(device) = gpu::device() else { return };
    let dy = normal(&x.shape, 4_013);
    let mut probe = Probe::new(x.shape[0]);
    let x_var = probe.input(x);
    let y = probe.graph.local_response_norm(x_var, norm(a));
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let s = probe.graph.nodes()[0].outputs[1];
    let results = probe.run(device, Mode::Training, &[y, dx, s]);
    let name = |of: &str| format!("{of} of {a:?} of {:?}", x.shape);
    assert_close(&name("y"), &results[0], &forward(x, a), Tolerance::F32);
    let reference = grad_input(x, a, &dy);
    assert_close(&name("dx"), &results[1], &reference, Tolerance::F32);
    // Without a gradient nothing reads the divisor, and it is not written.
    let alone = probe.run(device, Mode::Evaluation, &[y]);
    assert_eq!(alone[0], results[0]);
}

#[test]
fn across_channels_of_images_and_features() {
    for (shape, size) in [
        (&[2, 13, 3, 4][..], 5),
        (&[1, 3, 2, 2], 7),
        (&[2, 8, 3, 1], 1),
        (&[2, 10, 2, 3], 4),
        (&[3, 17], 5),
        (&[1, 1], 3),
    ] {
        check(&normal(shape, 1), &across(size));
    }
}

#[test]
fn within_channels_of_images() {
    for (shape, size) in [
        ([2, 5, 6, 7], 3),
        ([1, 3, 4, 3], 9),
        ([2, 4, 3, 5], 1),
        ([1, 13, 5, 6], 4),
    ] {
        check(&normal(&shape, 1), &within(size));
    }
}

/// AlexNet's numbers, and values that make the power matter.
#[test]
fn usual_attributes_and_large_values() {
    let x = normal(&[2, 16, 5, 5], 1);
    let alexnet = Attributes {
        alpha: f64::from(1e-4_f32),
        ..across(5)
    };
    check(&x, &alexnet);
    let hundredfold = x.map(|x| f64::from((100.0 * x) as f32));
    check(&hundredfold, &alexnet);
    check(&hundredfold, &within(3));
}

#[test]
fn nan_spoils_its_windows_only() {
    let Some(device) = gpu::device() else { return };
    let mut x = normal(&[1, 6], 1);
    x.data[1] = f64::NAN;
    let mut probe = Probe::new(1);
    let x_var = probe.input(&x);
    let y = probe
        .graph
        .local_response_norm(x_var, LocalResponseNorm::new(3));
    let dx = probe.gradients(y, &normal(&[1, 6], 2), &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    let spoilt = |values: &[f32]| values.iter().map(|y| y.is_nan()).collect::<Vec<_>>();
    assert_eq!(spoilt(&results[0]), [true, true, true, false, false, false]);
    // δ of a neighbour's neighbour depends on the neighbour's window.
    assert_eq!(spoilt(&results[1]), [true, true, true, true, false, false]);
}

fn error(shape: &[usize], norm: LocalResponseNorm) -> String {
    let mut graph = Graph::new();
    let x = graph.input("x", shape);
    graph.local_response_norm(x, norm);
    graph.check().unwrap_err().to_string()
}

#[test]
fn wrong_inputs_and_attributes_are_refused() {
    let head = "layer `lrn1` (local_response_norm): ";
    assert_eq!(
        error(&[3], LocalResponseNorm::new(3).within_channels()),
        format!("{head}an image of shape [channels, height, width] is needed, the input is [3]")
    );
    assert_eq!(
        error(&[3, 4, 4], LocalResponseNorm::new(0)),
        format!("{head}a window has 1 to 32768 numbers, one of size 0 has 0")
    );
    assert_eq!(
        error(&[3, 4, 4], LocalResponseNorm::new(182).within_channels()),
        format!("{head}a window has 1 to 32768 numbers, one of size 182 has 33124")
    );
    assert_eq!(
        error(&[3, 4, 4], LocalResponseNorm::new(5).k(0.0)),
        format!(
            "{head}alpha must not be below 0 and k must be above 0, they are 0.0001 and 0, beta \
             is 0.75"
        )
    );
    for norm in [
        LocalResponseNorm::new(5).alpha(-1.0),
        LocalResponseNorm::new(5).alpha(f32::NAN),
        LocalResponseNorm::new(5).beta(f32::INFINITY),
    ] {
        assert!(error(&[3], norm).contains("alpha must not be below 0"));
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..4, c in channels(), h in 1_usize..9, w in 1_usize..9,
        size in 1_usize..8, within_channels: bool, beta in 1_u8..9, seed: u64,
    ) {
        let beta = f64::from(beta) / 4.0;
        let a = Attributes { within_channels, beta, ..across(size) };
        check(&normal(&[n, c, h, w], seed % 1000), &a);
    }
}
