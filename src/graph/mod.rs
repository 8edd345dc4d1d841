//! The network as data: values, the nodes that compute them, and named parameters.
//!
//! Shapes are per sample and the batch is free, so that one graph serves every batch size,
//! for training and for evaluation. Wrong shapes are found here. Building calls chain
//! without `?`: the first error is kept and returned by [`Graph::check`], or by whatever
//! uses the graph next.

mod activations;
mod chain;
mod fold;
mod head;
mod initialised;
mod layer;
mod naming;
mod network;
mod parameter;
mod part;
mod pattern;
mod summary;
mod value;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use layer::Layer;
pub use network::Network;
pub(crate) use parameter::{BLOCK, aligned};
pub use parameter::{Declaration, Initialiser, Parameter, Role};
pub(crate) use pattern::matches;
pub use value::{Element, Home, Value, ValueType};

use crate::error::{Error, Result};
use crate::ops::Operator;
use crate::shape::Shape;
use naming::Names;

/// A handle of a value in one [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Var(pub(crate) usize);

/// An operator applied to values.
#[derive(Clone, Debug)]
pub struct Node {
    /// The layer's path, such as `conv1` or `layer2.0.bn1`.
    pub name: String,
    /// What is computed.
    pub operator: Arc<dyn Operator>,
    /// The operands.
    pub inputs: Vec<Var>,
    /// The results.
    pub outputs: Vec<Var>,
}

