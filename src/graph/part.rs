//! A part of a graph as a graph of its own.

use super::naming::Names;
use super::{Graph, Home, Var};
use crate::error::{Error, Result};

/// A graph into which nodes of another are copied, with the inputs and parameters that they read.
pub(super) struct Part<'a> {
    old: &'a Graph,
    pub(super) graph: Graph,
    /// Where the values of the other graph are, by their number.
    places: Vec<Option<Var>>,
}

impl<'a> Part<'a> {
    /// Nothing yet.
    pub(super) fn of(old: &'a Graph) -> Self {
        Self {
            old,
            graph: Graph::new(),
            places: vec![None; old.values().len()],
        }
    }

    /// Copies a node behind those that compute its operands.
    pub(super) fn copy(&mut self, index: usize) -> Result<()> {
        let node = &self.old.nodes()[index];
        let operands = node.inputs.iter().map(|var| self.place(*var));
        let operands = operands.collect::<Result<Vec<_>>>()?;
        let operator = node.operator.clone();
        let results = self.graph.apply_all(&node.name, operator, &operands);
        for (from, to) in node.outputs.iter().zip(results) {
            self.graph.values[to.0].home = self.old.value(*from).home.clone();
            self.put(*from, to);
        }
        Ok(())
    }

    /// Where a value is; an input or parameter comes over when it is first asked for.
    pub(super) fn place(&mut self, var: Var) -> Result<Var> {
        if let Some(place) = self.places.get(var.0).copied().flatten() {
            return Ok(place);
        }
        let value = self.old.value(var);
        let parameter = self.old.parameters().iter().find(|p| p.var == var);
        let place = match (parameter, &value.home) {
            (Some(parameter), _) => self.graph.copy_parameter(parameter),
            (None, Home::Persistent { buffer, offset }) if value.producer.is_none() => {
                let value_type = value.value_type.clone();
                self.graph
                    .persistent(&value.name, value_type, buffer, *offset)
            }
            _ => {
                let reason = format!("`{}` is read, but not part of the network", value.name);
                return Err(Error::Invalid(reason));
            }
        };
        self.put(var, place);
        Ok(place)
    }

    /// Says that another value stands in for one of the old graph.
    pub(super) fn put(&mut self, old: Var, new: Var) {
        self.places[old.0] = Some(new);
    }

    /// The part, in which layers that are added are numbered after those that are there.
    pub(super) fn finish(mut self) -> Result<Graph> {
        let mut names = Names::default();
        for node in &self.graph.nodes {
            names.take(&node.name);
        }
        self.graph.names = names;
        self.graph.check()?;
        Ok(self.graph)
    }
}
