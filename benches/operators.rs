//! The three passes of convolutions, with their rates: `cargo bench -p wgrad-benches --bench operators`.
//! The parity suite checks the same kernels; here each result is only checked to be finite.
#![allow(clippy::expect_used, missing_docs, reason = "a benchmark may stop")]

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wgrad::autodiff::gradients_from;
use wgrad::graph::{Graph, Var};
use wgrad::init::sample_from;
use wgrad::ops::Conv2d;
use wgrad::random::{Seed, StandardNormal};
use wgrad::{Device, Session, SessionOptions};

/// Name, batch, input channels, output channels, rows and columns; 3×3 with padding 1.
const CONVOLUTIONS: [(&str, usize, usize, usize, usize); 4] = [
    ("1-32 28x28 b64", 64, 1, 32, 28),
    ("32-64 14x14 b64", 64, 32, 64, 14),
    ("64-64 28x28 b16", 16, 64, 64, 28),
    ("64-64 32x32 b32", 32, 64, 64, 32),
];

fn convolutions(criterion: &mut Criterion) {
    let device = Device::open().expect("an adapter");
    println!("device: {}", device.description());
    for (name, batch, inputs, outputs, size) in CONVOLUTIONS {
        let mut graph = Graph::new();
        let x = graph.input("x", [inputs, size, size]);
        let y = graph.conv2d(x, Conv2d::new(outputs, 3).padding(1).bias(false));
        let dy = graph.input("dy", [outputs, size, size]);
        let w = graph.find_parameter("weight").expect("the filters");
        let deltas = gradients_from(&mut graph, &[(y, dy)], &[x, w]).expect("gradients");
        let flops = 2 * batch * outputs * inputs * size * size * 9;
        let passes = [
            ("forward", y),
            ("input gradient", deltas[0]),
            ("filter gradient", deltas[1]),
        ];
        for (pass, target) in passes {
            let session = Session::new(&device, &graph, &[target], SessionOptions::training(batch))
                .expect("a session");
            fill(&session, &graph, &[x, dy, w], batch);
            time(
                criterion,
                &format!("{pass} {name}"),
                &session,
                target,
                flops as u64,
            );
        }
    }
}

fn fill(session: &Session, graph: &Graph, inputs: &[Var], batch: usize) {
    for &var in inputs.iter().filter(|var| session.keeps(**var)) {
        let len = graph.type_of(var).logical_len(batch);
        let values = sample_from(&StandardNormal, len, Seed(1), "values");
        session.set(var, &values).expect("values of this length");
    }
}

fn time(criterion: &mut Criterion, name: &str, session: &Session, target: Var, flops: u64) {
    session.run().expect("a run");
    let result = session.get(target).expect("a result");
    assert!(result.iter().all(|v| v.is_finite()) && result.iter().any(|v| *v != 0.0));
    let mut group = criterion.benchmark_group("conv2d");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .throughput(Throughput::Elements(flops))
        .bench_function(name, |bencher| {
            bencher.iter_custom(|count| {
                let start = Instant::now();
                for _ in 0..count {
                    session.run().expect("a run");
                }
                session.wait().expect("the device");
                start.elapsed()
            });
        });
    group.finish();
}

criterion_group!(benches, convolutions);
criterion_main!(benches);