/// Values, nodes in an order in which they can be computed, and parameters.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    values: Vec<Value>,
    nodes: Vec<Node>,
    parameters: Vec<Parameter>,
    names: Names,
    failures: Vec<Arc<Error>>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// An input of the network: one sample of `shape` (`[C, H, W]` or `[F]`) per batch row.
    pub fn input(&mut self, name: &str, shape: impl Into<Shape>) -> Var {
        let shape = shape.into();
        let mut value_type = ValueType::sample(shape);
        let shape = &value_type.shape;
        if shape.is_empty() || shape.elements() == 0 {
            self.fail_at(name, "input", format!("the shape {shape} has no elements"));
        } else if let Err(reason) = value_type.check_count() {
            self.fail_at(name, "input", reason);
            // Stands in, so that building goes on.
            value_type = ValueType::sample(vec![1; value_type.shape.len()]);
        }
        self.persistent(name, value_type, name, 0)
    }

    /// A class index per sample, for the losses.
    pub fn labels(&mut self, name: &str) -> Var {
        let value_type = ValueType {
            element: Element::U32,
            ..ValueType::sample([])
        };
        self.persistent(name, value_type, name, 0)
    }

    /// A value that lives in the named buffer, from `offset` elements on, across steps.
    pub fn persistent(
        &mut self,
        name: &str,
        value_type: ValueType,
        buffer: &str,
        offset: usize,
    ) -> Var {
        self.values.push(Value {
            name: name.to_owned(),
            value_type,
            home: Home::Persistent {
                buffer: buffer.to_owned(),
                offset,
            },
            producer: None,
        });
        Var(self.values.len() - 1)
    }

    /// Moves a computed value into the named buffer, where it outlives the step: to be read
    /// back, or to lie beside others for one kernel over all of them. The offset is a multiple of
    /// 64 elements.
    pub fn place(&mut self, var: Var, buffer: &str, offset: usize) {
        self.values[var.0].home = Home::Persistent {
            buffer: buffer.to_owned(),
            offset,
        };
    }

    /// Declares a parameter of the current layer, `<layer>.<name>`.
    pub fn parameter(&mut self, layer: &str, name: &str, declaration: Declaration) -> Var {
        let path = format!("{layer}.{name}");
        if self.parameters.iter().any(|p| p.name == path) {
            self.fail(Error::Invalid(format!(
                "two parameters are named `{path}`; give one of the layers another name"
            )));
        }
        let arena = declaration.role.arena();
        let offset = self
            .parameters
            .iter()
            .filter(|p| p.role.arena() == arena)
            .map(|p| p.offset.saturating_add(aligned(p.layout.size())))
            .max()
            .unwrap_or(0);
        let value_type = ValueType {
            shape: declaration.shape.clone(),
            layout: declaration.layout.clone(),
            batched: false,
            element: Element::F32,
        };
        if let Err(reason) = value_type.check_count() {
            self.fail(Error::Invalid(format!("the parameter `{path}`: {reason}")));
        }
        let var = self.persistent(&path, value_type, arena, offset);
        self.parameters.push(declaration.place(path, var, offset));
        var
    }

    /// Applies `operator` as the layer `name` and gives its first result.
    ///
    /// A wrong shape is kept as the graph's error, and a value of the first input's type
    /// stands in, so that building goes on.
    pub fn apply(&mut self, name: &str, operator: impl Operator, inputs: &[Var]) -> Var {
        self.apply_all(name, Arc::new(operator), inputs)[0]
    }

    /// As [`Graph::apply`], with every result.
    pub fn apply_all(
        &mut self,
        name: &str,
        operator: Arc<dyn Operator>,
        inputs: &[Var],
    ) -> Vec<Var> {
        let types: Vec<&ValueType> = inputs.iter().map(|v| self.type_of(*v)).collect();
        let result = operator.infer(&types).and_then(|outputs| {
            let known = outputs.iter().all(|o| o.shape.elements() > 0);
            if !known || !operator.acts() && outputs.is_empty() {
                return Err("the result has no elements".to_owned());
            }
            outputs.iter().try_for_each(ValueType::check_count)?;
            Ok(outputs)
        });
        let outputs = match result {
            Ok(outputs) => outputs,
            Err(reason) => {
                self.fail_at(name, operator.name(), reason);
                // As many stand-ins as any operator has results, so that callers may index.
                vec![ValueType::sample([1]); 5]
            }
        };
        let node = self.nodes.len();
        let first = self.values.len();
        for (i, value_type) in outputs.into_iter().enumerate() {
            let suffix = if i == 0 {
                String::new()
            } else {
                format!(".{i}")
            };
            self.values.push(Value {
                name: format!("{name}{suffix}"),
                value_type,
                home: Home::Step,
                producer: Some(node),
            });
        }
        let outputs: Vec<Var> = (first..self.values.len()).map(Var).collect();
        self.nodes.push(Node {
            name: name.to_owned(),
            operator,
            inputs: inputs.to_vec(),
            outputs: outputs.clone(),
        });
        outputs
    }

    /// Makes inputs the results of a node that runs before all others.
    pub(crate) fn produce(
        &mut self,
        name: &str,
        operator: impl Operator,
        inputs: &[Var],
        results: &[Var],
    ) {
        let node = Node {
            name: name.to_owned(),
            operator: Arc::new(operator),
            inputs: inputs.to_vec(),
            outputs: results.to_vec(),
        };
        self.nodes.insert(0, node);
        for value in &mut self.values {
            value.producer = value.producer.map(|node| node + 1);
        }
        for result in results {
            self.values[result.0].producer = Some(0);
            self.values[result.0].home = Home::Step;
        }
    }

    /// Has a node compute by another operator, with operands and results of the same types.
    pub(crate) fn exchange(&mut self, node: usize, operator: Arc<dyn Operator>) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.operator = operator;
        }
    }

    /// The path for the next layer of this kind: `conv1`, `conv2`, ... below the scope.
    pub fn layer_name(&mut self, kind: &str) -> String {
        self.names.next(kind)
    }

    /// The given path, or the next one for this kind of layer.
    pub fn path(&mut self, name: Option<&str>, kind: &str) -> String {
        match name {
            Some(name) => self.names.give(name),
            None => self.names.next(kind),
        }
    }

    /// Runs `build` with every layer's path below `scope`: `layer2.0` gives
    /// `layer2.0.conv1.weight`.
    pub fn scope<T>(&mut self, scope: &str, build: impl FnOnce(&mut Self) -> T) -> T {
        self.names.enter(scope);
        let result = build(self);
        self.names.leave();
        result
    }

    /// The shape, layout and element of a value.
    pub fn type_of(&self, var: Var) -> &ValueType {
        &self.values[var.0].value_type
    }

    /// The shape of a value, per sample.
    pub fn shape(&self, var: Var) -> &Shape {
        &self.type_of(var).shape
    }

    /// A value with its name and place.
    pub fn value(&self, var: Var) -> &Value {
        &self.values[var.0]
    }

    /// All values; a [`Var`]'s number is its index.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The nodes, in the order in which they were applied.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The parameters and running statistics, in the order of declaration.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The parameter of this path, or the first whose path ends in `.name`.
    pub fn find_parameter(&self, name: &str) -> Option<Var> {
        let suffix = format!(".{name}");
        let exact = self.parameters.iter().find(|p| p.name == name);
        let ending = || self.parameters.iter().find(|p| p.name.ends_with(&suffix));
        exact.or_else(ending).map(|p| p.var)
    }

    pub(crate) fn parameters_mut(&mut self) -> &mut [Parameter] {
        &mut self.parameters
    }

    /// The nodes that `targets` depend on, and those that act (updates), in order.
    pub fn needed_nodes(&self, targets: &[Var]) -> Vec<usize> {
        let mut wanted: BTreeSet<Var> = targets.iter().copied().collect();
        let mut needed = Vec::new();
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if node.operator.acts() || node.outputs.iter().any(|o| wanted.contains(o)) {
                wanted.extend(&node.inputs);
                needed.push(index);
            }
        }
        needed.reverse();
        needed
    }

    /// Keeps an error of a layer, unless there is one already.
    pub fn fail_at(&mut self, layer: &str, operator: &'static str, reason: String) {
        self.fail(Error::Layer {
            layer: layer.to_owned(),
            operator,
            reason,
        });
    }

    fn fail(&mut self, error: Error) {
        self.failures.push(Arc::new(error));
    }

    /// The first error of building, if there was one.
    ///
    /// # Errors
    /// [`Error::Layer`] for a layer that does not fit, [`Error::Invalid`] for others.
    pub fn check(&self) -> Result<()> {
        match self.failures.first().map(Arc::as_ref) {
            None => Ok(()),
            Some(Error::Layer {
                layer,
                operator,
                reason,
            }) => Err(Error::Layer {
                layer: layer.clone(),
                operator,
                reason: reason.clone(),
            }),
            Some(other) => Err(Error::Invalid(other.to_string())),
        }
    }

    /// Gives every parameter without an initialiser of its own the one that suits what
    /// follows it: He for the slope of the rectifier, Xavier where no rectifier follows.
    pub fn resolve_initialisers(&mut self) {
        parameter::resolve(self);
    }
}
