//! Networks made of a part of another: without its last layers, or for other classes.

use super::fold::downcast;
use super::part::Part;
use super::{Graph, Initialiser, Network, Node, Var};
use crate::error::{Error, Result};
use crate::ops::conv2d::Convolution;
use crate::ops::linear::LinearProduct;
use crate::ops::{Conv2d, Linear};

impl Network {
    /// The network up to the response of a layer (`prelu2`) or of the last layer of a scope
    /// (`layer3.1`), as [`Network::summary`] names them. Layers keep their names, and others may
    /// be added.
    ///
    /// ```
    /// use wgrad::models;
    ///
    /// let mut features = models::resnet18([3, 64, 64], 1000).up_to("layer2")?;
    /// features.conv(32, 1).relu().global_mean_pool().linear(5);
    /// assert!(!features.summary()?.contains("layer3"));
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Network::graph`]; [`Error::UnknownName`] when there is no such layer.
    pub fn up_to(&self, layer: &str) -> Result<Self> {
        let (graph, input, _) = self.graph()?;
        let below = format!("{layer}.");
        let named = |node: &&Node| node.name == layer || node.name.starts_with(&below);
        let last = graph.nodes().iter().rfind(named);
        let last = last.ok_or_else(|| Error::UnknownName {
            kind: "layer",
            name: layer.to_owned(),
            known: paths(&graph),
        })?;
        let output = last.outputs[0];
        let mut part = Part::of(&graph);
        let input = part.place(input)?;
        for node in graph.needed_nodes(&[output]) {
            part.copy(node)?;
        }
        let output = part.place(output)?;
        Ok(Self::of_graph(part.finish()?, input, output))
    }

    /// The same network for another number of classes: its last layer with parameters, a linear
    /// one or a convolution, has as many outputs. It keeps its name and the law of its first
    /// weights; what follows it stays.
    ///
    /// Weights that were trained for other classes fit the rest:
    ///
    /// ```no_run
    /// use wgrad::{Device, checkpoint::LoadOptions, models, random::Seed};
    ///
    /// let net = models::resnet18([3, 224, 224], 1000).with_classes(5)?;
    /// let mut model = net.build(&Device::open()?, Seed(1))?;
    /// // All of the file but the last layer, `fc` in this network.
    /// let report = model.load_with("resnet18.safetensors", &LoadOptions::new().except("fc"))?;
    /// println!("{report}"); // 100 loaded; left out: fc.bias, fc.weight
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Network::graph`]; [`Error::Layer`] when the last layer with parameters is of another
    /// kind, or when a layer behind it does not take another number of classes.
    pub fn with_classes(&self, classes: usize) -> Result<Self> {
        let (graph, input, output) = self.graph()?;
        let needed = graph.needed_nodes(&[output]);
        let learns = |node: &Node| node.inputs.iter().any(|var| is_parameter(&graph, *var));
        let head = needed.iter().copied().rfind(|i| learns(&graph.nodes()[*i]));
        let head = head.ok_or_else(|| {
            Error::Invalid("the network has no parameters, and so no layer for classes".to_owned())
        })?;
        let mut part = Part::of(&graph);
        let input = part.place(input)?;
        for node in needed {
            match node == head {
                true => replace(&mut part, &graph, &graph.nodes()[node], classes)?,
                false => part.copy(node)?,
            }
        }
        let output = part.place(output)?;
        Ok(Self::of_graph(part.finish()?, input, output))
    }
}

fn is_parameter(graph: &Graph, var: Var) -> bool {
    graph.parameters().iter().any(|p| p.var == var)
}

fn paths(graph: &Graph) -> String {
    let paths: Vec<&str> = graph.nodes().iter().map(|n| n.name.as_str()).collect();
    paths.join(", ")
}

/// Puts a layer with so many outputs in the place of `node`.
fn replace(part: &mut Part<'_>, old: &Graph, node: &Node, classes: usize) -> Result<()> {
    let x = part.place(node.inputs[0])?;
    let weight = node.inputs.get(1);
    let weight = weight.and_then(|var| old.parameters().iter().find(|p| p.var == *var));
    let init = weight.and_then(|p| match &p.initialiser {
        Initialiser::Given(init) => Some(init.clone()),
        Initialiser::Auto => None,
    });
    let (name, bias) = (Some(node.name.clone()), node.inputs.len() > 2);
    let y = if downcast::<LinearProduct>(node).is_some() {
        let layer = Linear {
            out_features: classes,
            bias,
            init,
            name,
        };
        part.graph.linear(x, layer)
    } else if let Some(convolution) = downcast::<Convolution>(node) {
        let layer = Conv2d {
            out_channels: classes,
            window: convolution.window,
            groups: convolution.groups,
            bias,
            variant: convolution.variant,
            init,
            name,
        };
        part.graph.conv2d(x, layer)
    } else {
        return Err(Error::Layer {
            layer: node.name.clone(),
            operator: node.operator.name(),
            reason: "the last layer with parameters must be linear or a convolution to be given \
                     another number of classes"
                .to_owned(),
        });
    };
    part.put(node.outputs[0], y);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::Init;
    use crate::models;

    /// Names and shapes of the parameters.
    fn parameters(net: &Network) -> Vec<(String, Vec<usize>)> {
        let (graph, _, _) = net.graph().unwrap();
        let parameters = graph.parameters().iter();
        parameters
            .map(|p| (p.name.clone(), p.shape.to_vec()))
            .collect()
    }

    #[test]
    fn other_classes_change_the_last_layer_alone() {
        for (name, head) in [
            ("resnet20", "fc."),
            ("mobilenet_v2", "classifier.1."),
            ("squeezenet1_1", "classifier.1."),
            ("all_cnn_c", "conv9."),
        ] {
            let net = models::by_name(name, None, 10).unwrap();
            let (before, after) = (parameters(&net), parameters(&net.with_classes(3).unwrap()));
            // The same network as one described for three classes.
            let described = models::by_name(name, None, 3).unwrap();
            assert_eq!(after, parameters(&described), "{name}");
            let pairs = before.iter().zip(&after).filter(|(a, b)| a != b);
            let changed: Vec<&str> = pairs.map(|(a, _)| a.0.as_str()).collect();
            assert!(
                !changed.is_empty() && changed.iter().all(|p| p.starts_with(head)),
                "{changed:?}"
            );
            let (graph, _, output) = net.with_classes(3).unwrap().graph().unwrap();
            assert_eq!(graph.shape(output)[..], [3]);
        }
    }

    #[test]
    fn the_law_of_the_head_stays() {
        let mut net = Network::input([6]);
        net.linear(5)
            .relu()
            .linear(4)
            .bias(false)
            .init(Init::Constant(0.5));
        let (graph, _, _) = net.with_classes(7).unwrap().graph().unwrap();
        let head = graph.parameters().last().unwrap();
        assert_eq!(head.name, "linear2.weight");
        assert_eq!(head.initialiser, Initialiser::Given(Init::Constant(0.5)));
        assert_eq!(graph.parameters().len(), 3);
        assert_eq!(graph.parameters()[0].initialiser, Initialiser::Auto);
    }

    #[test]
    fn a_part_ends_at_a_layer_or_at_a_scope() {
        let mut net = Network::input([1, 8, 8]);
        net.conv(4, 3)
            .prelu()
            .max_pool(2)
            .conv(6, 3)
            .prelu()
            .linear(9)
            .prelu()
            .linear(10);
        let shape = |net: &Network| {
            let (graph, _, output) = net.graph().unwrap();
            graph.shape(output).to_vec()
        };
        let mut part = net.up_to("prelu2").unwrap();
        assert_eq!(shape(&part), [6, 1, 1]);
        assert_eq!(parameters(&part)[..], parameters(&net)[..6]);
        assert_eq!(shape(&net.up_to("flatten1").unwrap()), [6]);
        // What is added is numbered on, and can be changed as in any chain.
        part.conv(5, 3).padding(1).linear(2);
        let all = parameters(&part);
        let names: Vec<&str> = all[6..].iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "conv3.weight",
                "conv3.bias",
                "linear1.weight",
                "linear1.bias"
            ]
        );

        let stage = models::resnet20([3, 32, 32], 10).up_to("layer2").unwrap();
        assert_eq!(shape(&stage), [32, 16, 16]);
        let names = parameters(&stage);
        assert!(
            names
                .iter()
                .any(|(name, _)| name == "layer2.2.bn2.running_var")
        );
        assert!(!names.iter().any(|(name, _)| name.starts_with("layer3")));
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let mut net = Network::input([6]);
        net.linear(5).batch_norm();
        let text = net.with_classes(3).unwrap_err().to_string();
        assert_eq!(
            text,
            "layer `bn1` (batch_norm): the last layer with parameters must be linear or a \
             convolution to be given another number of classes"
        );
        let text = net.up_to("linear").unwrap_err().to_string();
        assert_eq!(text, "no layer is named `linear`; there are: linear1, bn1");
        let mut pool = Network::input([1, 4, 4]);
        pool.max_pool(2);
        assert!(pool.with_classes(3).is_err());
        let mut fixed = Network::input([6]);
        fixed.linear(4).reshape([1, 2, 2]);
        let text = fixed.with_classes(5).unwrap_err().to_string();
        assert!(text.starts_with("layer `reshape1`"), "{text}");
    }
}
