//! Whole training steps of models S, M, R20 and R18: `cargo xtask bench`, or
//! `cargo bench -p wgrad-benches --bench steps`. The loss is checked before anything is timed.
#![allow(clippy::expect_used, missing_docs, reason = "a benchmark may stop")]

use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use wgrad::prelude::*;
use wgrad_benches::{medium, random_data, resnet18, resnet20, small};

/// Steps on one batch, after which its loss must have fallen.
const CHECKED_STEPS: usize = 10;

struct Case {
    name: &'static str,
    net: Network,
    shape: [usize; 3],
    classes: usize,
    batch: usize,
}

fn cases(cpu: bool) -> Vec<Case> {
    let case = |name, net, shape, classes, batch| Case {
        name,
        net,
        shape,
        classes,
        batch,
    };
    let batch = if cpu { 32 } else { 128 };
    let mut cases = vec![
        case("S", small(), [1, 28, 28], 10, 64),
        case("M", medium(), [3, 32, 32], 10, batch),
        case("R20", resnet20(), [3, 32, 32], 10, batch),
    ];
    match cpu {
        true => println!("R18 is skipped: its step of 340 GFLOP is no work for a CPU driver"),
        false => cases.push(case("R18", resnet18(), [3, 224, 224], 1000, 32)),
    }
    cases
}

fn steps(criterion: &mut Criterion) {
    let device = Device::open().expect("an adapter");
    println!("device: {}", device.description());
    for case in cases(device.profile().cpu) {
        time(criterion, &device, &case);
    }
}

fn time(criterion: &mut Criterion, device: &Device, case: &Case) {
    let data = random_data(case.shape, case.classes, case.batch).expect("well-formed data");
    let mut model = case.net.build(device, 42).expect("the network fits");
    let trainer = Trainer::new(Sgd::new(1e-3).momentum(0.9)).batch_size(case.batch);
    let mut training = trainer.start(&mut model, &data).expect("a training");
    for _ in 0..CHECKED_STEPS {
        training.step().expect("a step");
    }
    let losses = training.losses().expect("finite losses");
    let fell = losses[CHECKED_STEPS - 1] < losses[0];
    assert!(fell, "the loss falls: {losses:?}");

    let mut group = criterion.benchmark_group("step");
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(4))
        .throughput(Throughput::Elements(case.batch as u64))
        .bench_function(format!("{}/batch {}", case.name, case.batch), |bencher| {
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
