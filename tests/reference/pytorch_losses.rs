//! The losses with their options against PyTorch's values in `tests/golden/losses.safetensors`.

use super::pytorch::{Case, check_loss, for_each_case_of};
use super::*;

static FILE: &[u8] = include_bytes!("../golden/losses.safetensors");

/// The attributes but the last, which says whether the mean is taken.
fn attributes(case: &Case) -> (Vec<f64>, Reduction) {
    let mut attributes = case.get("attributes").data;
    let mean = attributes.pop() == Some(1.0);
    let reduction = if mean {
        Reduction::Mean
    } else {
        Reduction::Sum
    };
    (attributes, reduction)
}

#[test]
fn weighted_softmax_cross_entropy() {
    for_each_case_of(FILE, "softmax_cross_entropy", 26, |case| {
        let (attributes, reduction) = attributes(case);
        let &[label_smoothing, weighted, ignored] = attributes.as_slice() else {
            panic!("{}: three attributes", case.name)
        };
        let options = softmax_cross_entropy::Options {
            label_smoothing,
            class_weights: (weighted == 1.0).then(|| case.get("weight").data),
            ignored: (ignored >= 0.0).then_some(ignored as u32),
        };
        let labels = case.get("labels").data;
        let labels: Vec<u32> = labels.iter().map(|&label| label as u32).collect();
        let x = case.get("x");
        let value = options.forward(&x, &labels, reduction);
        let gradient = options.grad_logits(&x, &labels, reduction);
        check_loss(case, "grad_x", value, &gradient);
    });
}

#[test]
fn l1() {
    for_each_case_of(FILE, "l1_loss", 2, |case| {
        let (_, reduction) = attributes(case);
        let (x, target) = (case.get("x"), case.get("target"));
        let value = l1_loss::forward(&x, &target, reduction);
        let gradient = l1_loss::grad_prediction(&x, &target, reduction);
        check_loss(case, "grad_x", value, &gradient);
    });
}

#[test]
fn huber_and_smooth_l1() {
    for_each_case_of(FILE, "huber_loss", 12, |case| {
        let (attributes, reduction) = attributes(case);
        let &[threshold, smooth_l1] = attributes.as_slice() else {
            panic!("{}: two attributes", case.name)
        };
        let a = huber_loss::Attributes {
            threshold,
            smooth_l1: smooth_l1 == 1.0,
        };
        let (x, target) = (case.get("x"), case.get("target"));
        let value = huber_loss::forward(&x, &target, reduction, &a);
        let gradient = huber_loss::grad_prediction(&x, &target, reduction, &a);
        check_loss(case, "grad_x", value, &gradient);
    });
}

#[test]
fn binary_cross_entropy() {
    use super::binary_cross_entropy::{forward, grad_logits};
    for_each_case_of(FILE, "binary_cross_entropy", 8, |case| {
        let (_, reduction) = attributes(case);
        let weighted = case.name.contains(".weighted") || case.name.contains(".shared");
        let weights = weighted.then(|| case.get("pos_weight").data);
        let weights = weights.as_deref();
        let (x, target) = (case.get("x"), case.get("target"));
        let value = forward(&x, &target, reduction, weights);
        let gradient = grad_logits(&x, &target, reduction, weights);
        check_loss(case, "grad_x", value, &gradient);
    });
}
