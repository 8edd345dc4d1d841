//! Losses.

use wgrad::graph::{Graph, Var};
use wgrad::ops::loss::{LossValues, Reduction};
use wgrad::ops::{BinaryCrossEntropy, HingeLoss, HuberLoss, SoftmaxCrossEntropy};

use super::Cases;

/// The loss by itself, the loss added to itself (its δ is then not 1), and the losses of the
/// samples, which have no gradient.
fn loss(cases: &mut Cases, batch: usize, build: impl Fn(&mut Graph, Reduction) -> LossValues) {
    for reduction in [Reduction::Mean, Reduction::Sum] {
        cases.add(batch, |graph| build(graph, reduction).loss);
        cases.add(batch, |graph| {
            let loss = build(graph, reduction).loss;
            graph.add(loss, loss)
        });
        cases.add_forward(batch, |graph| build(graph, reduction).per_sample);
    }
}

/// A loss between a prediction and a target of one shape.
fn of_values(cases: &mut Cases, build: impl Fn(&mut Graph, Var, Var, Reduction) -> LossValues) {
    let shapes: &[(usize, &[usize])] = &[
        (1, &[1]),
        (3, &[10]),
        (5000, &[4]),
        (2, &[3, 33, 65]),
        (64, &[3, 224, 224]),
    ];
    for &(batch, shape) in shapes {
        loss(cases, batch, |graph, reduction| {
            let prediction = graph.input("x", shape);
            let target = graph.input("target", shape);
            build(graph, prediction, target, reduction)
        });
    }
}

/// A loss between a vector and the label of a class.
fn of_labels(
    cases: &mut Cases,
    shapes: &[(usize, usize)],
    build: impl Fn(&mut Graph, Var, Var, Reduction) -> LossValues,
) {
    for &(batch, classes) in shapes {
        loss(cases, batch, |graph, reduction| {
            let logits = graph.input("logits", classes);
            let labels = graph.labels("labels");
            build(graph, logits, labels, reduction)
        });
    }
}

pub fn binary_cross_entropy(cases: &mut Cases) {
    of_values(cases, |graph, z, t, reduction| {
        graph.binary_cross_entropy(z, t, reduction)
    });
    of_values(cases, |graph, z, t, reduction| {
        let loss = BinaryCrossEntropy::new().positive_weights([2.0]);
        graph.binary_cross_entropy(z, t, loss.reduction(reduction))
    });
}

pub fn hinge_loss(cases: &mut Cases) {
    for squared in [false, true] {
        let shapes = [(1, 1), (3, 10), (64, 65), (256, 1000), (20_000_000, 3)];
        of_labels(cases, &shapes, |graph, z, t, reduction| {
            let loss = HingeLoss::new().squared(squared);
            graph.hinge_loss(z, t, loss.reduction(reduction))
        });
    }
}

pub fn huber_loss(cases: &mut Cases) {
    for loss in [HuberLoss::new(0.5), HuberLoss::smooth_l1(2.0)] {
        of_values(cases, |graph, p, t, reduction| {
            graph.huber_loss(p, t, loss.reduction(reduction))
        });
    }
}

pub fn l1_loss(cases: &mut Cases) {
    of_values(cases, |graph, p, t, reduction| {
        graph.l1_loss(p, t, reduction)
    });
}

pub fn mse(cases: &mut Cases) {
    of_values(cases, |graph, p, t, reduction| {
        graph.mean_squared_error(p, t, reduction)
    });
}

pub fn softmax_cross_entropy(cases: &mut Cases) {
    let shapes = [
        (1, 1),
        (3, 10),
        (64, 64),
        (64, 65),
        (256, 1000),
        (20_000_000, 3),
    ];
    of_labels(cases, &shapes, |graph, z, t, reduction| {
        graph.softmax_cross_entropy(z, t, reduction)
    });
    // The options one by one, and all at once.
    for (smoothing, weighted, ignored) in [
        (0.1, false, None),
        (0.0, true, None),
        (0.0, false, Some(0)),
        (0.1, true, Some(255)),
    ] {
        of_labels(cases, &[(3, 10), (64, 65)], |graph, z, t, reduction| {
            let classes = graph.shape(z).elements();
            let loss = SoftmaxCrossEntropy {
                reduction,
                label_smoothing: smoothing,
                class_weights: weighted.then(|| vec![1.5; classes].into()),
                ignored,
            };
            graph.softmax_cross_entropy(z, t, loss)
        });
    }
}
