//! Gradients that share a pass over δ.

use std::sync::Arc;

use super::{Fused, Fuser};
use crate::ops::batch_norm::BatchNormalisationGrad;
use crate::ops::channel_sum::ChannelSum;
use crate::ops::prelu::PreluGrad;
use crate::ops::relu::ReluGrad;

impl Fuser<'_> {
    pub(super) fn fuse_gradient(&mut self, index: usize) {
        if let Some((last, fused)) = self.masked_norm(index) {
            self.replace(&[index], last, fused);
        } else if let Some((sum, fused)) = self.with_bias_gradient(index) {
            // Here the second node moves to the first: nothing else reads a bias's gradient
            // before the step's end.
            self.replace(&[sum], index, fused);
        }
    }

    /// The gradient of a ReLU in the load of δ of the normalisation before it.
    fn masked_norm(&self, index: usize) -> Option<(usize, Fused)> {
        self.operator::<ReluGrad>(index)?;
        let delta = self.output(index, 0)?;
        let last = self.only_reader(delta)?;
        let operator = *self.operator::<BatchNormalisationGrad>(last)?;
        let mut fused = self.nodes[last].clone()?;
        if operator.masked || fused.node.inputs.last() != Some(&delta) {
            return None;
        }
        fused.node.operator = Arc::new(BatchNormalisationGrad {
            masked: true,
            ..operator
        });
        fused.node.inputs.pop();
        let delta_and_mask = [self.input(index, 1)?, self.input(index, 0)?];
        fused.node.inputs.extend(delta_and_mask);
        Some((last, fused))
    }

    /// A bias's gradient in the pass of the PReLU's gradient behind it.
    fn with_bias_gradient(&self, index: usize) -> Option<(usize, Fused)> {
        let prelu = *self.operator::<PreluGrad>(index)?;
        let delta = self.output(index, 0)?;
        let mut readers = self.readers(delta)?.iter();
        let sum = *readers.find(|&&r| self.operator::<ChannelSum>(r).is_some())?;
        let both = prelu.with_bias_gradient()?;
        // Both sums, or the pass that is shared is not there.
        let slopes = self.output(index, 1)?;
        let wanted = self.targets.contains(&slopes) || self.readers.contains_key(&slopes);
        if !wanted {
            return None;
        }
        let mut fused = self.nodes[index].clone()?;
        fused.node.operator = Arc::new(both);
        fused.node.outputs.push(self.output(sum, 0)?);
        Some((sum, fused))
    }
}
