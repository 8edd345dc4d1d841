//! Max pooling behind a rectifier: the rectified image is neither stored nor read.

use std::sync::Arc;

use super::{Fused, Fuser, Rectifier};
use crate::graph::Var;
use crate::ops::batch_norm::BatchNormalisation;
use crate::ops::max_pool2d::{MaxPool2d, MaxPool2dGrad};
use crate::ops::prelu::PreluGrad;
use crate::ops::rectified_max_pool2d::RectifiedMaxPool2d;
use crate::ops::relu::ReluGrad;
use crate::plan::Mode;

impl Fuser<'_> {
    /// Moves the rectifier, and the normalisation, before a max pooling into its load.
    pub(super) fn fuse_pooling(&mut self, pool: usize) {
        if self.operator::<MaxPool2d>(pool).is_some() {
            self.fuse_rectifier(pool);
            self.fuse_normalisation(pool);
        }
        // The gradient of a PReLU takes δ of the pooling as it comes.
        if self.operator::<MaxPool2dGrad>(pool).is_some() {
            self.fuse_prelu_grad(pool);
        }
    }

    fn fuse_rectifier(&mut self, pool: usize) {
        let Some(plan) = self.plan_rectifier(pool) else {
            return;
        };
        if let Some((routing, masking, fused)) = plan.gradient {
            self.replace(&[routing], masking, fused);
        }
        self.replace(&[plan.rectifier], pool, plan.pool);
    }

    fn plan_rectifier(&self, pool: usize) -> Option<RectifiedPool> {
        let rectified = self.input(pool, 0)?;
        let index = self.producer(rectified)?;
        let node = &self.nodes[index].as_ref()?.node;
        let rectifier = Rectifier::of(node)?;
        let readers = self.readers(rectified)?;
        let gradient = match readers {
            [only] if *only == pool => None,
            // The gradient of a ReLU reads its result, in which the pooled one is as good.
            [first, second] if *first == pool => {
                let masking = *second;
                self.operator::<ReluGrad>(masking)?;
                Some(self.mask_routing(pool, masking)?)
            }
            _ => return None,
        };
        let mut fused = self.nodes[pool].clone()?;
        let operator = *self.operator::<MaxPool2d>(pool)?;
        fused.node.operator = Arc::new(RectifiedMaxPool2d {
            pool: operator,
            rectifier,
            epsilon: None,
        });
        fused.node.inputs = vec![*node.inputs.first()?];
        fused.node.inputs.extend(rectifier.slopes());
        Some(RectifiedPool {
            rectifier: index,
            pool: fused,
            gradient,
        })
    }

    /// The gradients of pooling and ReLU as one.
    fn mask_routing(&self, pool: usize, masking: usize) -> Option<(usize, usize, Fused)> {
        let delta = self.input(masking, 1)?;
        let routing = self.producer(delta)?;
        let operator = *self.operator::<MaxPool2dGrad>(routing)?;
        if self.only_reader(delta) != Some(masking)
            || self.input(routing, 0)? != self.output(pool, 1)?
        {
            return None;
        }
        let mut fused = self.nodes[routing].clone()?;
        fused.node.operator = Arc::new(operator.masked());
        fused.node.inputs.push(self.output(pool, 0)?);
        fused.node.outputs = self.nodes[masking].as_ref()?.node.outputs.clone();
        Some((routing, masking, fused))
    }

    fn fuse_normalisation(&mut self, pool: usize) {
        let Some((norm, fused)) = self.plan_normalisation(pool) else {
            return;
        };
        // In training its statistics are still wanted, and it stays for them.
        let moved: &[usize] = match self.mode {
            Mode::Training => &[],
            Mode::Evaluation => &[norm],
        };
        self.replace(moved, pool, fused);
    }

    fn plan_normalisation(&self, pool: usize) -> Option<(usize, Fused)> {
        let operator = self.operator::<RectifiedMaxPool2d>(pool)?;
        let normalised = self.input(pool, 0)?;
        let index = self.producer(normalised)?;
        let norm = self.operator::<BatchNormalisation>(index)?;
        let running = self.mode == Mode::Training && norm.frozen;
        if running || self.only_reader(normalised) != Some(pool) {
            return None;
        }
        let node = &self.nodes[index].as_ref()?.node;
        let [x, weight, bias, running_mean, running_var] = node.inputs[..] else {
            return None;
        };
        let [_, mean, inverse_std, _, residual] = node.outputs[..] else {
            return None;
        };
        let statistics: Vec<Var> = match self.mode {
            Mode::Training => vec![mean, residual, inverse_std],
            Mode::Evaluation => vec![running_mean, running_var],
        };
        let mut fused = self.nodes[pool].clone()?;
        fused.node.operator = Arc::new(RectifiedMaxPool2d {
            epsilon: Some(norm.epsilon),
            ..*operator
        });
        let slopes = fused.node.inputs.get(1).copied();
        fused.node.inputs = [vec![x, weight, bias], statistics].concat();
        fused.node.inputs.extend(slopes);
        Some((index, fused))
    }

    fn fuse_prelu_grad(&mut self, routing: usize) {
        let Some((last, fused)) = self.plan_prelu_grad(routing) else {
            return;
        };
        self.replace(&[routing], last, fused);
    }

    fn plan_prelu_grad(&self, routing: usize) -> Option<(usize, Fused)> {
        let pool = *self.operator::<MaxPool2dGrad>(routing)?;
        let last = self.only_reader(self.output(routing, 0)?)?;
        let prelu = *self.operator::<PreluGrad>(last)?;
        if pool.is_masked() || self.input(last, 2)? != self.output(routing, 0)? {
            return None;
        }
        let mut fused = self.nodes[last].clone()?;
        fused.node.operator = Arc::new(prelu.behind(pool));
        fused.node.inputs.pop();
        let delta_and_places = [self.input(routing, 1)?, self.input(routing, 0)?];
        fused.node.inputs.extend(delta_and_places);
        Some((last, fused))
    }
}

struct RectifiedPool {
    /// The rectifier's node, which goes.
    rectifier: usize,
    /// What takes the place of the pooling.
    pool: Fused,
    /// Nodes of the gradients of pooling and rectifier, and what takes the place of the latter.
    gradient: Option<(usize, usize, Fused)>,
}
