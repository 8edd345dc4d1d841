//! What an operator sees while it says its ONNX form.

use super::{Constant, OUTPUT, OnnxNode, State, is_sample};
use crate::graph::{Graph, Node, ValueType, Var};
use crate::ops::Reason;
use crate::shape::Shape;

/// One operator of a graph on its way to ONNX: its operands' names and types, and a place for
/// the nodes that compute its result.
///
/// A form ends with [`result`](Self::result), or with [`same`](Self::same) if the operator does
/// nothing in evaluation.
pub struct Translation<'a> {
    graph: &'a Graph,
    node: &'a Node,
    /// The network's output.
    output: Var,
    state: &'a mut State,
}

impl<'a> Translation<'a> {
    pub(super) fn new(graph: &'a Graph, node: &'a Node, output: Var, state: &'a mut State) -> Self {
        Self {
            graph,
            node,
            output,
            state,
        }
    }

    /// The number of operands.
    pub fn inputs(&self) -> usize {
        self.node.inputs.len()
    }

    /// The type of an operand, whose shape is that of one sample where `batched`.
    pub fn input_type(&self, index: usize) -> &'a ValueType {
        self.graph.type_of(self.node.inputs[index])
    }

    /// The type of the result.
    pub fn output_type(&self) -> &'a ValueType {
        self.graph.type_of(self.node.outputs[0])
    }

    /// The name of an operand.
    ///
    /// # Errors
    /// A sentence if it is a value that the export does not have: a second result, labels.
    pub fn input(&mut self, index: usize) -> Result<String, Reason> {
        let var = self.node.inputs[index];
        if let Some(name) = self.state.names.get(&var) {
            return Ok(name.clone());
        }
        match self.graph.parameters().iter().any(|p| p.var() == var) {
            true => self.parameter(index, self.input_type(index).shape.to_vec()),
            false => Err(format!(
                "ONNX has no value for its operand `{}`",
                self.graph.value(var).name
            )),
        }
    }

    /// The name of an operand that is a parameter and is to be stored under another shape of as
    /// many elements, such as `[C, 1, 1]` for `[C]`.
    ///
    /// # Errors
    /// A sentence if it is not a parameter, or of another number of elements.
    pub fn parameter(&mut self, index: usize, shape: Vec<usize>) -> Result<String, Reason> {
        let var = self.node.inputs[index];
        let found = self.graph.parameters().iter().find(|p| p.var() == var);
        let Some(parameter) = found else {
            let name = &self.graph.value(var).name;
            return Err(format!("its operand `{name}` is not a parameter"));
        };
        if Shape::from(&shape[..]).elements() != parameter.shape.elements() {
            return Err(format!(
                "`{}` of shape {} cannot be stored as {shape:?}",
                parameter.name, parameter.shape
            ));
        }
        let parameters = &mut self.state.description.parameters;
        let mut name = parameter.name.clone();
        // The same parameter under several shapes is stored as often.
        while parameters.get(&name).is_some_and(|(_, s)| *s != shape) {
            name.push('_');
        }
        parameters.insert(name.clone(), (var, shape));
        Ok(name)
    }

    /// The name of a parameter `[C]` with a number for each channel of the first operand, stored
    /// as `[C, 1, 1]` if that is an image: ONNX lays shapes side by side from their ends.
    ///
    /// # Errors
    /// As [`Translation::parameter`].
    pub fn per_channel(&mut self, index: usize) -> Result<String, Reason> {
        let axes = self.input_type(0).shape.len();
        let mut shape = self.input_type(index).shape.to_vec();
        shape.resize(axes.max(shape.len()), 1);
        self.parameter(index, shape)
    }

    /// The operands' names.
    ///
    /// # Errors
    /// As [`Translation::input`].
    pub fn all_inputs(&mut self) -> Result<Vec<String>, Reason> {
        (0..self.inputs()).map(|index| self.input(index)).collect()
    }

    /// The name of a constant that belongs to the form.
    pub fn constant(&mut self, suffix: &str, value: Constant) -> String {
        let name = self.state.unique(&format!("{}.{suffix}", self.node.name));
        let constants = &mut self.state.description.constants;
        constants.insert(name.clone(), value);
        name
    }

    /// The name of a constant number.
    pub fn number(&mut self, value: f64) -> String {
        self.constant("number", Constant::Floats(Vec::new(), vec![value as f32]))
    }

    /// A node that gives a value of as many elements as the first operand that operand's shape.
    pub fn reshaped_as_input(&mut self, value: String) -> OnnxNode {
        let shape = &self.input_type(0).shape;
        let extents = shape.iter().map(|extent| *extent as i64);
        // The batch stays what it is.
        let all = std::iter::once(0).chain(extents).collect();
        let shape = self.constant("shape", Constant::Ints(all));
        OnnxNode::new("Reshape", [value, shape])
    }

    /// Adds a node, and gives the name of what it computes.
    pub fn step(&mut self, mut node: OnnxNode) -> String {
        node.output = self
            .state
            .unique(&format!("{}.{}", self.node.name, node.kind));
        let name = node.output.clone();
        self.state.description.nodes.push(node);
        name
    }

    /// Adds the node that computes the operator's result.
    pub fn result(&mut self, mut node: OnnxNode) {
        let result = self.node.outputs[0];
        node.output = match result == self.output {
            true => OUTPUT.to_owned(),
            false => self.state.unique(&self.node.name),
        };
        self.state.names.insert(result, node.output.clone());
        self.state.description.nodes.push(node);
    }

    /// The result is the first operand.
    ///
    /// # Errors
    /// As [`Translation::input`].
    pub fn same(&mut self) -> Result<(), Reason> {
        let x = self.input(0)?;
        let result = self.node.outputs[0];
        if result == self.output {
            self.result(OnnxNode::new("Identity", [x]));
        } else {
            self.state.names.insert(result, x);
        }
        Ok(())
    }

    /// A node of one operator that takes the operands as they are: the form of most.
    ///
    /// # Errors
    /// As [`Translation::input`].
    pub fn plain(&mut self, kind: &'static str) -> Result<(), Reason> {
        let inputs = self.all_inputs()?;
        self.result(OnnxNode::new(kind, inputs));
        Ok(())
    }

    /// Whether the form is complete.
    pub(super) fn check(&self) -> Result<(), Reason> {
        let result = self.node.outputs[0];
        match self.state.names.contains_key(&result) && is_sample(self.graph, result) {
            true => Ok(()),
            false => Err("its ONNX form gives no result for each sample".to_owned()),
        }
    }
}
