//! A problem by itself, as it is measured.

use super::choose::Pass;
use super::forward::Convolution;
use super::grad_input::ConvolutionGradInput;
use super::grad_weight::ConvolutionGradWeight;
use super::problem::Problem;
use crate::graph::{Graph, ValueType, Var};

/// A graph of nothing but one problem, whose operands and result lie in buffers of their own.
pub(crate) struct Alone {
    pub(crate) graph: Graph,
    pub(crate) operands: [Var; 2],
    pub(crate) result: Var,
    pub(crate) batch: usize,
}

impl Problem {
    pub(crate) fn alone(&self) -> Alone {
        let (geometry, variant) = (self.geometry, None);
        let mut graph = Graph::new();
        let mut operand =
            |name: &str, value_type: ValueType| graph.persistent(name, value_type, name, 0);
        let image = |sizes: [usize; 3]| ValueType::sample(sizes);
        let operands = match self.pass {
            Pass::Forward => [
                operand("x", image(geometry.input)),
                operand("weight", geometry.weight_type()),
            ],
            Pass::GradInput => [
                operand("dy", image(geometry.output)),
                operand("weight", geometry.weight_type()),
            ],
            Pass::GradWeight => [
                operand("x", image(geometry.input)),
                operand("dy", image(geometry.output)),
            ],
        };
        let result = match self.pass {
            Pass::Forward => {
                let (window, groups) = (geometry.window, geometry.groups);
                let operator = Convolution {
                    window,
                    groups,
                    variant,
                };
                graph.apply("alone", operator, &operands)
            }
            Pass::GradInput => {
                let operator = ConvolutionGradInput { geometry, variant };
                graph.apply("alone", operator, &operands)
            }
            Pass::GradWeight => {
                let operator = ConvolutionGradWeight { geometry, variant };
                graph.apply("alone", operator, &operands)
            }
        };
        graph.place(result, "result", 0);
        Alone {
            graph,
            operands,
            result,
            batch: self.batch,
        }
    }
}
