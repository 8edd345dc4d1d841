//! The graph of a training step: batch, forward, loss, backward, check, update.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::mixing;
use super::model::{Model, arena_len};
use super::rule::UpdateRule;
use super::samples::Source;
use super::trainer::Trainer;
use crate::autodiff;
use crate::error::{Error, Result};
use crate::graph::{Graph, Home, Parameter, Role, Var};
use crate::ops::batch_norm::running_pairs;
use crate::ops::copy::Copy;
use crate::ops::training::{Conclude, RunningAverage, Update};

/// A training graph, before planning.
pub(super) struct StepGraph {
    pub(super) graph: Graph,
    pub(super) loss: Var,
    /// The gradients of the trained parameters.
    pub(super) gradients: Vec<Var>,
    /// How many nodes belong to the forward pass and the loss.
    pub(super) forward_nodes: usize,
}

impl StepGraph {
    /// The computation of loss and gradients, without any change of state.
    pub(super) fn new(model: &Model, trainer: &Trainer, source: &Source) -> Result<Self> {
        let mut graph = model.graph.clone();
        let loss = &trainer.loss;
        let answer = loss.answer(&mut graph, model.output);
        let loss = match trainer.mixing.is_on() {
            true => {
                let ends = (model.input, model.output);
                mixing::apply(&mut graph, loss, ends, answer, source)
            }
            false => {
                source.connect(&mut graph, model.input, answer);
                loss.apply(&mut graph, model.output, answer).loss
            }
        };
        graph.check()?;
        let trained = model.parameters().iter().filter(|p| p.is_trained());
        let trained: Vec<&Parameter> = trained.collect();
        if trained.is_empty() {
            return Err(Error::Invalid(
                "there is nothing to train: the network has no parameters, or all are frozen"
                    .to_owned(),
            ));
        }
        let wrt: Vec<Var> = trained.iter().map(|p| p.var).collect();
        let forward_nodes = graph.nodes().len();
        let found = autodiff::gradients(&mut graph, loss, &wrt)?;
        let gradients = collect(&mut graph, &trained, &found);
        Ok(Self {
            graph,
            loss,
            gradients,
            forward_nodes,
        })
    }

    /// Adds the check, the update of the parameters and of the running averages.
    pub(super) fn with_update(mut self, rule: &Arc<dyn UpdateRule>) -> Result<Self> {
        let graph = &mut self.graph;
        let gradients = arena_len(graph, Role::Weight.arena());
        let batch_statistics = place_statistics(graph);
        let statistics = match batch_statistics.is_empty() {
            true => 0,
            false => arena_len(graph, Role::Statistic.arena()),
        };
        let of = |first: Var, others: &[Var]| [&[first][..], others].concat();
        let results = [self.gradients.as_slice(), &batch_statistics].concat();
        let conclude = Conclude {
            gradients,
            statistics,
        };
        let status = graph.apply("step", conclude, &of(self.loss, &results));
        graph.place(status, "status", 0);
        let update = Update {
            rule: rule.clone(),
            len: gradients,
        };
        graph.apply_all("update", Arc::new(update), &of(status, &self.gradients));
        if statistics > 0 {
            let average = RunningAverage { len: statistics };
            let operands = of(status, &batch_statistics);
            graph.apply_all("running_average", Arc::new(average), &operands);
        }
        graph.check()?;
        Ok(self)
    }
}

/// Batch statistics go where the running ones lie in their buffer, so that one dispatch moves
/// them all.
fn place_statistics(graph: &mut Graph) -> Vec<Var> {
    let mut placed = Vec::new();
    for pair in running_pairs(graph) {
        if let Home::Persistent { offset, .. } = graph.value(pair.running).home {
            graph.place(pair.batch_value, "batch_statistics", offset);
            placed.push(pair.batch_value);
        }
    }
    placed
}

/// Places every gradient in the buffer `gradients` where its parameter lies among the
/// parameters. One that something else reads, or that serves two parameters, is copied there.
fn collect(graph: &mut Graph, trained: &[&Parameter], found: &[Var]) -> Vec<Var> {
    let read: BTreeSet<Var> = graph
        .nodes()
        .iter()
        .flat_map(|n| n.inputs.clone())
        .collect();
    let mut placed = BTreeSet::new();
    let mut gradients = Vec::new();
    for (parameter, &gradient) in trained.iter().zip(found) {
        let movable = graph.value(gradient).home == Home::Step
            && !read.contains(&gradient)
            && placed.insert(gradient);
        let own = match movable {
            true => gradient,
            false => graph.apply(&format!("{}.gradient", parameter.name), Copy, &[gradient]),
        };
        graph.place(own, "gradients", parameter.offset);
        gradients.push(own);
    }
    gradients
}
