//! Residual sums and rectifiers, computed by the kernel whose result they take.

use std::any::Any;

use super::{Fused, Fuser};
use crate::graph::{Node, Var};
use crate::ops::add::Add;
use crate::ops::leaky_relu::LeakyRelu;
use crate::ops::prelu::Prelu;
use crate::ops::relu::Relu;
use crate::shader::Kernel;

/// What a kernel does to its first result before it stores it: `rectify(value + residual)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Epilogue {
    pub(crate) residual: Option<Var>,
    pub(crate) rectifier: Option<Rectifier>,
}

/// A function that is the identity above zero, and a multiple of it below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rectifier {
    Relu,
    Leaky(f64),
    Prelu { slopes: Var, shared: bool },
}

impl Rectifier {
    /// What a node computes, if it is a rectifier.
    pub(super) fn of(node: &Node) -> Option<Self> {
        let operator: &dyn Any = node.operator.as_ref();
        if operator.is::<Relu>() {
            return Some(Self::Relu);
        }
        if let Some(leaky) = operator.downcast_ref::<LeakyRelu>() {
            return Some(Self::Leaky(leaky.slope()));
        }
        let prelu = operator.downcast_ref::<Prelu>()?;
        Some(Self::Prelu {
            slopes: *node.inputs.get(1)?,
            shared: prelu.is_shared(),
        })
    }

    /// The learned slopes.
    pub(crate) fn slopes(self) -> Option<Var> {
        match self {
            Self::Prelu { slopes, .. } => Some(slopes),
            _ => None,
        }
    }

    /// Tells a shader that imports `wgrad::epilogue` which function it is; slopes are bound apart.
    pub(crate) fn define(self, kernel: Kernel) -> Kernel {
        match self {
            Self::Relu => kernel.flag("RELU", true),
            Self::Leaky(slope) => {
                // As bits: shader definitions are integers.
                let bits = (slope as f32).to_bits().cast_signed();
                kernel
                    .flag("LEAKY", true)
                    .define_signed("SLOPE", i64::from(bits))
            }
            Self::Prelu { shared, .. } => kernel.flag("SLOPES", true).flag("SHARED_SLOPE", shared),
        }
    }
}

impl Epilogue {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The values that it reads.
    pub(crate) fn vars(&self) -> impl Iterator<Item = Var> + use<> {
        let slopes = self.rectifier.and_then(Rectifier::slopes);
        self.residual.into_iter().chain(slopes)
    }
}

impl Fuser<'_> {
    /// Moves the sums and the rectifier behind a node into its epilogue.
    pub(super) fn fuse_epilogue(&mut self, index: usize) {
        let mut index = index;
        while let Some((last, fused)) = self.with_epilogue(index) {
            self.replace(&[index], last, fused);
            index = last;
        }
    }

    /// The node with one more operator in its epilogue, and where that operator stands.
    fn with_epilogue(&self, index: usize) -> Option<(usize, Fused)> {
        let mut fused = self.nodes[index].clone()?;
        let operator = &fused.node.operator;
        if !operator.takes_epilogue() || operator.is_view(self.mode) {
            return None;
        }
        // The rectifier comes last.
        if fused.epilogue.rectifier.is_some() {
            return None;
        }
        let value = *fused.node.outputs.first()?;
        let last = self.only_reader(value)?;
        if !self.can_move(index, last, value) {
            return None;
        }
        let next = self.nodes[last].as_ref()?;
        if !next.epilogue.is_empty() {
            return None;
        }
        if let Some(rectifier) = Rectifier::of(&next.node) {
            fused.epilogue.rectifier = Some(rectifier);
        } else if self.operator::<Add>(last).is_some() && fused.epilogue.residual.is_none() {
            let other = *next.node.inputs.iter().find(|v| **v != value)?;
            if self.comes_later(other, index, last) {
                return None;
            }
            fused.epilogue.residual = Some(other);
        } else {
            return None;
        }
        *fused.node.outputs.first_mut()? = *next.node.outputs.first()?;
        Some((last, fused))
    }

    /// Whether the other operand of the sum `last` is computed after the node `index` by one that
    /// will take the sum too: then less has to wait for it.
    fn comes_later(&self, other: Var, index: usize, last: usize) -> bool {
        let producer = self.producer(other).filter(|&p| p > index);
        let takes = |p: usize| {
            let fused = self.nodes[p].as_ref();
            fused.is_some_and(|f| f.node.operator.takes_epilogue() && f.epilogue.is_empty())
        };
        producer.is_some_and(takes) && self.only_reader(other) == Some(last)
    }
}
