//! Layers with sums over everything: linear, batch normalisation, losses.

use wgrad::graph::{Graph, Var};
use wgrad::ops::loss::{LossValues, Reduction};
use wgrad::ops::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm, Linear};

use super::Cases;

/// Layers of well-known networks, and odd ones: batch, inputs, outputs.
const LINEAR: &[(usize, usize, usize)] = &[
    (1, 1, 1),
    (3, 5, 7),
    (1000, 7, 3),
    (1, 784, 10),
    (64, 3136, 128),
    (64, 128, 10),
    (256, 1024, 1024),
    (32, 25_088, 4096),
    (4096, 64, 8),
];

pub fn linear(cases: &mut Cases) {
    for &(batch, inputs, outputs) in LINEAR {
        for bias in [true, false] {
            cases.add(batch, |graph| {
                let x = graph.input("x", inputs);
                graph.linear(x, Linear::new(outputs).bias(bias))
            });
        }
    }
    // A flattened image, whose features lie in the image's order.
    cases.add(8, |graph| {
        let x = graph.input("x", [5, 6, 7]);
        let x = graph.flatten(x);
        graph.linear(x, Linear::new(10))
    });
}

pub fn batch_norm(cases: &mut Cases) {
    let shapes: &[(usize, &[usize])] = &[
        (2, &[1]),
        (64, &[10]),
        (4096, &[128]),
        (1, &[3, 2, 1]),
        (2, &[13, 8, 8]),
        (32, &[64, 56, 56]),
        (64, &[2, 112, 112]),
        (32, &[2048, 7, 7]),
    ];
    for &(batch, shape) in shapes {
        cases.add(batch, |graph| {
            let x = graph.input("x", shape);
            graph.batch_norm(x, BatchNorm::new())
        });
    }
}

pub fn group_norm(cases: &mut Cases) {
    let shapes: &[(usize, &[usize], usize)] = &[
        (1, &[6], 2),
        (3000, &[64], 4),
        (1, &[3, 2, 1], 3),
        (2, &[13, 8, 8], 1),
        (64, &[64, 28, 28], 32),
        (4, &[2, 224, 224], 1),
        (300, &[30, 4, 4], 5),
    ];
    for &(batch, shape, groups) in shapes {
        for affine in [true, false] {
            cases.add(batch, |graph| {
                let x = graph.input("x", shape);
                graph.group_norm(x, GroupNorm::new(groups).affine(affine))
            });
            cases.add(batch, |graph| {
                let x = graph.input("x", shape);
                graph.layer_norm(x, LayerNorm::new().affine(affine))
            });
            if shape.len() == 3 {
                cases.add(batch, |graph| {
                    let x = graph.input("x", shape);
                    graph.instance_norm(x, InstanceNorm::new().affine(affine))
                });
            }
        }
    }
}

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

pub fn mse(cases: &mut Cases) {
    let shapes: &[(usize, &[usize])] = &[
        (1, &[1]),
        (3, &[10]),
        (5000, &[4]),
        (2, &[3, 33, 65]),
        (64, &[3, 224, 224]),
    ];
    for &(batch, shape) in shapes {
        loss(cases, batch, |graph, reduction| {
            let prediction: Var = graph.input("x", shape);
            let target = graph.input("target", shape);
            graph.mean_squared_error(prediction, target, reduction)
        });
    }
}

pub fn softmax_cross_entropy(cases: &mut Cases) {
    for (batch, classes) in [
        (1, 1),
        (3, 10),
        (64, 64),
        (64, 65),
        (256, 1000),
        (20_000_000, 3),
    ] {
        loss(cases, batch, |graph, reduction| {
            let logits = graph.input("logits", classes);
            let labels = graph.labels("labels");
            graph.softmax_cross_entropy(logits, labels, reduction)
        });
    }
}
