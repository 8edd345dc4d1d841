//! Fewer passes over memory: neighbouring operators become one where nobody else reads what
//! passes between them. Comes after differentiation and before planning, and is a pure function
//! of the graph, so that no model is written with its fusions in mind.
//!
//! Four kinds:
//! - the *epilogue*: residual sums and rectifiers move into the kernel whose result they take
//!   ([`Epilogue`]);
//! - *pooling*: a rectifier, and the normalisation before it, move into the load of a max
//!   pooling behind them, and their gradients into the gradient of the pooling;
//! - the *gradients* of a rectifier move into the load of δ of the normalisation before it, and
//!   the gradient of a bias into the pass that computes its δ;
//! - the *statistics* of a batch normalisation are left by the convolution before it, where its
//!   kernel can.

mod epilogue;
mod gradient;
mod pooling;
mod statistics;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use epilogue::{Epilogue, Rectifier};

use crate::graph::{Graph, Home, Node, Var};
use crate::ops::Operator;
use crate::plan::Mode;

/// A node of the fused graph.
#[derive(Clone, Debug)]
pub(crate) struct Fused {
    pub(crate) node: Node,
    pub(crate) epilogue: Epilogue,
    /// Whether statistics of its first result are welcome.
    pub(crate) statistics: bool,
    /// The names of all layers that it computes.
    pub(crate) label: String,
}

impl Fused {
    fn plain(node: &Node) -> Self {
        Self {
            node: node.clone(),
            epilogue: Epilogue::default(),
            statistics: false,
            label: node.name.clone(),
        }
    }

    /// Everything that it reads.
    pub(crate) fn reads(&self) -> impl Iterator<Item = Var> + '_ {
        self.node.inputs.iter().copied().chain(self.epilogue.vars())
    }
}

/// The nodes `order` of the graph, as they are.
pub(crate) fn plain(graph: &Graph, order: &[usize]) -> Vec<Fused> {
    let nodes = order.iter().map(|&index| &graph.nodes()[index]);
    nodes.map(Fused::plain).collect()
}

/// The nodes `order` of the graph with neighbours fused. `targets` are read from outside.
pub(crate) fn fuse(graph: &Graph, order: &[usize], targets: &[Var], mode: Mode) -> Vec<Fused> {
    let mut fuser = Fuser {
        graph,
        mode,
        targets: targets.iter().copied().collect(),
        nodes: plain(graph, order).into_iter().map(Some).collect(),
        readers: BTreeMap::new(),
        producers: BTreeMap::new(),
    };
    fuser.index();
    for index in 0..fuser.nodes.len() {
        fuser.fuse_pooling(index);
    }
    for index in 0..fuser.nodes.len() {
        fuser.fuse_epilogue(index);
        fuser.fuse_gradient(index);
    }
    for index in 0..fuser.nodes.len() {
        fuser.fuse_statistics(index);
    }
    fuser.nodes.into_iter().flatten().collect()
}

struct Fuser<'a> {
    graph: &'a Graph,
    mode: Mode,
    targets: BTreeSet<Var>,
    /// `None` where a node has moved into another.
    nodes: Vec<Option<Fused>>,
    readers: BTreeMap<Var, Vec<usize>>,
    producers: BTreeMap<Var, usize>,
}

impl Fuser<'_> {
    fn index(&mut self) {
        self.readers.clear();
        self.producers.clear();
        for (index, fused) in self.nodes.iter().enumerate() {
            let Some(fused) = fused else { continue };
            for var in fused.reads() {
                self.readers.entry(var).or_default().push(index);
            }
            for &var in &fused.node.outputs {
                self.producers.insert(var, index);
            }
        }
    }

    /// The operator of a node, if it is a `T`.
    fn operator<T: Operator>(&self, index: usize) -> Option<&T> {
        let operator: &dyn Any = self.nodes[index].as_ref()?.node.operator.as_ref();
        operator.downcast_ref()
    }

    fn input(&self, index: usize, operand: usize) -> Option<Var> {
        let fused = self.nodes[index].as_ref()?;
        fused.node.inputs.get(operand).copied()
    }

    fn output(&self, index: usize, result: usize) -> Option<Var> {
        let fused = self.nodes[index].as_ref()?;
        fused.node.outputs.get(result).copied()
    }

    /// The nodes that read a value which only they need.
    fn readers(&self, var: Var) -> Option<&[usize]> {
        let kept = self.targets.contains(&var) || self.graph.value(var).home != Home::Step;
        match kept {
            true => None,
            false => Some(self.readers.get(&var).map_or(&[], Vec::as_slice)),
        }
    }

    /// The one node that needs a value.
    fn only_reader(&self, var: Var) -> Option<usize> {
        match self.readers(var) {
            Some(&[reader]) => Some(reader),
            _ => None,
        }
    }

    fn producer(&self, var: Var) -> Option<usize> {
        self.producers.get(&var).copied()
    }

    /// Whether all results of `first` but `result` are read after `last` only, so that it can
    /// move there.
    fn can_move(&self, first: usize, last: usize, result: Var) -> bool {
        let Some(fused) = &self.nodes[first] else {
            return false;
        };
        let others = fused.node.outputs.iter().filter(|v| **v != result);
        others
            .flat_map(|v| self.readers.get(v).into_iter().flatten())
            .all(|&reader| reader > last)
    }

    /// Puts `fused` in the place of `last`, and nothing in the place of the nodes `moved`.
    fn replace(&mut self, moved: &[usize], last: usize, mut fused: Fused) {
        let mut places = [moved, &[last]].concat();
        places.sort_unstable();
        let names = places.iter();
        let names = names.filter_map(|&i| Some(self.nodes[i].as_ref()?.label.as_str()));
        fused.label = names.collect::<Vec<_>>().join("+");
        for &index in moved {
            self.nodes[index] = None;
        }
        self.nodes[last] = Some(fused);
        self.index();
    }
}
