//! Batch normalisation folded into the convolution or linear layer before it.
//!
//! In evaluation, batch normalisation multiplies every channel by a number and adds another, and
//! so the layer before it can do both: the graph here has the layer with a bias, and no
//! normalisation. What numbers belong there, [`Fold`] says by the parameters' names.

use std::any::Any;

use super::{Declaration, Graph, Home, Node, Parameter, Var};
use crate::error::{Error, Result};
use crate::ops::batch_norm::BatchNormalisation;
use crate::ops::conv2d::Convolution;
use crate::ops::linear::LinearProduct;

/// A graph whose batch normalisations were folded where that is possible.
pub(crate) struct Folded {
    pub(crate) graph: Graph,
    pub(crate) folds: Vec<Fold>,
    /// Where the values of the graph before are, by their number.
    places: Vec<Option<Var>>,
}

/// A layer that took over a batch normalisation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fold {
    /// The layer's weight, before and after.
    pub(crate) weight: String,
    /// The layer's bias as it was, if there was one.
    pub(crate) bias: Option<String>,
    /// The layer's bias as it is.
    pub(crate) new_bias: String,
    /// γ, β, mean and variance of the normalisation.
    pub(crate) normalisation: [String; 4],
    /// ε.
    pub(crate) epsilon: f32,
    /// The nodes of the layer and of the normalisation.
    nodes: [usize; 2],
}

impl Folded {
    /// What became of a value.
    pub(crate) fn place(&self, old: Var) -> Result<Var> {
        let place = self.places.get(old.0).copied().flatten();
        place.ok_or_else(|| Error::Invalid("a value was folded away that is read".to_owned()))
    }
}

impl Graph {
    /// Folds every batch normalisation whose operand is the result of a convolution or linear
    /// layer that nothing else reads. The values `kept` remain.
    pub(crate) fn fold_batch_norm(&self, kept: &[Var]) -> Result<Folded> {
        self.check()?;
        let readers = self.readers(kept);
        let folds: Vec<Fold> = (0..self.nodes.len())
            .filter_map(|node| self.foldable(node, &readers))
            .collect();
        let mut folded = Folded {
            graph: Self {
                names: self.names.clone(),
                ..Self::new()
            },
            folds,
            places: vec![None; self.values.len()],
        };
        folded.copy_inputs(self);
        folded.copy_nodes(self)?;
        folded.graph.check()?;
        Ok(folded)
    }

    /// How often each value is read.
    fn readers(&self, kept: &[Var]) -> Vec<usize> {
        let mut readers = vec![0; self.values.len()];
        let reads = self.nodes.iter().flat_map(|node| &node.inputs);
        for var in reads.chain(kept) {
            readers[var.0] += 1;
        }
        readers
    }

    /// The fold of a node, if it is a normalisation that can be folded.
    fn foldable(&self, index: usize, readers: &[usize]) -> Option<Fold> {
        let norm = &self.nodes[index];
        let operator = downcast::<BatchNormalisation>(norm)?;
        let (&x, numbers) = norm.inputs.split_first()?;
        let producer = self.value(x).producer?;
        let layer = &self.nodes[producer];
        let known =
            downcast::<Convolution>(layer).is_some() || downcast::<LinearProduct>(layer).is_some();
        let alone = readers[x.0] == 1 && self.value(x).home == Home::Step;
        let statistics_read = norm.outputs.iter().skip(1).any(|o| readers[o.0] > 0);
        if !known || !alone || statistics_read {
            return None;
        }
        // Parameters that others read too must stay as they are.
        let own = |var: Var| {
            let parameter = self.parameters.iter().find(|p| p.var == var)?;
            (readers[var.0] == 1).then(|| parameter.name.clone())
        };
        let numbers = numbers.iter().map(|var| own(*var));
        let weight = own(*layer.inputs.get(1)?)?;
        let bias = match layer.inputs.get(2) {
            Some(bias) => Some(own(*bias)?),
            None => None,
        };
        let (path, _) = weight.rsplit_once('.')?;
        Some(Fold {
            new_bias: bias.clone().unwrap_or_else(|| format!("{path}.bias")),
            bias,
            normalisation: numbers.collect::<Option<Vec<_>>>()?.try_into().ok()?,
            epsilon: operator.epsilon,
            nodes: [producer, index],
            weight,
        })
    }

