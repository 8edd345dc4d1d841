//! The checker must find what is wrong: plans are tampered with, one fault each.

use wgrad::graph::{Graph, Home, Var};
use wgrad::ops::loss::Reduction;
use wgrad::ops::{BatchNorm, Conv2d, Linear};
use wgrad::plan::{AdapterProfile, Mode, Plan};

use crate::planning::checker::{alive_together, faults};
use crate::planning::{Planned, differentiable, options};

const ADAPTER: AdapterProfile = AdapterProfile::gpu();

/// A small residual network with a loss and all gradients.
fn network() -> (Graph, Vec<Var>) {
    let mut graph = Graph::new();
    let x = graph.input("x", [3, 8, 8]);
    let a = graph.conv2d(x, Conv2d::new(6, 3).padding(1));
    let b = graph.relu(a);
    let b = graph.conv2d(b, Conv2d::new(6, 3).padding(1).bias(false));
    let b = graph.batch_norm(b, BatchNorm::new());
    let c = graph.add(a, b);
    let c = graph.flatten(c);
    let c = graph.linear(c, Linear::new(5));
    let labels = graph.labels("labels");
    let values = graph.softmax_cross_entropy(c, labels, Reduction::Mean);
    let wrt = differentiable(&graph);
    let deltas = wgrad::autodiff::gradients(&mut graph, values.loss, &wrt).unwrap();
    let targets = [values.loss].into_iter().chain(deltas).collect();
    (graph, targets)
}

/// What the checker says of the network's plan after `tamper`.
fn faults_after(tamper: impl FnOnce(&mut Plan)) -> Vec<String> {
    let (graph, targets) = network();
    let options = options(2, Mode::Training);
    let mut planned = Planned::new(&graph, &targets, options, &ADAPTER).unwrap();
    tamper(&mut planned.plan);
    let planned = Planned::record(planned.plan, &ADAPTER).unwrap();
    faults(&graph, &targets, &planned, &ADAPTER)
}

#[track_caller]
fn assert_found(faults: &[String], words: &str) {
    assert!(
        faults.iter().any(|fault| fault.contains(words)),
        "{words:?} is not among {faults:?}"
    );
}

/// The call that computes a node, and the place among its buffers of the first that it reads
/// (or writes) and that is transient.
fn bound(plan: &Plan, node: &str, writes: bool) -> (usize, usize) {
    let call = plan.calls.iter().position(|c| c.node == node).unwrap();
    let buffers = plan.calls[call]
        .buffers
        .iter()
        .zip(&plan.calls[call].writes);
    let fits = |(buffer, w): (&wgrad::plan::BufferId, &bool)| {
        *w == writes && plan.buffers[buffer.index()].home == Home::Step
    };
    (call, buffers.into_iter().position(fits).unwrap())
}

#[test]
fn an_untouched_plan_has_no_fault() {
    assert_eq!(faults_after(|_| {}), [""; 0]);
}

/// Every wrong slot assignment that there is: each pair of values that are alive together.
#[test]
fn two_live_values_in_one_slot() {
    let (graph, targets) = network();
    let options = options(2, Mode::Training);
    let sound = Planned::new(&graph, &targets, options, &ADAPTER).unwrap();
    let pairs = alive_together(&sound);
    assert!(pairs.len() > 100, "{} pairs", pairs.len());
    for [a, b] in pairs {
        let mut plan = sound.plan.clone();
        plan.slot_of[a] = plan.slot_of[b];
        // Large enough, so that sharing is the only fault.
        for slot in &mut plan.slots {
            *slot = 1 << 20;
        }
        let planned = Planned::record(plan, &ADAPTER).unwrap();
        assert_found(
            &faults(&graph, &targets, &planned, &ADAPTER),
            "share a slot",
        );
    }
}

#[test]
fn a_slot_too_small() {
    for slot in 0..4 {
        assert_found(&faults_after(|plan| plan.slots[slot] -= 1), "does not fit");
    }
}

