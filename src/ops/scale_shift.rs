//! A learned factor and summand for each channel: Caffe's `Scale` layer with a bias, the affine
//! half of batch normalisation.

use super::sum_partials::{SumPartials, splits};
use super::{Operator, Reason, arity, elementwise};
use crate::autodiff::Backward;
use crate::graph::{Declaration, Graph, ValueType, Var};
use crate::layout::LANES;
use crate::onnx::{OnnxNode, Translation};
use crate::plan::Lowering;
use crate::shader::{Grid, Kernel, shader};

/// `y = γ_c · x + β_c` for channel c. Operands: x, γ, β.
///
/// γ and β are the parameters `<layer>.weight` and `<layer>.bias`, which start at 1 and 0 and are
/// not decayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleShift;

impl Operator for ScaleShift {
    fn name(&self) -> &'static str {
        "scale_shift"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x, weight, bias] = arity::<3>(inputs)?;
        check_vector(&x, &weight)?;
        check_vector(&x, &bias)?;
        Ok(vec![x])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let (x, weight) = (cx.input(0), cx.input(1));
        let gradients = cx.apply_all(ScaleShiftGrad, &[x, weight, delta]);
        for (index, gradient) in gradients.into_iter().take(3).enumerate() {
            if cx.wants(index) {
                cx.set(index, gradient);
            }
        }
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, weight, bias, y) = (cx.input(0), cx.input(1), cx.input(2), cx.output(0));
        let kernel = elementwise::kernel(shader!("scale_shift"), "y", &y)
            .define("VECS", weight.len.div_ceil(LANES))
            .bind("x", &x)
            .bind("weight", &weight)
            .bind("bias", &bias);
        cx.dispatch(kernel);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let scaled = OnnxNode::new("Mul", [cx.input(0)?, cx.per_channel(1)?]);
        let scaled = cx.step(scaled);
        let shifted = OnnxNode::new("Add", [scaled, cx.per_channel(2)?]);
        cx.result(shifted);
        Ok(())
    }

    fn keeps_distribution(&self) -> bool {
        true
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        inputs
            .first()
            .map_or(0, |x| 2 * x.logical_len(batch) as u64)
    }
}

/// All gradients of [`ScaleShift`] in one pass. Operands: x, γ, δy. Results: `δx = γ · δy`;
/// `δγ = Σ δy · x` and `δβ = Σ δy` over batch and positions. δx, and the two sums together, are
/// computed only if they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleShiftGrad;

impl Operator for ScaleShiftGrad {
    fn name(&self) -> &'static str {
        "scale_shift_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x, weight, delta] = arity::<3>(inputs)?;
        check_vector(&x, &weight)?;
        elementwise::same_type::<2>(&[&x, &delta])?;
        Ok(vec![x, weight.clone(), weight])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, weight, dy) = (cx.input(0), cx.input(1), cx.input(2));
        let (wants_dx, wants_sums) = (cx.is_used(0), cx.is_used(1) || cx.is_used(2));
        let length = x.len.div_ceil(LANES);
        let vectors = weight.len.div_ceil(LANES);
        let pieces = splits(cx.adapter(), vectors, length / vectors);
        let threads = if wants_sums { pieces * vectors } else { length };
        let mut kernel = Kernel::new(shader!("scale_shift_grad"), Grid::Threads(threads))
            .define("LENGTH", length)
            .define("VECS", vectors)
            .define("THREADS", threads)
            .flag("DX", wants_dx)
            .flag("SUMS", wants_sums)
            .bind("dy", &dy);
        if wants_dx {
            kernel = kernel.bind("weight", &weight).bind("dx", &cx.output(0));
        }
        if !wants_sums {
            cx.dispatch(kernel);
            return Ok(());
        }
        let partials = ["weight_partials", "bias_partials"]
            .map(|name| (name, cx.temporary(name, threads * LANES)));
        for (name, buffer) in partials {
            kernel = kernel.bind(name, buffer);
        }
        cx.dispatch(kernel.bind("x", &x));
        let sum = SumPartials {
            samples: 1,
            splits: pieces,
            vectors,
            scale: 1.0,
            lanes: false,
        };
        let [first, second] = partials.map(|(_, buffer)| buffer);
        match [cx.is_used(1), cx.is_used(2)] {
            [true, true] => {
                let [dweight, dbias] = [1, 2].map(|result| cx.output(result).buffer);
                sum.lower_pair(cx, [(first, dweight), (second, dbias)]);
            }
            [true, false] => {
                let dweight = cx.output(1).buffer;
                sum.lower(cx, first, dweight);
            }
            [false, _] => {
                let dbias = cx.output(2).buffer;
                sum.lower(cx, second, dbias);
            }
        }
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        // A product for δx, a product and a sum for δγ, a sum for δβ.
        inputs
            .first()
            .map_or(0, |x| 4 * x.logical_len(batch) as u64)
    }
}

/// Whether `vector` holds a number for each channel of `x`.
fn check_vector(x: &ValueType, vector: &ValueType) -> Result<(), Reason> {
    if x.shape.is_empty() || !x.is_standard() {
        return Err(format!(
            "an image or features are needed, the input is {}",
            x.shape
        ));
    }
    if *vector.shape != x.shape[..1] || vector.batched {
        return Err(format!(
            "a number for each of the {} channels of the input {} is needed, not {}",
            x.shape[0], x.shape, vector.shape
        ));
    }
    Ok(())
}

impl Graph {
    /// Applies [`ScaleShift`] to an image `[C, H, W]` or features `[F]`, with the parameters
    /// `<layer>.weight` and `<layer>.bias` of shape `[C]`.
    ///
    /// ```
    /// use wgrad::graph::Graph;
    ///
    /// let mut graph = Graph::new();
    /// let x = graph.input("image", [16, 8, 8]);
    /// let y = graph.scale_shift(x);
    /// assert_eq!(**graph.shape(y), [16, 8, 8]);
    /// assert_eq!(graph.parameters()[0].name, "scale_shift1.weight");
    /// assert_eq!(graph.parameters()[1].name, "scale_shift1.bias");
    /// ```
    pub fn scale_shift(&mut self, x: Var) -> Var {
        let x = self.relayout(x);
        let name = self.layer_name("scale_shift");
        let channels = self.shape(x).first().copied().unwrap_or(1);
        let weight = self.parameter(&name, "weight", Declaration::vector(channels, 1.0));
        let bias = self.parameter(&name, "bias", Declaration::vector(channels, 0.0));
        self.apply(&name, ScaleShift, &[x, weight, bias])
    }
}
