//! What reports show of a model's parameters: the slopes of its PReLUs and its first filters.

use super::model::Model;
use crate::error::Result;
use crate::graph::{Node, Parameter};
use crate::report::{Filters, LayerSlopes};

impl Model {
    /// The slopes of every PReLU, in the order of the layers: one per channel, or a single one that
    /// all channels share. `epoch` and `step` are 0.
    ///
    /// # Errors
    /// [`Error::DeviceLost`](crate::Error::DeviceLost).
    pub fn prelu_slopes(&self) -> Result<Vec<LayerSlopes>> {
        pollster::block_on(self.prelu_slopes_async())
    }

    /// The asynchronous form of [`Model::prelu_slopes`].
    ///
    /// # Errors
    /// As [`Model::prelu_slopes`].
    pub async fn prelu_slopes_async(&self) -> Result<Vec<LayerSlopes>> {
        let mut all = Vec::new();
        for node in self.graph.nodes() {
            if node.operator.name() == "prelu"
                && let Some(parameter) = self.parameter_of(node)
            {
                all.push(LayerSlopes {
                    layer: node.name.clone(),
                    slopes: self.parameter_async(&parameter.name).await?,
                    ..LayerSlopes::default()
                });
            }
        }
        Ok(all)
    }

    /// The filters of the first convolution; none in a network without one.
    ///
    /// # Errors
    /// [`Error::DeviceLost`](crate::Error::DeviceLost).
    pub fn first_filters(&self) -> Result<Option<Filters>> {
        pollster::block_on(self.first_filters_async())
    }

    /// The asynchronous form of [`Model::first_filters`].
    ///
    /// # Errors
    /// As [`Model::first_filters`].
    pub async fn first_filters_async(&self) -> Result<Option<Filters>> {
        let mut convolutions = self.graph.nodes().iter();
        let first = convolutions.find(|node| node.operator.name() == "conv2d");
        let Some((node, parameter)) = first.and_then(|node| Some((node, self.parameter_of(node)?)))
        else {
            return Ok(None);
        };
        let [outputs, inputs, rows, columns] = parameter.shape[..] else {
            return Ok(None);
        };
        let weights = self.parameter_async(&parameter.name).await?;
        let shape = [outputs, inputs, rows, columns];
        Ok(Some(Filters::new(&node.name, shape, weights)?))
    }

    /// The slopes after a step.
    pub(super) async fn slopes_at(&self, epoch: u32, step: u64) -> Result<Vec<LayerSlopes>> {
        let mut slopes = self.prelu_slopes_async().await?;
        for layer in &mut slopes {
            (layer.epoch, layer.step) = (epoch, step);
        }
        Ok(slopes)
    }

    /// The first parameter that a layer reads: its filters, or its slopes.
    fn parameter_of(&self, node: &Node) -> Option<&Parameter> {
        let read = |p: &&Parameter| node.inputs.contains(&p.var());
        self.parameters().iter().find(read)
    }
}