    /// Declares a parameter as it is in another graph.
    pub(super) fn copy_parameter(&mut self, parameter: &Parameter) -> Var {
        let (layer, name) = parameter
            .name
            .rsplit_once('.')
            .unwrap_or(("", &parameter.name));
        let declaration = Declaration {
            shape: parameter.shape.clone(),
            layout: parameter.layout.clone(),
            fans: parameter.fans,
            initialiser: parameter.initialiser.clone(),
            role: parameter.role,
        };
        let var = self.parameter(layer, name, declaration);
        if let Some(copy) = self.parameters.last_mut() {
            copy.learning_rate_factor = parameter.learning_rate_factor;
            copy.decay_factor = parameter.decay_factor;
            copy.frozen = parameter.frozen;
        }
        var
    }
}

pub(super) fn downcast<T: 'static>(node: &Node) -> Option<&T> {
    let operator: &dyn Any = node.operator.as_ref();
    operator.downcast_ref()
}

impl Folded {
    /// The parameters, but those of the folded normalisations, and the inputs.
    fn copy_inputs(&mut self, old: &Graph) {
        let gone = |name: &String| self.folds.iter().any(|f| f.normalisation.contains(name));
        for parameter in old.parameters.iter().filter(|p| !gone(&p.name)) {
            self.places[parameter.var.0] = Some(self.graph.copy_parameter(parameter));
            let without_bias = |f: &&Fold| f.weight == parameter.name && f.bias.is_none();
            if self.folds.iter().any(|f| without_bias(&f)) {
                let (layer, _) = parameter.name.rsplit_once('.').unwrap_or_default();
                let bias = Declaration::vector(parameter.shape[0], 0.0);
                self.graph.parameter(layer, "bias", bias);
            }
        }
        for (index, value) in old.values.iter().enumerate() {
            let is_parameter = old.parameters.iter().any(|p| p.var.0 == index);
            if let (Home::Persistent { buffer, offset }, None, false) =
                (&value.home, value.producer, is_parameter)
            {
                let value_type = value.value_type.clone();
                let var = self
                    .graph
                    .persistent(&value.name, value_type, buffer, *offset);
                self.places[index] = Some(var);
            }
        }
    }

