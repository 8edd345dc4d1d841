//! Layers with sums over everything: linear, batch normalisation.

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
    for relu in [false, true] {
        cases.add(4, |graph| {
            let x = graph.input("x", [13, 8, 8]);
            let y = graph.batch_norm(x, BatchNorm::new().frozen(true));
            if relu { graph.relu(y) } else { y }
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
