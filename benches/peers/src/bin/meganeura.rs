//! meganeura in the comparison: model P only. It has no PReLU, no batch normalisation and no
//! exact gradient of max pooling.

use meganeura::{Graph, SessionConfig};
use wgrad_peers::worker;

/// Uniform numbers between ±`bound`.
fn uniform(state: &mut u64, len: usize, bound: f32) -> Vec<f32> {
    let mut next = || {
        // Knuth's multiplier for MMIX; the upper bits are the good ones.
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (*state >> 40) as f32 / (1_u64 << 24) as f32
    };
    (0..len).map(|_| bound * (2.0 * next() - 1.0)).collect()
}

fn main() {
    let (workload, batch) = worker::task();
    assert_eq!(workload, "P", "meganeura's program has no other workload");

    let filters = [("conv1", 1, 32), ("conv2", 32, 64), ("conv3", 64, 128)];
    let mut graph = Graph::new();
    let images = graph.input("images", &[batch * 28 * 28]);
    let targets = graph.input("targets", &[batch, 10]);
    let mut x = images;
    let mut size = 28;
    for (name, inputs, outputs) in filters {
        let stride = if inputs == 1 { 1 } else { 2 };
        let weight = graph.parameter(name, &[outputs * inputs * 9]);
        let (n, i, o) = (batch as u32, inputs as u32, outputs as u32);
        x = graph.conv2d(x, weight, n, i, size, size, o, 3, 3, stride, 1);
        x = graph.relu(x);
        size /= stride;
    }
    let x = graph.global_avg_pool(x, batch as u32, 128, size * size);
    let weight = graph.parameter("linear.weight", &[128, 10]);
    let bias = graph.parameter("linear.bias", &[10]);
    let x = graph.matmul(x, weight);
    let logits = graph.bias_add(x, bias);
    let loss = graph.cross_entropy_loss(logits, targets);
    graph.set_outputs(vec![loss]);

    let mut session = meganeura::build(&graph, SessionConfig::from_env()).0;
    let mut state = 1;
    for (name, inputs, outputs) in filters {
        // He's law: variance 2 / fan-in.
        let bound = (6.0 / (inputs * 9) as f32).sqrt();
        let values = uniform(&mut state, outputs * inputs * 9, bound);
        session.set_parameter(name, &values);
    }
    session.set_parameter("linear.weight", &uniform(&mut state, 1280, 0.15));
    session.set_parameter("linear.bias", &[0.0; 10]);
    // Variance 1, as the other programs' data.
    let values = uniform(&mut state, batch * 28 * 28, 3.0_f32.sqrt());
    session.set_input("images", &values);
    let one_hot: Vec<f32> = (0..batch * 10)
        .map(|i| if (i / 10) % 10 == i % 10 { 1.0 } else { 0.0 })
        .collect();
    session.set_input("targets", &one_hot);

    worker::serve(|steps| {
        for _ in 0..steps {
            session.set_learning_rate(1e-4);
            session.step();
        }
        session.wait();
        session.read_loss()
    });
}
