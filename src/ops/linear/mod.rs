//! The fully connected layer: `z' = z·Wᵀ + b`.

mod grads;
mod pieces;
mod product;
pub(super) mod subgroup;

pub use grads::{LinearGradInput, LinearGradWeight};
pub(super) use pieces::is_bound_whole;
pub(super) use product::{
    Product, longest_cut, lower_grad_input, lower_grad_weight, lower_product, parts,
};

use super::channel_sum::ChannelSum;
use super::conv2d::{self, Pass, Problem};
use super::{Operator, Reason};
use crate::autodiff::Backward;
use crate::graph::{Declaration, Graph, ValueType, Var};
use crate::init::{Fans, Init};
use crate::layout::{LANES, Layout};
use crate::onnx::{OnnxNode, Translation};
use crate::plan::Lowering;

/// A linear layer: parameters `weight` of shape `[out, in]` and `bias` of `[out]`.
///
/// ```
/// use wgrad::graph::Graph;
/// use wgrad::ops::Linear;
///
/// let mut graph = Graph::new();
/// let x = graph.input("x", [64]);
/// let y = graph.linear(x, Linear::new(10));
/// assert_eq!(graph.shape(y)[..], [10]);
/// ```
#[derive(Clone, Debug)]
pub struct Linear {
    pub(crate) out_features: usize,
    pub(crate) bias: bool,
    pub(crate) init: Option<Init>,
    pub(crate) name: Option<String>,
}

impl Linear {
    /// `out_features` sums over all inputs, with bias.
    pub fn new(out_features: usize) -> Self {
        Self {
            out_features,
            bias: true,
            init: None,
            name: None,
        }
    }

    /// Whether a number per output is added.
    #[must_use]
    pub fn bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    /// The weights' first values; by default He for a rectifier that follows, else Xavier.
    #[must_use]
    pub fn init(mut self, init: Init) -> Self {
        self.init = Some(init);
        self
    }

    /// The layer's path, in place of `linear1`, `linear2`, ...
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl Graph {
    /// Connects features `[in]` to `[out]`. An image is flattened by [`Graph::flatten`] before.
    pub fn linear(&mut self, x: Var, layer: Linear) -> Var {
        let path = self.path(layer.name.as_deref(), "linear");
        let inputs = self.shape(x).elements();
        let shape = [layer.out_features, inputs];
        let layout = Layout::matrix(layer.out_features, &self.type_of(x).layout);
        let weight = Declaration::weight(shape, layout, Fans::of(&shape), layer.init);
        let mut operands = vec![x, self.parameter(&path, "weight", weight)];
        if layer.bias {
            let bias = Declaration::vector(layer.out_features, 0.0);
            operands.push(self.parameter(&path, "bias", bias));
        }
        self.apply(&path, LinearProduct, &operands)
    }
}

/// `z' = z·Wᵀ + b`. Operands: z `[in]`, W `[out, in]`, and b `[out]` or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearProduct;

impl Operator for LinearProduct {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let ([x, weight] | [x, weight, _]) = inputs else {
            return Err("features, weights and perhaps a bias are needed".to_owned());
        };
        if x.shape.len() != 1 {
            return Err(format!(
                "features of shape [in] are needed, the input is {}; flatten it first",
                x.shape
            ));
        }
        if weight.shape.len() != 2 || weight.shape[1] != x.shape[0] {
            return Err(format!(
                "the input {} does not fit the weights {}",
                x.shape, weight.shape
            ));
        }
        if weight.layout != Layout::matrix(weight.shape[0], &x.layout) {
            return Err("the weights are stored for an input in another order".to_owned());
        }
        Ok(vec![ValueType::sample([weight.shape[0]])])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let (x, weight) = (cx.input(0), cx.input(1));
        if cx.wants(0) {
            let input = cx.type_of(x);
            let dx = cx.apply(LinearGradInput { input }, &[delta, weight]);
            cx.set(0, dx);
        }
        if cx.wants(1) {
            let weight = cx.type_of(weight);
            let dw = cx.apply(LinearGradWeight { weight }, &[x, delta]);
            cx.set(1, dw);
        }
        if cx.inputs() > 2 && cx.wants(2) {
            let db = cx.apply(ChannelSum, &[delta]);
            cx.set(2, db);
        }
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, weight, y) = (cx.input(0), cx.input(1), cx.output(0));
        let bias = (cx.inputs() > 2).then(|| cx.input(2));
        let [inputs, outputs] = [&x, &y].map(|z| z.value_type.layout.size() / LANES);
        let problem = Problem::product(Pass::Forward, cx.batch(), inputs, outputs);
        let choice = cx.choose(&problem, None);
        conv2d::lower_forward(cx, &problem, choice, [&x, &weight, &y], bias.as_ref());
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let node = OnnxNode::new("Gemm", cx.all_inputs()?).int("transB", 1);
        cx.result(node);
        Ok(())
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        2 * (batch * inputs[1].shape.elements()) as u64
    }
}
