//! Gradients by a reverse walk over the graph that names no operator.
//!
//! Every operator says its gradient as graph nodes, so that gradients are ordinary
//! operators and everything after this stage sees one graph.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::graph::{Graph, Node, Var};
use crate::ops::Operator;
use crate::ops::add::Add;
use crate::ops::ones::Ones;
use std::sync::Arc;

/// Adds the nodes that compute δ, the gradient of `loss`, for every value of `wrt`, in order.
///
/// # Errors
/// [`Error::Layer`] when an operator on the way has no gradient, [`Error::Invalid`] when the
/// loss is not one number or does not depend on one of `wrt`.
pub fn gradients(graph: &mut Graph, loss: Var, wrt: &[Var]) -> Result<Vec<Var>> {
    let loss_type = graph.type_of(loss);
    if loss_type.batched || loss_type.shape.elements() != 1 {
        return Err(Error::Invalid(format!(
            "a loss is one number; `{}` has shape {}{}",
            graph.value(loss).name,
            loss_type.shape,
            if loss_type.batched { " per sample" } else { "" },
        )));
    }
    let one = graph.apply("loss.delta", Ones, &[loss]);
    gradients_from(graph, &[(loss, one)], wrt)
}

/// As [`gradients`], from given δ of any values: pairs of a value and its δ.
///
/// # Errors
/// As [`gradients`].
pub fn gradients_from(graph: &mut Graph, seeds: &[(Var, Var)], wrt: &[Var]) -> Result<Vec<Var>> {
    let forward = graph.nodes().len();
    let active = active_values(graph, wrt, forward);
    let mut deltas: Vec<Vec<Var>> = vec![Vec::new(); graph.values().len()];
    for &(value, delta) in seeds {
        deltas[value.0].push(delta);
    }
    for index in (0..forward).rev() {
        let node = graph.nodes()[index].clone();
        if !node.outputs.iter().any(|o| active.contains(o)) {
            continue;
        }
        let output_deltas: Vec<Option<Var>> = node
            .outputs
            .iter()
            .map(|o| sum(graph, &node.name, &mut deltas[o.0]))
            .collect();
        if output_deltas.iter().all(Option::is_none) {
            continue;
        }
        for (input, delta) in backward(graph, &node, output_deltas, &active)? {
            deltas[input.0].push(delta);
        }
    }
    wrt.iter()
        .map(|value| {
            let name = graph.value(*value).name.clone();
            sum(graph, &name, &mut deltas[value.0])
                .ok_or_else(|| Error::Invalid(format!("the loss does not depend on `{name}`")))
        })
        .collect()
}

/// The values on a way from `wrt`: only these need a δ.
fn active_values(graph: &Graph, wrt: &[Var], nodes: usize) -> BTreeSet<Var> {
    let mut active: BTreeSet<Var> = wrt.iter().copied().collect();
    for node in &graph.nodes()[..nodes] {
        if node.inputs.iter().any(|i| active.contains(i)) {
            active.extend(&node.outputs);
        }
    }
    active
}

/// Adds up the contributions to one δ, in the order in which they were found.
fn sum(graph: &mut Graph, name: &str, contributions: &mut Vec<Var>) -> Option<Var> {
    let total = contributions
        .drain(..)
        .reduce(|total, next| graph.apply(&format!("{name}.delta_sum"), Add, &[total, next]))?;
    contributions.push(total);
    Some(total)
}

fn backward(
    graph: &mut Graph,
    node: &Node,
    output_deltas: Vec<Option<Var>>,
    active: &BTreeSet<Var>,
) -> Result<Vec<(Var, Var)>> {
    let mut cx = Backward {
        graph,
        node,
        output_deltas,
        active,
        found: Vec::new(),
    };
    node.operator
        .gradient(&mut cx)
        .map_err(|reason| Error::Layer {
            layer: node.name.clone(),
            operator: node.operator.name(),
            reason,
        })?;
    Ok(cx.found)
}

/// What an operator sees when it says its gradient.
pub struct Backward<'a> {
    graph: &'a mut Graph,
    node: &'a Node,
    output_deltas: Vec<Option<Var>>,
    active: &'a BTreeSet<Var>,
    found: Vec<(Var, Var)>,
}

impl Backward<'_> {
    /// The operand `index`.
    pub fn input(&self, index: usize) -> Var {
        self.node.inputs[index]
    }

    /// The number of operands.
    pub fn inputs(&self) -> usize {
        self.node.inputs.len()
    }

    /// The result `index` of the forward pass.
    pub fn output(&self, index: usize) -> Var {
        self.node.outputs[index]
    }

    /// δ of the result `index`; `None` where the loss does not depend on it.
    pub fn delta(&self, index: usize) -> Option<Var> {
        self.output_deltas[index]
    }

    /// δ of the first result.
    ///
    /// # Errors
    /// When the loss depends on another result only.
    pub fn output_delta(&self) -> Result<Var, String> {
        self.delta(0)
            .ok_or_else(|| "the loss does not depend on its first result".to_owned())
    }

    /// Whether δ of operand `index` is wanted; a frozen parameter's is not.
    pub fn wants(&self, index: usize) -> bool {
        self.active.contains(&self.node.inputs[index])
    }

    /// Whether a δ is the constant 1 of the loss itself.
    pub fn is_unit(&self, delta: Var) -> bool {
        self.graph
            .value(delta)
            .producer
            .is_some_and(|node| self.graph.nodes()[node].operator.name() == "ones")
    }

    /// The type of a value.
    pub fn type_of(&self, var: Var) -> crate::graph::ValueType {
        self.graph.type_of(var).clone()
    }

    /// Applies an operator of the backward pass and gives its first result.
    pub fn apply(&mut self, operator: impl Operator, inputs: &[Var]) -> Var {
        self.apply_all(operator, inputs)[0]
    }

    /// Applies an operator of the backward pass and gives all its results.
    pub fn apply_all(&mut self, operator: impl Operator, inputs: &[Var]) -> Vec<Var> {
        let name = format!("{}.{}", self.node.name, operator.name());
        self.graph.apply_all(&name, Arc::new(operator), inputs)
    }

    /// Gives δ of operand `index`.
    pub fn set(&mut self, index: usize, delta: Var) {
        self.found.push((self.node.inputs[index], delta));
    }
}
