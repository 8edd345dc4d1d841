//! What a training takes besides the device's time: the host's time for a step, memory over many
//! steps, and planned device memory. `cargo xtask bench`, or with a number of steps
//! `cargo bench -p wgrad-benches --bench footprint -- 2000`.
#![allow(clippy::expect_used, missing_docs, reason = "a benchmark may stop")]

use std::time::Instant;

use cpu_time::ThreadTime;
use wgrad::prelude::*;
use wgrad::record::Recording;
use wgrad_benches::{medium, random_data, small};

const MIB: f64 = (1 << 20) as f64;
const BATCH: usize = 64;

/// Steps after which caches are full and memory must no longer grow.
const SETTLED: usize = 100;
/// Growth after that, above which this program fails.
const GROWTH: f64 = 0.01;

fn main() {
    let device = Device::open().expect("an adapter");
    println!("device: {}", device.description());
    let cpu = device.profile().cpu;
    // Cargo adds words of its own, such as `--bench`.
    let asked = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let steps = asked.unwrap_or(if cpu { 300 } else { 2000 });
    small_model(&device, steps);
    planned_memory(&device, if cpu { 32 } else { 128 });
}

fn small_model(device: &Device, steps: usize) {
    // Several batches: the host writes a new order once an epoch, not at every step.
    let data = random_data([1, 28, 28], 10, 64 * BATCH).expect("well-formed data");
    let trainer = Trainer::new(Sgd::new(1e-3).momentum(0.9)).batch_size(BATCH);
    let mut model = small().build(device, 42).expect("the network fits");
    let mut training = trainer.start(&mut model, &data).expect("a training");

    let mut step = || {
        let (start, busy) = (Instant::now(), ThreadTime::now());
        training.step().expect("a step");
        let host = [start.elapsed(), busy.elapsed()];
        training.losses().expect("finite losses");
        host.map(|time| time.as_secs_f64() * 1e6)
    };
    // The first ones fill pools.
    let all: Vec<[f64; 2]> = (0..SETTLED).map(|_| step()).collect();
    let [mut micros, busy] =
        [0, 1].map(|i| all[20..].iter().map(|host| host[i]).collect::<Vec<_>>());
    micros.sort_by(f64::total_cmp);
    let mean = |times: &[f64]| times.iter().sum::<f64>() / times.len() as f64;
    let at = |part: usize| micros[part * (micros.len() - 1) / 10];
    // Another thread records the commands. It and a CPU driver's threads, woken by the submission, take
    // the processor away: that counts as time, not as this thread's work.
    println!(
        "S, batch {BATCH}: {:.0} µs of the training's thread to submit a step to an idle device, {:.0} \
         of them at work (means; tenth {:.0}, median {:.0}, nine tenths {:.0})",
        mean(&micros),
        mean(&busy),
        at(1),
        at(5),
        at(9)
    );

    let Some(settled) = resident() else {
        println!("S, batch {BATCH}: resident memory is not measured on this system");
        return;
    };
    let mut most = settled;
    for done in SETTLED..steps {
        training.step().expect("a step");
        if done % 50 == 0 || done + 1 == steps {
            training.losses().expect("finite losses");
            most = most.max(resident().unwrap_or(0.0));
        }
    }
    let growth = most / settled - 1.0;
    println!(
        "S, batch {BATCH}: {:.1} MiB resident after step {SETTLED}, at most {:.1} MiB up to step \
         {steps}: {:+.2} %",
        settled / MIB,
        most / MIB,
        100.0 * growth
    );
    assert!(growth <= GROWTH, "resident memory grows");
}

/// Bytes of this process that are in memory. On a CPU driver the device's are among them.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0)
}

fn planned_memory(device: &Device, batch: usize) {
    let data = random_data([3, 32, 32], 10, batch).expect("well-formed data");
    let trainer = Trainer::new(Sgd::new(1e-3).momentum(0.9)).batch_size(batch);
    let mut model = medium().build(device, 42).expect("the network fits");
    let training = trainer.start(&mut model, &data).expect("a training");
    let Recording {
        slots,
        values,
        named,
        ..
    } = training.recording();
    let mib = |elements: usize| 4.0 * elements as f64 / MIB;
    let planned: usize = slots.iter().sum();
    println!(
        "M, batch {batch}: {:.1} MiB in {} slots hold values of {:.1} MiB ({:.0} %); {:.1} MiB \
         outlive a step (parameters, momentum, data set)",
        mib(planned),
        slots.len(),
        mib(*values),
        100.0 * planned as f64 / *values as f64,
        mib(named.values().sum())
    );
}
