use proptest::prelude::*;
use wgrad::autodiff::gradients_from;
use wgrad::graph::Graph;
use wgrad::ops::{Conv2d, Prelu};
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::{concat, conv2d, prelu, reshape, sigmoid};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

#[allow(clippy::unwrap_used, reason = "a test's own helper")]
fn check_flatten(shape: &[usize], seed: u64) {
    let Some(device) = gpu::device() else { return };
    let x = normal(shape, seed);
    let y_reference = reshape::flatten(&x);
    let dy = normal(&y_reference.shape, seed + 1);
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let y = probe.graph.flatten(x_var);
    let standard = probe.graph.relayout(y);
    let dx = probe.gradients(standard, &dy, &[x_var])[0];
    // δ of the view itself, in the standard layout, which is not the view's.
    let delta = probe.input(&dy);
    let direct = gradients_from(&mut probe.graph, &[(y, delta)], &[x_var]).unwrap()[0];
    let results = probe.run(device, Mode::Training, &[y, standard, dx, direct]);
    let dx_reference = reshape::grad_input(&dy, shape);
    assert_close("y", &results[0], &y_reference, Tolerance::F32);
    assert_close("standard", &results[1], &y_reference, Tolerance::F32);
    assert_close("dx", &results[2], &dx_reference, Tolerance::F32);
    assert_close("direct", &results[3], &dx_reference, Tolerance::F32);
}

fn check_unflatten(image: &[usize], seed: u64) {
    let Some(device) = gpu::device() else { return };
    let features = image[1..].iter().product();
    let x = normal(&[image[0], features], seed);
    let dy = normal(image, seed + 1);
    let mut probe = Probe::new(image[0]);
    let x_var = probe.input(&x);
    let y = probe.graph.reshape(x_var, &image[1..]);
    let y = probe.graph.relayout(y);
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    assert_close(
        "y",
        &results[0],
        &reshape::forward(&x, image),
        Tolerance::F32,
    );
    let reference = reshape::grad_input(&dy, &x.shape);
    assert_close("dx", &results[1], &reference, Tolerance::F32);
}

#[test]
fn images_become_features_and_back() {
    check_flatten(&[1, 1, 1, 1], 1);
    check_flatten(&[2, 5, 3, 7], 2);
    check_unflatten(&[1, 1, 1, 1], 3);
    check_unflatten(&[2, 5, 3, 7], 4);
}

#[test]
fn a_view_there_and_back_is_standard_again() {
    let mut graph = Graph::new();
    let x = graph.input("x", [3, 4, 5]);
    let y = graph.flatten(x);
    assert!(!graph.type_of(y).is_standard());
    let z = graph.reshape(y, [3, 4, 5]);
    assert!(graph.type_of(z).is_standard());
    // One position: the order of the features is that of the channels.
    let pixel = graph.input("pixel", [7, 1, 1]);
    let pixel = graph.flatten(pixel);
    assert!(graph.type_of(pixel).is_standard());
    graph.check().unwrap();
}

/// Elementwise operators keep a view's layout, and its padding.
#[test]
fn elementwise_operators_take_views() {
    let Some(device) = gpu::device() else { return };
    let (x, dy) = (normal(&[2, 5, 2, 3], 1), normal(&[2, 30], 2));
    let alpha = normal(&[1], 3);
    let mut probe = Probe::new(2);
    let x_var = probe.input(&x);
    let flat = probe.graph.flatten(x_var);
    let s = probe.graph.sigmoid(flat);
    let p = probe.graph.prelu(flat, Prelu::shared());
    probe.parameter("prelu1.weight", &alpha);
    let standard = probe.graph.relayout(s);
    let dx = probe.gradients(standard, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[s, p, dx]);
    let flat = reshape::flatten(&x);
    let s = sigmoid::forward(&flat);
    assert_close("sigmoid", &results[0], &s, Tolerance::F32);
    let reference = prelu::forward(&flat, &alpha);
    assert_close("prelu", &results[1], &reference, Tolerance::F32);
    let reference = reshape::grad_input(&sigmoid::grad_input(&s, &dy), &x.shape);
    assert_close("dx", &results[2], &reference, Tolerance::F32);
}

/// A flattened image keeps its order on the device; operators with parameters per channel, and
/// joins with values in another order, must not show it.
#[test]
fn operators_with_channels_take_views() {
    let Some(device) = gpu::device() else { return };
    let x = normal(&[2, 3, 2, 4], 1);
    let features = normal(&[2, 24], 2);
    let alpha = normal(&[24], 3);
    let dy = normal(&[2, 48], 4);
    let mut probe = Probe::new(2);
    let (x_var, features_var) = (probe.input(&x), probe.input(&features));
    let flat = probe.graph.flatten(x_var);
    let sum = probe.graph.add(flat, features_var);
    let slopes = probe.graph.prelu(flat, Prelu::per_channel());
    probe.parameter("prelu1.weight", &alpha);
    let joined = probe.graph.concat(&[sum, slopes]);
    let dx = probe.gradients(joined, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[joined, dx]);

    let flat = reshape::flatten(&x);
    let sum = flat.zip(&features, |a, b| a + b);
    let slopes = prelu::forward(&flat, &alpha);
    let joined = concat::forward(&[&sum, &slopes]);
    assert_close("joined", &results[0], &joined, Tolerance::F32);
    let parts = concat::grad_inputs(&dy, &[24, 24]);
    let through_slopes = prelu::grad_input(&flat, &alpha, &parts[1]);
    let dx = parts[0].zip(&through_slopes, |a, b| a + b);
    assert_close("dx", &results[1], &dx, Tolerance::F32);
}

#[test]
fn features_become_images_for_a_convolution() {
    let Some(device) = gpu::device() else { return };
    let x = normal(&[2, 30], 1);
    let w = normal(&[4, 5, 2, 2], 2);
    let mut probe = Probe::new(2);
    let x_var = probe.input(&x);
    let image = probe.graph.reshape(x_var, [5, 3, 2]);
    let y = probe.graph.conv2d(image, Conv2d::new(4, 2).bias(false));
    probe.parameter("weight", &w);
    let results = probe.run(device, Mode::Training, &[y]);
    let image = x.reshaped(&[2, 5, 3, 2]);
    let y = conv2d::forward(&image, &w, None, &conv2d::Attributes::new([2, 2]));
    assert_close("y", &results[0], &y, Tolerance::F32);
}

#[test]
fn a_shape_of_other_size_is_refused() {
    for (shape, shown) in [
        (vec![5, 2], "[5, 2]"),
        (vec![], "[]"),
        (vec![usize::MAX, 2], "[18446744073709551615, 2]"),
    ] {
        let mut graph = Graph::new();
        let x = graph.input("x", [3, 2, 2]);
        graph.reshape(x, shape);
        assert_eq!(
            graph.check().unwrap_err().to_string(),
            format!(
                "layer `reshape1` (reshape): the 12 elements of shape [3, 2, 2] do not fill the \
                 shape {shown}"
            )
        );
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn flatten_agrees_with_the_reference(n in 1_usize..4, c in channels(), h in 1_usize..9, w in 1_usize..9, seed: u64) {
        check_flatten(&[n, c, h, w], seed % 1000);
    }

    #[test]
    fn reshape_agrees_with_the_reference(n in 1_usize..4, c in channels(), h in 1_usize..9, w in 1_usize..9, seed: u64) {
        check_unflatten(&[n, c, h, w], seed % 1000);
    }
}