    fn copy_nodes(&mut self, old: &Graph) -> Result<()> {
        for (index, node) in old.nodes.iter().enumerate() {
            let of = |which: usize| self.folds.iter().find(move |f| f.nodes[which] == index);
            if of(1).is_some() {
                let (x, y) = (node.inputs[0], node.outputs[0]);
                let result = self.place(x)?;
                self.graph.values[result.0].home = old.value(y).home.clone();
                self.places[y.0] = Some(result);
                continue;
            }
            let mut operands = node
                .inputs
                .iter()
                .map(|var| self.place(*var))
                .collect::<Result<Vec<_>>>()?;
            if let Some(fold) = of(0).filter(|fold| fold.bias.is_none()) {
                operands.extend(self.graph.find_parameter(&fold.new_bias));
            }
            let results = self
                .graph
                .apply_all(&node.name, node.operator.clone(), &operands);
            for (from, to) in node.outputs.iter().zip(results) {
                self.graph.values[to.0].home = old.value(*from).home.clone();
                self.places[from.0] = Some(to);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Folded, Graph, Var};
    use crate::ops::{BatchNorm, Conv2d, Linear};
    use crate::plan::{AdapterProfile, Mode, Plan, PlanOptions};
    use crate::shader::Shaders;

    /// The kernels of an evaluation.
    fn kernels(graph: &Graph, target: Var) -> Vec<&'static str> {
        let options = PlanOptions {
            batch: 2,
            mode: Mode::Evaluation,
            fuse: false,
            reuse: true,
        };
        let shaders = Shaders::new().unwrap();
        let plan = Plan::new(graph, &[target], options, &AdapterProfile::cpu(), &shaders).unwrap();
        plan.calls
            .iter()
            .map(|call| call.kernel.shader.name)
            .collect()
    }

    /// Folds, and counts the normalisations among the kernels before and after.
    fn fold(build: impl FnOnce(&mut Graph, Var) -> Var) -> (Folded, [usize; 2]) {
        let mut graph = Graph::new();
        let x = graph.input("x", [3, 8, 8]);
        let y = build(&mut graph, x);
        let folded = graph.fold_batch_norm(&[x, y]).unwrap();
        let result = folded.place(y).unwrap();
        assert_eq!(graph.type_of(y), folded.graph.type_of(result));
        let [before, after] = [kernels(&graph, y), kernels(&folded.graph, result)];
        let norms = |kernels: &[&str]| kernels.iter().filter(|k| **k == "batch_norm").count();
        let counts = [norms(&before), norms(&after)];
        // Nothing but normalisations went.
        let others = |kernels: &[&'static str]| -> Vec<&str> {
            let all = kernels.iter().copied();
            all.filter(|kernel| *kernel != "batch_norm").collect()
        };
        assert_eq!(others(&before), others(&after));
        (folded, counts)
    }

    #[test]
    fn convolutions_and_linear_layers_take_over_the_normalisation() {
        let (folded, counts) = fold(|g, x| {
            let y = g.conv2d(x, Conv2d::new(6, 3).bias(false));
            let y = g.batch_norm(y, BatchNorm::new().epsilon(0.25));
            let y = g.relu(y);
            let y = g.conv2d(y, Conv2d::new(6, 3).groups(3));
            let y = g.batch_norm(y, BatchNorm::new());
            let y = g.flatten(y);
            let y = g.linear(y, Linear::new(5));
            g.batch_norm(y, BatchNorm::new())
        });
        assert_eq!(counts, [3, 0]);
        let names: Vec<_> = folded.graph.parameters().iter().map(|p| &p.name).collect();
        let expected = [
            "conv1.weight",
            "conv1.bias",
            "conv2.weight",
            "conv2.bias",
            "linear1.weight",
            "linear1.bias",
        ];
        assert_eq!(names, expected);
        let first = &folded.folds[0];
        assert_eq!((&first.bias, first.epsilon), (&None, 0.25));
        assert_eq!(first.new_bias, "conv1.bias");
        assert_eq!(first.normalisation[3], "bn1.running_var");
        assert_eq!(folded.folds[1].bias.as_deref(), Some("conv2.bias"));
    }

    #[test]
    fn branches_are_folded_where_nothing_else_reads_the_layer() {
        let (folded, counts) = fold(|g, x| {
            let a = g.conv2d(x, Conv2d::new(4, 1));
            let a = g.batch_norm(a, BatchNorm::new());
            let b = g.conv2d(a, Conv2d::new(4, 3).padding(1));
            let c = g.batch_norm(b, BatchNorm::new());
            // Reads what `c` normalises.
            let d = g.add(b, c);
            g.add(a, d)
        });
        assert_eq!(counts, [2, 1]);
        assert_eq!(folded.folds[0].weight, "conv1.weight");
        assert!(folded.graph.find_parameter("bn2.weight").is_some());
    }

    #[test]
    fn other_operands_are_not_folded() {
        let (_, counts) = fold(|g, x| {
            let y = g.batch_norm(x, BatchNorm::new());
            let y = g.conv2d(y, Conv2d::new(4, 3));
            let y = g.relu(y);
            g.batch_norm(y, BatchNorm::new())
        });
        assert_eq!(counts, [2, 2]);
    }

    #[test]
    fn a_layer_that_is_a_result_itself_stays() {
        let mut graph = Graph::new();
        let x = graph.input("x", [3, 8, 8]);
        let y = graph.conv2d(x, Conv2d::new(4, 3));
        let z = graph.batch_norm(y, BatchNorm::new());
        assert!(graph.fold_batch_norm(&[y, z]).unwrap().folds.is_empty());
        graph.place(y, "layer", 0);
        assert!(graph.fold_batch_norm(&[z]).unwrap().folds.is_empty());
    }
}