#[test]
fn a_value_without_a_slot() {
    let faults = faults_after(|plan| {
        let (call, place) = bound(plan, "relu1", true);
        let buffer = plan.calls[call].buffers[place].index();
        plan.slot_of[buffer] = None;
    });
    assert_found(&faults, "`relu1` has no slot");
}

#[test]
fn a_buffer_shorter_than_its_value() {
    let faults = faults_after(|plan| {
        let (call, place) = bound(plan, "relu1", true);
        plan.buffers[plan.calls[call].buffers[place].index()].len -= 4;
    });
    assert_found(&faults, "`relu1` needs 1024 elements and has 1020");
}

#[test]
fn a_parameter_that_is_not_aligned() {
    let faults = faults_after(|plan| {
        for buffer in &mut plan.buffers {
            if let Home::Persistent { offset, .. } = &mut buffer.home {
                *offset += 32;
            }
        }
    });
    assert_found(&faults, "`conv1.weight` begins at 32, which is not aligned");
    assert_found(&faults, "is not in its place");
}

#[test]
fn a_call_left_out() {
    let faults = faults_after(|plan| {
        let (call, _) = bound(plan, "relu1", true);
        plan.calls.remove(call);
    });
    assert_found(&faults, "`relu1` is read before it is written");
}

#[test]
fn calls_in_the_wrong_order() {
    let faults = faults_after(|plan| {
        let (call, _) = bound(plan, "relu1", true);
        plan.calls.swap(call, call - 1);
    });
    assert_found(&faults, "`conv1` is read before it is written");
}

#[test]
fn a_dispatch_that_reads_what_it_writes() {
    let faults = faults_after(|plan| {
        let (call, read) = bound(plan, "relu1", false);
        let (_, written) = bound(plan, "relu1", true);
        plan.calls[call].buffers[read] = plan.calls[call].buffers[written];
    });
    assert_found(&faults, "reads and writes slot");
}

#[test]
fn a_dispatch_that_writes_one_place_twice() {
    let faults = faults_after(|plan| {
        let twice = |c: &&mut wgrad::plan::Call| c.writes.iter().filter(|w| **w).count() > 1;
        let call = plan.calls.iter_mut().find(twice).unwrap();
        let written: Vec<usize> = (0..call.writes.len()).filter(|i| call.writes[*i]).collect();
        call.buffers[written[1]] = call.buffers[written[0]];
    });
    assert_found(&faults, "writes slot");
}

#[test]
fn a_wrong_list_of_what_is_written() {
    let faults = faults_after(|plan| {
        let (call, written) = bound(plan, "relu1", true);
        plan.calls[call].writes[written] = false;
    });
    assert_found(&faults, "does not know whether it writes");
}

#[test]
fn a_buffer_too_few() {
    let faults = faults_after(|plan| {
        plan.calls[0].buffers.pop();
        plan.calls[0].writes.pop();
    });
    assert_found(&faults, "binds other buffers than its shader declares");
}

#[test]
fn a_target_that_is_not_planned() {
    let (graph, targets) = network();
    let options = options(2, Mode::Training);
    let planned = Planned::new(&graph, &targets[..1], options, &ADAPTER).unwrap();
    let faults = faults(&graph, &targets, &planned, &ADAPTER);
    assert_found(&faults, "is not planned");
}

#[test]
fn more_than_the_adapter_allows() {
    let (graph, targets) = network();
    let options = options(2, Mode::Training);
    let planned = Planned::new(&graph, &targets, options, &ADAPTER).unwrap();
    let mut small = AdapterProfile::gpu();
    (small.max_storage_buffers, small.max_workgroups) = (2, 1);
    let faults = faults(&graph, &targets, &planned, &small);
    assert_found(&faults, "binds 3 storage buffers");
    assert_found(&faults, "workgroups");
}
