//! Neighbours that the planner fuses.

use wgrad::graph::Graph;
use wgrad::ops::conv2d::Variant;
use wgrad::ops::prelu::Prelu;
use wgrad::ops::{BatchNorm, Conv2d, LeakyRelu, MaxPool2d};

use super::Cases;

pub fn networks(cases: &mut Cases) {
    for pool in [MaxPool2d::new(2), MaxPool2d::new(3).stride(2).padding(1)] {
        cases.add(4, |graph| {
            let x = graph.input("x", [3, 12, 12]);
            let x = graph.conv2d(x, Conv2d::new(10, 3).padding(1));
            let x = graph.batch_norm(x, BatchNorm::new());
            let x = graph.relu(x);
            graph.max_pool2d(x, pool)
        });
        for prelu in [Prelu::per_channel(), Prelu::shared()] {
            cases.add(4, |graph| {
                let x = graph.input("x", [3, 12, 12]);
                let x = graph.conv2d(x, Conv2d::new(10, 3).padding(1));
                let x = graph.prelu(x, prelu);
                graph.max_pool2d(x, pool)
            });
        }
    }
    cases.add(4, residual);
    cases.add(8, |graph| {
        let x = graph.input("x", [8, 16, 16]);
        let x = graph.conv2d(x, Conv2d::new(8, 3).padding(1).variant(Variant::Winograd));
        graph.batch_norm(x, BatchNorm::new())
    });
    cases.add_forward(4, |graph| {
        let x = graph.input("x", [6, 9, 9]);
        let x = graph.conv2d(x, Conv2d::new(6, 3));
        let x = graph.leaky_relu(x, LeakyRelu::default());
        let x = graph.conv2d(x, Conv2d::new(6, 3));
        graph.prelu(x, Prelu::shared())
    });
}

fn residual(graph: &mut Graph) -> wgrad::graph::Var {
    let x = graph.input("x", [8, 12, 12]);
    let y = graph.conv2d(x, Conv2d::new(8, 3).padding(1).bias(false));
    let y = graph.batch_norm(y, BatchNorm::new());
    let y = graph.relu(y);
    let y = graph.conv2d(y, Conv2d::new(8, 3).padding(1).bias(false));
    let y = graph.batch_norm(y, BatchNorm::new());
    let y = graph.add(y, x);
    graph.relu(y)
}
