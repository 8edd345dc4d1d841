//! What holds for every network, on every adapter.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;
use wgrad::graph::{Graph, Home, Var};
use wgrad::plan::{AdapterProfile, Mode, PlanOptions};

use crate::planning::checker::{faults, peak};
use crate::planning::random_graph::recipes;
use crate::planning::{Planned, options, profiles};

/// Everything about a plan but where its buffers lie.
fn dispatches(planned: &Planned) -> Vec<String> {
    let calls = planned.plan.calls.iter().zip(&planned.recording.commands);
    calls
        .map(|(call, command)| {
            format!(
                "{} {} {:?} {:?} {:?} {:?} {:?} {}",
                command.node,
                command.shader.name,
                command.defines,
                command.constants,
                command.workgroups,
                call.buffers,
                call.writes,
                command.flops,
            )
        })
        .collect()
}

fn printed(planned: &Planned) -> String {
    let mut text = dispatches(planned).join("\n");
    let (plan, recording) = (&planned.plan, &planned.recording);
    write!(text, "{recording}{:?}{:?}", plan.buffers, plan.slot_of).unwrap();
    text
}

fn memory(planned: &Planned) -> usize {
    planned.recording.slots.iter().sum()
}

/// The slots of the buffers that need memory.
fn slots_used(planned: &Planned) -> Vec<usize> {
    let buffers = planned.plan.buffers.iter().zip(&planned.plan.slot_of);
    let whole = buffers.filter(|(info, _)| info.part_of.is_none());
    whole.filter_map(|(_, slot)| *slot).collect()
}

fn check(graph: &Graph, targets: &[Var], options: PlanOptions, adapter: &AdapterProfile) {
    let plan = |options| Planned::new(graph, targets, options, adapter).unwrap();
    let shared = plan(options);
    assert_eq!(
        faults(graph, targets, &shared, adapter),
        [""; 0],
        "{}",
        shared.recording
    );
    assert_eq!(printed(&shared), printed(&plan(options)), "not repeatable");

    let apart = plan(PlanOptions {
        reuse: false,
        ..options
    });
    assert_eq!(faults(graph, targets, &apart, adapter), [""; 0]);
    assert_eq!(dispatches(&shared), dispatches(&apart));
    let unfused = plan(PlanOptions {
        fuse: false,
        ..options
    });
    assert_eq!(faults(graph, targets, &unfused, adapter), [""; 0]);
    let own: BTreeSet<usize> = slots_used(&apart).into_iter().collect();
    assert_eq!(
        own.len(),
        slots_used(&apart).len(),
        "two values share memory"
    );
    assert_eq!(own.len(), apart.recording.slots.len());

    assert!(memory(&shared) <= memory(&apart));
    assert!(memory(&shared) >= peak(&shared));
    let whole = apart.plan.buffers.iter().filter(|b| b.part_of.is_none());
    let transient = whole.filter(|b| b.home == Home::Step);
    assert_eq!(
        apart.plan.transient_len(),
        transient.map(|b| b.len).sum::<usize>()
    );
    assert!(memory(&apart) <= apart.plan.transient_len());
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    ProptestConfig {
        cases: cases.unwrap_or(64),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_network_is_planned_soundly(recipe in recipes(12)) {
        let built = recipe.build();
        for adapter in profiles() {
            let training = options(recipe.batch, Mode::Training);
            check(&built.graph, &built.targets, training, &adapter);
            let evaluation = options(recipe.batch, Mode::Evaluation);
            check(&built.forward, &[built.response], evaluation, &adapter);
        }
    }
}

/// The property above is worth something only if its networks are large and their memory
/// is shared.
#[test]
fn random_networks_are_not_trivial() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut operators = BTreeSet::new();
    let (mut longest, mut saved) = (0, 0);
    for _ in 0..160 {
        let recipe = recipes(12).new_tree(&mut runner).unwrap().current();
        let built = recipe.build();
        operators.extend(built.graph.nodes().iter().map(|n| n.operator.name()));
        let training = PlanOptions {
            fuse: false,
            ..options(recipe.batch, Mode::Training)
        };
        let adapter = AdapterProfile::gpu();
        let planned = Planned::new(&built.graph, &built.targets, training, &adapter).unwrap();
        longest = longest.max(planned.plan.calls.len());
        saved += usize::from(2 * memory(&planned) < planned.plan.transient_len());
    }
    assert!(longest > 30, "the longest plan has {longest} calls");
    assert!(saved > 25, "memory is halved in {saved} plans");
    for stem in wgrad::ops::registry::OPERATORS {
        for operator in stem.operators {
            assert!(operators.contains(operator), "no network has {operator}");
        }
    }
}

/// A training step of a deep chain needs far less than all its values together, and the
/// evaluation of a chain no more than three neighbours, however deep it is.
#[test]
fn memory_of_a_chain() {
    use wgrad::ops::Conv2d;

    for adapter in profiles() {
        let depths = [4, 32].map(|depth| {
            let mut graph = Graph::new();
            let mut x = graph.input("x", [8, 16, 16]);
            for _ in 0..depth {
                x = graph.conv2d(x, Conv2d::new(8, 3).padding(1));
                x = graph.relu(x);
            }
            let options = options(2, Mode::Evaluation);
            memory(&Planned::new(&graph, &[x], options, &adapter).unwrap())
        });
        let value = 2 * 16 * 16 * 8;
        assert_eq!(depths, [2 * value; 2]);
    }
}
