//! Adaptive mean pooling: the average of every bin, for images of any size.

use super::bins::Bins;
use super::{Operator, Reason, arity, elementwise, image, image_gradient};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::onnx::{Constant, OnnxNode, Translation};
use crate::plan::Lowering;
use crate::shader::shader;
use crate::shape::Size2d;

/// `y[c,i,j] = 1/n · Σ x[c,u,v]` over the n elements of the rows `⌊i·H/h⌋ ≤ u < ⌈(i+1)·H/h⌉` and
/// the columns `⌊j·W/w⌋ ≤ v < ⌈(j+1)·W/w⌉`: an image `[C, H, W]` of any size becomes
/// `[C, h, w]`.
///
/// Source: PyTorch, `torch.nn.AdaptiveAvgPool2d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveMeanPool2d {
    bins: Bins,
}

impl AdaptiveMeanPool2d {
    /// So many rows and columns of results.
    pub fn new(bins: impl Into<Size2d>) -> Self {
        Self {
            bins: Bins::new(bins.into()),
        }
    }
}

impl Operator for AdaptiveMeanPool2d {
    fn name(&self) -> &'static str {
        "adaptive_mean_pool2d"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x] = arity::<1>(inputs)?;
        Ok(vec![ValueType {
            batched: x.batched,
            ..ValueType::sample(self.bins.output(image(&x)?)?)
        }])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let gradient = AdaptiveMeanPool2dGrad {
            pool: *self,
            input: image(&cx.type_of(cx.input(0)))?,
        };
        let dx = cx.apply(gradient, &[delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, y) = (cx.input(0), cx.output(0));
        let kernel = elementwise::kernel(shader!("adaptive_mean_pool2d"), "y", &y).bind("x", &x);
        cx.dispatch(self.bins.define(kernel, image(&x.value_type)?));
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let input = image(cx.input_type(0))?;
        let x = cx.input(0)?;
        if self.bins.is_one() {
            cx.result(OnnxNode::new("GlobalAveragePool", [x]));
            return Ok(());
        }
        // The mean over bins of rows and columns: A·X·Bᵀ, with 1/n where a bin has a position.
        let [rows, columns] = self.bins.along(input);
        let weights = |bins: &[[usize; 2]], length: usize, transposed: bool| {
            let mut matrix = vec![0.0; bins.len() * length];
            for (bin, &[start, end]) in bins.iter().enumerate() {
                for position in start..end {
                    let place = match transposed {
                        false => bin * length + position,
                        true => position * bins.len() + bin,
                    };
                    matrix[place] = 1.0 / (end - start) as f32;
                }
            }
            matrix
        };
        let [_, height, width] = input;
        let left = Constant::Floats(vec![rows.len(), height], weights(&rows, height, false));
        let right = Constant::Floats(vec![width, columns.len()], weights(&columns, width, true));
        let (left, right) = (cx.constant("rows", left), cx.constant("columns", right));
        let sums = cx.step(OnnxNode::new("MatMul", [left, x]));
        cx.result(OnnxNode::new("MatMul", [sums, right]));
        Ok(())
    }

    fn keeps_distribution(&self) -> bool {
        true
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        inputs.first().map_or(0, |x| x.logical_len(batch) as u64)
    }
}

/// δ of every bin is spread evenly over its n elements: each gets δ/n from every bin that holds
/// it. Operand: δy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveMeanPool2dGrad {
    pool: AdaptiveMeanPool2d,
    input: [usize; 3],
}

impl Operator for AdaptiveMeanPool2dGrad {
    fn name(&self) -> &'static str {
        "adaptive_mean_pool2d_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        image_gradient(inputs, self.input, self.pool.bins.output(self.input)?)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (dy, dx) = (cx.input(0), cx.output(0));
        let kernel =
            elementwise::kernel(shader!("adaptive_mean_pool2d_grad"), "dx", &dx).bind("dy", &dy);
        cx.dispatch(self.pool.bins.define(kernel, self.input));
        Ok(())
    }
}

impl Graph {
    /// Applies [`AdaptiveMeanPool2d`]: an image `[C, H, W]` becomes `[C, h, w]` for `bins` of
    /// `[h, w]`.
    pub fn adaptive_mean_pool2d(&mut self, x: Var, bins: impl Into<Size2d>) -> Var {
        let x = self.relayout(x);
        let name = self.layer_name("adaptive_mean_pool");
        let passes = Bins::new(bins.into()).passes(self.shape(x).image().unwrap_or_default());
        passes.fold(x, |x, bins| {
            self.apply(&name, AdaptiveMeanPool2d::new(bins), &[x])
        })
    }
}
