//! Whole training steps of the models S and M: `cargo xtask bench`, or
//! `cargo bench -p wgrad-benches --bench steps`. The loss is checked before anything is timed.
#![allow(clippy::expect_used, missing_docs, reason = "a benchmark may stop")]

mod common;

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wgrad::prelude::*;

fn steps(criterion: &mut Criterion) {
    let device = Device::open().expect("an adapter");
    println!("device: {}", device.description());
    let cpu = device.profile().cpu;
    time(criterion, &device, "S", &common::small(), [1, 28, 28], 64);
    let batch = if cpu { 32 } else { 128 };
    time(
        criterion,
        &device,
        "M",
        &common::medium(),
        [3, 32, 32],
        batch,
    );
}

fn time(
    criterion: &mut Criterion,
    device: &Device,
    name: &str,
    net: &Network,
    shape: [usize; 3],
    batch: usize,
) {
    let data = common::random_data(shape, batch);
    let mut model = net.build(device, 42).expect("the network fits");
    let trainer = Trainer::new(Sgd::new(1e-4).momentum(0.9)).batch_size(batch);
    let mut training = trainer.start(&mut model, &data).expect("a training");
    for _ in 0..20 {
        training.step().expect("a step");
    }
    let losses = training.losses().expect("finite losses");
    assert!(losses[19] < losses[0], "the loss falls: {losses:?}");

    let mut group = criterion.benchmark_group("step");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .throughput(Throughput::Elements(batch as u64))
        .bench_function(format!("{name}/batch {batch}"), |bencher| {
            bencher.iter_custom(|count| {
                let start = Instant::now();
                for _ in 0..count {
                    training.step().expect("a step");
                }
                training.losses().expect("finite losses");
                start.elapsed()
            });
        });
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
