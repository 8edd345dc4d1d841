//! What the tests of planning and of shaders share. None of it needs a GPU.
//!
//! * [`cases`]: every operator with shapes and attributes that reach all its kernels.
//! * [`random_graph`]: networks that nobody would think of.
//! * [`checker`]: what must hold for any plan, found out without the planner's own means.

#![allow(dead_code, reason = "each test uses a part")]

pub mod cases;
pub mod checker;
pub mod random_graph;

use std::sync::LazyLock;

use wgrad::graph::{Element, Graph, Role, Var};
use wgrad::plan::{AdapterProfile, Mode, Plan, PlanOptions};
use wgrad::record::Recording;
use wgrad::shader::Shaders;

/// One composer for all tests of a program, since it keeps what it composed.
pub static SHADERS: LazyLock<Shaders> = LazyLock::new(|| Shaders::new().unwrap());

/// The adapters for which kernels are chosen differently.
pub fn profiles() -> [AdapterProfile; 3] {
    let (cpu, gpu) = (AdapterProfile::cpu(), AdapterProfile::gpu());
    [cpu.clone(), gpu, cpu.with_subgroup(8)]
}

/// A plan with its recording.
#[derive(Clone, Debug)]
pub struct Planned {
    pub plan: Plan,
    pub recording: Recording,
}

impl Planned {
    pub fn new(
        graph: &Graph,
        targets: &[Var],
        options: PlanOptions,
        adapter: &AdapterProfile,
    ) -> wgrad::Result<Self> {
        let plan = Plan::new(graph, targets, options, adapter, &SHADERS)?;
        Self::record(plan, adapter)
    }

    /// Records a plan, which may have been tampered with.
    pub fn record(plan: Plan, adapter: &AdapterProfile) -> wgrad::Result<Self> {
        let recording = Recording::new(&plan, adapter, &SHADERS)?;
        Ok(Self { plan, recording })
    }
}

/// With shared memory.
pub fn options(batch: usize, mode: Mode) -> PlanOptions {
    PlanOptions {
        batch,
        mode,
        fuse: true,
        reuse: true,
    }
}

/// The inputs and learned parameters that can have a gradient: not labels, not running
/// averages, and no input whose name says that it is a target or a factor.
pub fn differentiable(graph: &Graph) -> Vec<Var> {
    let statistics: Vec<Var> = graph
        .parameters()
        .iter()
        .filter(|p| p.role == Role::Statistic)
        .map(|p| p.var())
        .collect();
    inputs_of(graph)
        .filter(|var| {
            let value = graph.value(*var);
            let fixed = ["target", "factor"]
                .iter()
                .any(|f| value.name.starts_with(f));
            value.value_type.element == Element::F32 && !fixed && !statistics.contains(var)
        })
        .collect()
}

/// Everything that the nodes read and none of them computes.
fn inputs_of(graph: &Graph) -> impl Iterator<Item = Var> {
    let mut inputs: Vec<Var> = graph
        .nodes()
        .iter()
        .flat_map(|node| &node.inputs)
        .filter(|var| graph.value(**var).producer.is_none())
        .copied()
        .collect();
    inputs.sort();
    inputs.dedup();
    inputs.into_iter()
}
