//! Networks as [ONNX](https://onnx.ai) graphs, for other programs to run.
//!
//! A network is exported as it evaluates: dropout is gone, batch normalisation uses its running
//! statistics. The batch is free; input and output have PyTorch's order, `[N, C, H, W]` or
//! `[N, F]`, and the names `input` and `output`. Weights carry their paths.
//!
//! Every operator says its own ONNX form, [`Operator::onnx`](crate::ops::Operator::onnx), in
//! terms of a [`Translation`]; operators from outside the crate do too. [`describe`] gathers the
//! forms of a graph. The file itself is written by `Model::export_onnx`, with the feature `onnx`.

#[cfg(feature = "onnx")]
mod file;
mod node;
#[cfg(feature = "onnx")]
mod proto;
mod translation;

use std::collections::{BTreeMap, BTreeSet};

#[cfg(feature = "onnx")]
pub(crate) use file::encode;
pub use node::{Attribute, Constant, OnnxNode};
pub use translation::Translation;

use crate::error::{Error, Result};
use crate::graph::{Element, Graph, Var};

/// The version of ONNX's standard operators that forms are written in. (17 is of 2022; it is the
/// first with layer normalisation.)
pub const OPSET: i64 = 17;

/// The name of the exported network's input.
pub const INPUT: &str = "input";
/// The name of the exported network's output.
pub const OUTPUT: &str = "output";

/// A network in ONNX's terms, without the numbers of its weights.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Description {
    /// Nodes in the order of computation.
    pub nodes: Vec<OnnxNode>,
    /// Parameters that are read: path, and the shape in which they are stored.
    pub parameters: BTreeMap<String, (Var, Vec<usize>)>,
    /// Constants that belong to the operators' forms.
    pub constants: BTreeMap<String, Constant>,
    /// The input's shape, per sample.
    pub input: Vec<usize>,
    /// The output's shape, per sample.
    pub output: Vec<usize>,
}

/// Translates what computes `output` from `input`.
///
/// # Errors
/// [`Error::Layer`] for the first layer whose operator has no ONNX form; the graph's own first
/// error.
///
/// ```
/// use wgrad::graph::Network;
///
/// let mut net = Network::input([1, 8, 8]);
/// net.conv(4, 3).relu().dropout(0.5).linear(10);
/// let (graph, input, output) = net.graph()?;
/// let description = wgrad::onnx::describe(&graph, input, output)?;
/// let kinds: Vec<_> = description.nodes.iter().map(|node| node.kind).collect();
/// assert_eq!(kinds, ["Conv", "Relu", "Flatten", "Gemm"]);
/// # Ok::<(), wgrad::Error>(())
/// ```
pub fn describe(graph: &Graph, input: Var, output: Var) -> Result<Description> {
    graph.check()?;
    let mut state = State {
        names: BTreeMap::from([(input, INPUT.to_owned())]),
        used: BTreeSet::from([INPUT.to_owned(), OUTPUT.to_owned()]),
        description: Description {
            input: graph.shape(input).to_vec(),
            output: graph.shape(output).to_vec(),
            ..Description::default()
        },
    };
    state
        .used
        .extend(graph.parameters().iter().map(|p| p.name.clone()));
    for index in graph.needed_nodes(&[output]) {
        let node = &graph.nodes()[index];
        let mut translation = Translation::new(graph, node, output, &mut state);
        let translated = node.operator.onnx(&mut translation);
        translated
            .and_then(|()| translation.check())
            .map_err(|reason| Error::Layer {
                layer: node.name.clone(),
                operator: node.operator.name(),
                reason,
            })?;
    }
    Ok(state.description)
}

/// What is known in the midst of a translation.
struct State {
    /// Names of the values that were computed.
    names: BTreeMap<Var, String>,
    used: BTreeSet<String>,
    description: Description,
}

impl State {
    /// The wanted name, or the first free one that begins with it.
    fn unique(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        for number in 2.. {
            if self.used.insert(name.clone()) {
                break;
            }
            name = format!("{wanted}_{number}");
        }
        name
    }
}

/// Whether ONNX's form of a value has the batch as its first axis and holds floats.
fn is_sample(graph: &Graph, var: Var) -> bool {
    let value_type = graph.type_of(var);
    value_type.batched && value_type.element == Element::F32
}
