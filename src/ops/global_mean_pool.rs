//! Global mean pooling (Lin, Chen and Yan, "Network in network", 2013): the mean of every
//! channel over all its positions.

use super::sum_partials::{SumPartials, splits};
use super::{Operator, Reason, arity, elementwise, image};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::layout::LANES;
use crate::onnx::{OnnxNode, Translation};
use crate::plan::{BufferId, Lowering};
use crate::shader::{Grid, Kernel, shader};

/// `y[c] = 1/(H·W) · Σ_{i,j} x[c,i,j]`: an image `[C, H, W]` becomes features `[C]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalMeanPool;

impl Operator for GlobalMeanPool {
    fn name(&self) -> &'static str {
        "global_mean_pool"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x] = arity::<1>(inputs)?;
        let [channels, ..] = image(&x)?;
        Ok(vec![ValueType {
            batched: x.batched,
            ..ValueType::sample([channels])
        }])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let input = image(&cx.type_of(cx.input(0)))?;
        let dx = cx.apply(GlobalMeanPoolGrad { input }, &[delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, y) = (cx.input(0), cx.output(0));
        let [channels, height, width] = image(&x.value_type)?;
        let (vectors, positions) = (channels.div_ceil(LANES), height * width);
        let samples = y.len.div_ceil(LANES) / vectors;
        average(cx, x.buffer, y.buffer, [samples, positions, vectors]);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let pooled = OnnxNode::new("GlobalAveragePool", [cx.input(0)?]);
        let pooled = cx.step(pooled);
        cx.result(OnnxNode::new("Flatten", [pooled]).int("axis", 1));
        Ok(())
    }

    fn keeps_distribution(&self) -> bool {
        true
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        inputs.first().map_or(0, |x| x.logical_len(batch) as u64)
    }
}

/// Emits the kernels for `y[n][v] = 1/positions · Σ_p x[n][p][v]`, where `extents` are samples,
/// positions and the vec4s `v` of one.
pub(crate) fn average(cx: &mut Lowering<'_>, x: BufferId, y: BufferId, extents: [usize; 3]) {
    let [samples, positions, vectors] = extents;
    let results = samples * vectors;
    let pieces = splits(cx.adapter(), results, positions);
    let mean = 1.0 / positions as f64;
    let length = results * pieces;
    let kernel = Kernel::new(shader!("global_mean_pool"), Grid::Threads(length))
        .define("LENGTH", length)
        .define("VECS", vectors)
        .define("POSITIONS", positions)
        .define("SPLITS", pieces)
        .constant("scale", if pieces == 1 { mean } else { 1.0 })
        .bind("x", x);
    if pieces == 1 {
        cx.dispatch(kernel.bind("sums", y));
        return;
    }
    let partials = cx.temporary("partials", length * LANES);
    cx.dispatch(kernel.bind("sums", partials));
    let sum = SumPartials {
        samples,
        splits: pieces,
        vectors,
        scale: mean,
        lanes: false,
    };
    sum.lower(cx, partials, y);
}

/// Every position gets δ/(H·W). Operand: δy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalMeanPoolGrad {
    input: [usize; 3],
}

impl Operator for GlobalMeanPoolGrad {
    fn name(&self) -> &'static str {
        "global_mean_pool_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [delta] = arity::<1>(inputs)?;
        if *delta.shape != self.input[..1] || !delta.is_standard() {
            return Err(format!(
                "the gradient {} does not fit the {} channels",
                delta.shape, self.input[0]
            ));
        }
        Ok(vec![ValueType {
            batched: delta.batched,
            ..ValueType::sample(self.input)
        }])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (dy, dx) = (cx.input(0), cx.output(0));
        let [channels, height, width] = self.input;
        let kernel = elementwise::kernel(shader!("global_mean_pool_grad"), "dx", &dx)
            .define("VECS", channels.div_ceil(LANES))
            .define("POSITIONS", height * width)
            .bind("dy", &dy);
        cx.dispatch(kernel);
        Ok(())
    }
}

impl Graph {
    /// Applies [`GlobalMeanPool`]: an image `[C, H, W]` becomes features `[C]`.
    pub fn global_mean_pool(&mut self, x: Var) -> Var {
        let x = self.relayout(x);
        let name = self.layer_name("global_mean_pool");
        self.apply(&name, GlobalMeanPool, &[x])
    }
}
