//! A steady step takes no memory.

use std::process::Command;

use wgrad::autodiff;
use wgrad::graph::{Graph, Var};
use wgrad::ops::Reduction;
use wgrad::plan::{Mode, Plan, PlanOptions};
use wgrad::shader::Shaders;
use wgrad::train::{Sgd, Trainer};

use super::setup::{digits, varied};
use crate::support::gpu::device;

/// Set in the child process that does the steps.
const CHILD: &str = "WGRAD_TEST_STEADY";

/// Bytes of this process that lie in memory.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// 2,000 steps; prints the memory after the first hundred and after the last.
fn train() {
    let device = device().unwrap();
    let data = digits(64);
    let mut model = varied().build(device, 1).unwrap();
    let trainer = Trainer::new(Sgd::new(0.01).momentum(0.9)).batch_size(8);
    let mut training = trainer.start(&mut model, &data).unwrap();
    let mut take = |steps: usize| {
        for _ in 0..steps {
            training.step().unwrap();
        }
        // Waits for the device.
        assert_eq!(training.losses().unwrap().len(), steps);
        resident()
    };
    let (early, late) = (take(100), take(1900));
    println!("resident {early} {late}");
}

/// In a process of its own: other tests would change what is measured.
#[test]
#[cfg(target_os = "linux")]
fn two_thousand_steps_take_no_more_memory_than_a_hundred() {
    if std::env::var_os(CHILD).is_some() {
        return train();
    }
    if device().is_none() {
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["steady::two_thousand", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}");
    let (_, line) = stdout.split_once("resident ").unwrap();
    let mut numbers = line.split_whitespace().map(|n| n.parse::<u64>());
    let [early, late] = [(); 2].map(|()| numbers.next().unwrap().unwrap());
    assert!(
        late as f64 <= 1.01 * early as f64,
        "{early} bytes after 100 steps, {late} after 2000"
    );
}

/// The gradients of all parameters of the network.
fn backward() -> (Graph, Vec<Var>) {
    let (mut graph, _, output) = varied().graph().unwrap();
    let labels = graph.labels("labels");
    let loss = graph
        .softmax_cross_entropy(output, labels, Reduction::Mean)
        .loss;
    let trained = graph.parameters().iter().filter(|p| p.is_trained());
    let wrt: Vec<Var> = trained
        .map(|p| p.name.clone())
        .map(|name| graph.find_parameter(&name).unwrap())
        .collect();
    let gradients = autodiff::gradients(&mut graph, loss, &wrt).unwrap();
    (graph, gradients)
}

#[test]
fn values_share_memory() {
    let Some(device) = device() else { return };
    let (graph, gradients) = backward();
    let shaders = Shaders::new().unwrap();
    let plan = |reuse: bool| {
        let options = PlanOptions {
            batch: 8,
            mode: Mode::Training,
            fuse: true,
            reuse,
        };
        Plan::new(&graph, &gradients, options, device.profile(), &shaders).unwrap()
    };
    let total = |plan: &Plan| plan.slots.iter().sum::<usize>();
    let (shared, separate) = (plan(true), plan(false));
    assert!(total(&shared) < shared.transient_len());
    assert!(
        3 * total(&shared) < 2 * total(&separate),
        "{} elements against {}",
        total(&shared),
        total(&separate)
    );
}
