//! Where the first number that is not finite came from.

use super::model::Model;
use super::step::StepGraph;
use crate::error::Result;
use crate::graph::{Element, Home, Role, Var};
use crate::ops::batch_norm::running_pairs;
use crate::plan::{Mode, Plan, PlanOptions};
use crate::record::{Place, Recording, range};
use crate::run::{Memory, Program, ProgramOptions};

/// Runs the forward and backward pass again, no value sharing memory with another, and reads the
/// results in the order of computation. Gives the layer's path, and what of it is not finite.
pub(super) async fn first_not_finite(
    model: &Model,
    step: &StepGraph,
    shared: &[&Memory],
    batch: usize,
) -> Result<(String, &'static str)> {
    let options = PlanOptions {
        batch,
        mode: Mode::Training,
        fuse: false,
        reuse: false,
    };
    let mut targets = step.gradients.clone();
    targets.push(step.loss);
    targets.extend(running_pairs(&step.graph).iter().map(|p| p.batch_value));
    let (profile, shaders) = (model.device.profile(), model.device.shaders());
    let plan = Plan::new(&step.graph, &targets, options, profile, shaders)?;
    let recording = Recording::new(&plan, profile, shaders)?;
    let options = ProgramOptions::default();
    let program = Program::new(&model.device, &recording, shared, options).await?;
    program.run()?;
    let all_finite = async |var: Var| -> Result<bool> {
        let value = step.graph.value(var);
        let Some(buffer) = plan.buffer_of(var) else {
            return Ok(true);
        };
        let range = range(&plan, buffer);
        let numbers: Vec<f32> = match &range.place {
            _ if value.value_type.element == Element::U32 => return Ok(true),
            Place::Named(_) if !program.owns(&range.place) => {
                read_shared(model, shared, &value.home, range.len).await?
            }
            _ => program.read(&range).await?,
        };
        Ok(numbers.iter().all(|n| n.is_finite()))
    };
    for (index, node) in step.graph.nodes().iter().enumerate() {
        let backward = index >= step.forward_nodes;
        // A parameter that is not finite was set so by hand, or by a rule that overflowed: every
        // layer after it is only a consequence. Running statistics have none in training.
        for input in node.inputs.iter().filter(|_| !backward) {
            let value = step.graph.value(*input);
            let mut learned = model
                .parameters()
                .iter()
                .filter(|p| p.role != Role::Statistic);
            let is_parameter = learned.any(|p| p.name == value.name);
            if is_parameter && !all_finite(*input).await? {
                return Ok((value.name.clone(), "the value"));
            }
        }
        for &output in &node.outputs {
            if !all_finite(output).await? {
                return Ok(match backward {
                    false => (node.name.clone(), "the response"),
                    true => (layer_of(&node.name), "the gradient"),
                });
            }
        }
    }
    Ok(("the update".to_owned(), "a number"))
}

async fn read_shared(
    model: &Model,
    shared: &[&Memory],
    home: &Home,
    len: usize,
) -> Result<Vec<f32>> {
    if let Home::Persistent { buffer, offset } = home {
        for memory in shared {
            if memory.get(buffer).is_some() {
                return memory.read(&model.device, buffer, *offset, len).await;
            }
        }
    }
    Ok(Vec::new())
}

/// Nodes of the backward pass are named `<layer>.<operator>`.
fn layer_of(node: &str) -> String {
    match node.rsplit_once('.') {
        Some((layer, _)) => layer.to_owned(),
        None => node.to_owned(),
    }
}
