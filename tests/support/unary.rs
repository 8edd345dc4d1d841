//! The operators of the functions in the reference's table.

use wgrad::graph::{Graph, Var};
use wgrad::ops::{Celu, Elu, Gelu, Softplus};

use crate::reference::unary::Unary;

/// Applies the operator that computes `function`.
pub fn apply(graph: &mut Graph, x: Var, function: Unary) -> Var {
    match function {
        Unary::Celu(alpha) => graph.celu(x, Celu::new(alpha)),
        Unary::Elu(alpha) => graph.elu(x, Elu::new(alpha)),
        Unary::Gelu => graph.gelu(x, Gelu::new()),
        Unary::GeluTanh => graph.gelu(x, Gelu::tanh()),
        Unary::HardSigmoid => graph.hard_sigmoid(x),
        Unary::HardSwish => graph.hard_swish(x),
        Unary::Mish => graph.mish(x),
        Unary::Relu6 => graph.relu6(x),
        Unary::Selu => graph.selu(x),
        Unary::Silu => graph.silu(x),
        Unary::Softplus(beta) => graph.softplus(x, Softplus::new(beta)),
    }
}
