//! The graph of a training step: batch, forward, loss, backward, check, update.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::mixing;
use super::model::{Model, arena_len};
use super::rule::Norms;
use super::samples::Source;
use super::trainer::Trainer;
use crate::autodiff;
use crate::error::{Error, Result};
use crate::graph::{BLOCK, Graph, Home, Parameter, Role, Var, aligned};
use crate::ops::batch_norm::{freeze_statistics, running_pairs};
use crate::ops::copy::Copy;
use crate::ops::training::{
    ACCUMULATED, Accumulate, Clip, Conclude, RunningAverage, Update, WeightAverage,
};
use crate::record::Recording;

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
        freeze_statistics(&mut graph);
        let loss = &trainer.loss;
        let answer = loss.answer(&mut graph, model.output);
        let loss = match trainer.mixing.is_on() {
            true => {
                let ends = (model.input, model.output);
                mixing::apply(&mut graph, trainer, ends, answer, source)
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

    /// Adds the check, and what the step changes: running averages, parameters, their average.
    pub(super) fn with_update(mut self, trainer: &Trainer) -> Result<Self> {
        let graph = &mut self.graph;
        let len = arena_len(graph, Role::Weight.arena());
        let batch_statistics = place_statistics(graph);
        let statistics = match batch_statistics.is_empty() {
            true => 0,
            false => arena_len(graph, Role::Statistic.arena()),
        };
        let group = trainer.micro_batches;
        let of = |first: Var, others: &[Var]| [&[first][..], others].concat();
        let results = [self.gradients.as_slice(), &batch_statistics].concat();
        let conclude = Conclude {
            gradients: len,
            statistics,
            group,
        };
        let status = graph.apply(CONCLUDE, conclude, &of(self.loss, &results));
        graph.place(status, "status", 0);
        let gradients_of_step = of(status, &self.gradients);
        if group > 1 {
            let accumulate = Accumulate { len, group };
            graph.apply_all(ACCUMULATE, Arc::new(accumulate), &gradients_of_step);
        }
        if statistics > 0 {
            let len = statistics;
            let average = RunningAverage { len, group };
            let operands = of(status, &batch_statistics);
            graph.apply_all(RUNNING_AVERAGE, Arc::new(average), &operands);
        }
        // What follows belongs to the last micro-batch of a step.
        let gradients = if group > 1 { ACCUMULATED } else { "gradients" };
        let clip = Clip {
            gradients,
            len,
            value: trainer.clip_value,
            norm: trainer.clip_norm,
        };
        if clip.value.is_some() || clip.norm.is_some() {
            graph.apply_all("clip", Arc::new(clip), &gradients_of_step);
        }
        let update = Update {
            gradients,
            spans: spans(graph, trainer.rule.norms()).len(),
            ..Update::new(trainer.rule.clone(), len)
        };
        graph.apply_all("update", Arc::new(update), &gradients_of_step);
        if trainer.average.is_some() {
            let average = WeightAverage {
                parameters: len,
                statistics,
            };
            graph.apply_all("average", Arc::new(average), &[status]);
        }
        graph.check()?;
        Ok(self)
    }
}

const CONCLUDE: &str = "step";
const ACCUMULATE: &str = "accumulate";
const RUNNING_AVERAGE: &str = "running_average";

/// How many commands of a step belong to every micro-batch; the others only to the last.
pub(super) fn commands_of_micro_batch(recording: &Recording) -> usize {
    let common = [CONCLUDE, ACCUMULATE, RUNNING_AVERAGE];
    let mut commands = recording.commands.iter();
    let last = commands.rposition(|c| common.contains(&c.node.as_str()));
    last.map_or(0, |last| last + 1)
}

/// `[first block, blocks]` of each trained parameter whose norms a rule reads.
pub(super) fn spans(graph: &Graph, norms: Norms) -> Vec<[u32; 2]> {
    let parameters = graph.parameters().iter().filter(|p| p.is_trained());
    parameters
        .filter(|p| norms.include(p.role))
        .map(|p| [p.offset, aligned(p.layout.size())].map(|elements| (elements / BLOCK) as u32))
        .collect()
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
