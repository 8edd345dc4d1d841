//! The parametric rectifier: the slope for negative inputs is learned (He, Zhang, Ren and
//! Sun, "Delving deep into rectifiers", ICCV 2015).

use super::max_pool2d::MaxPool2dGrad;
use super::sum_partials::{SumPartials, splits};
use super::{Operator, Reason, arity, elementwise};
use crate::autodiff::Backward;
use crate::graph::{Declaration, Graph, ValueType, Var};
use crate::layout::LANES;
use crate::onnx::{OnnxNode, Translation};
use crate::plan::{Lowering, Operand};
use crate::shader::{Grid, Kernel, shader};

/// `y = max(0, x) + a · min(0, x)`, with a learned slope `a` for each channel or one for all.
///
/// The slope is the parameter `<layer>.weight`. It starts at 0.25, is not constrained in sign,
/// and is never decayed, because decay would pull the layer towards ReLU. NaN stays NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prelu {
    shared: bool,
    init: f64,
}

impl Prelu {
    /// A slope for each channel of an image, or for each feature.
    pub const fn per_channel() -> Self {
        Self {
            shared: false,
            init: 0.25,
        }
    }

    /// One slope for the whole layer.
    pub const fn shared() -> Self {
        Self {
            shared: true,
            init: 0.25,
        }
    }

    pub(crate) const fn is_shared(self) -> bool {
        self.shared
    }

    /// The slope at the start, 0.25 unless told; also the slope for which the default
    /// initialiser of the layer in front is chosen.
    #[must_use]
    pub const fn init(self, slope: f64) -> Self {
        Self {
            init: slope,
            ..self
        }
    }
}

impl Default for Prelu {
    fn default() -> Self {
        Self::per_channel()
    }
}

impl Operator for Prelu {
    fn name(&self) -> &'static str {
        "prelu"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x, alpha] = arity::<2>(inputs)?;
        if !self.init.is_finite() {
            return Err(format!("the slope {} is not a finite number", self.init));
        }
        check_slopes(self.shared, &x, &alpha)?;
        Ok(vec![x])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let (x, alpha) = (cx.input(0), cx.input(1));
        let shared = self.shared;
        let gradient = PreluGrad {
            shared,
            pool: None,
            bias: false,
        };
        let gradients = cx.apply_all(gradient, &[x, alpha, delta]);
        for (index, gradient) in gradients.into_iter().take(2).enumerate() {
            if cx.wants(index) {
                cx.set(index, gradient);
            }
        }
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, alpha, y) = (cx.input(0), cx.input(1), cx.output(0));
        let kernel = elementwise::kernel(shader!("prelu"), "y", &y)
            .define("VECS", vectors(self.shared, &alpha))
            .flag("SHARED", self.shared)
            .bind("x", &x)
            .bind("alpha", &alpha);
        cx.dispatch(kernel);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let slopes = match self.shared {
            true => cx.input(1)?,
            false => cx.per_channel(1)?,
        };
        let operands = [cx.input(0)?, slopes];
        cx.result(OnnxNode::new("PRelu", operands));
        Ok(())
    }

    fn rectifier_slope(&self) -> Option<f64> {
        Some(self.init)
    }
}

/// Both gradients of [`Prelu`] in one pass. Operands: x, the slopes, δy. Results:
/// `δx = δy` where `x > 0`, else `a · δy`; `δa = Σ δy · min(0, x)` over batch and positions,
/// and over channels for a shared slope. A result that nobody reads is not computed.
///
/// The planner fuses two neighbours. The gradient of a max pooling behind the layer: in place of
/// δy come the operands δ of the pooled result and the winners' places. The gradient of a bias
/// before the layer: a third result, `Σ δx` over batch and positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreluGrad {
    shared: bool,
    pool: Option<MaxPool2dGrad>,
    bias: bool,
}

impl PreluGrad {
    /// With the gradient of a max pooling behind the layer.
    pub(crate) const fn behind(self, pool: MaxPool2dGrad) -> Self {
        Self {
            pool: Some(pool),
            ..self
        }
    }

    /// With the gradient of a bias before the layer; not for shared slopes, whose sums run over
    /// all channels.
    pub(crate) fn with_bias_gradient(self) -> Option<Self> {
        (!self.shared && !self.bias).then_some(Self { bias: true, ..self })
    }
}

impl Operator for PreluGrad {
    fn name(&self) -> &'static str {
        "prelu_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x, alpha, delta] = arity::<3>(inputs)?;
        check_slopes(self.shared, &x, &alpha)?;
        elementwise::same_type::<2>(&[&x, &delta])?;
        Ok(vec![x, alpha])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, alpha, dy) = (cx.input(0), cx.input(1), cx.input(2));
        let (wants_dx, wants_dalpha) = (cx.is_used(0), cx.is_used(1));
        let at_once = self.pool.map_or(1, |pool| pool.elements_at_once());
        let length = x.len.div_ceil(LANES) / at_once;
        let vectors = vectors(self.shared, &alpha);
        let pieces = splits(cx.adapter(), vectors, length / vectors);
        let threads = if wants_dalpha {
            pieces * vectors
        } else {
            length
        };
        let mut kernel = Kernel::new(shader!("prelu_grad"), Grid::Threads(threads))
            .define("LENGTH", length)
            .define("THREADS", threads)
            .flag("SHARED", self.shared)
            .flag("DX", wants_dx)
            .flag("DALPHA", wants_dalpha)
            .bind("x", &x);
        kernel = match self.pool {
            Some(pool) => pool.route(kernel.flag("POOLED", true), &cx.input(3), &dy)?,
            None => kernel.define("VECS", vectors).bind("dy", &dy),
        };
        if wants_dx {
            kernel = kernel.bind("alpha", &alpha).bind("dx", &cx.output(0));
        }
        if !wants_dalpha {
            cx.dispatch(kernel);
            return Ok(());
        }
        let partials = cx.temporary("partials", threads * LANES);
        kernel = kernel.bind("partials", partials);
        let bias_partials = self
            .bias
            .then(|| cx.temporary("bias_partials", threads * LANES));
        if let Some(partials) = bias_partials {
            kernel = kernel.flag("DBIAS", true).bind("bias_partials", partials);
        }
        cx.dispatch(kernel);
        let sum = SumPartials {
            samples: 1,
            splits: pieces,
            vectors,
            scale: 1.0,
            lanes: self.shared,
        };
        let dalpha = cx.output(1).buffer;
        match bias_partials {
            None => sum.lower(cx, partials, dalpha),
            Some(bias_partials) => {
                let dbias = cx.output(2).buffer;
                sum.lower_pair(cx, [(partials, dalpha), (bias_partials, dbias)]);
            }
        }
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        // A product for δx, a product and a sum for δa.
        inputs
            .first()
            .map_or(0, |x| 3 * x.logical_len(batch) as u64)
    }
}

/// vec4s after which the slopes repeat.
fn vectors(shared: bool, alpha: &Operand) -> usize {
    if shared { 1 } else { alpha.len.div_ceil(LANES) }
}

fn check_slopes(shared: bool, x: &ValueType, alpha: &ValueType) -> Result<(), Reason> {
    if shared {
        return match *alpha.shape {
            [1] => Ok(()),
            _ => Err(format!("one slope is needed, there are {}", alpha.shape)),
        };
    }
    if x.shape.is_empty() {
        return Err("a slope for each channel needs an input with channels".to_owned());
    }
    if !x.is_standard() {
        return Err(format!(
            "a slope for each channel needs the channels in their own order, but the input {} \
             is a reshaped value; apply it before the reshape, share one slope, or relayout",
            x.shape
        ));
    }
    if *alpha.shape != x.shape[..1] {
        return Err(format!(
            "the slopes {} do not fit the {} channels of the input {}",
            alpha.shape, x.shape[0], x.shape
        ));
    }
    Ok(())
}

impl Graph {
    /// Applies [`Prelu`] to an image `[C, H, W]` or features `[F]`; the slopes are the
    /// parameter `<layer>.weight` of shape `[C]`, or `[1]` when shared.
    ///
    /// ```
    /// use wgrad::graph::Graph;
    /// use wgrad::ops::prelu::Prelu;
    ///
    /// let mut graph = Graph::new();
    /// let x = graph.input("image", [16, 8, 8]);
    /// let y = graph.prelu(x, Prelu::per_channel());
    /// assert_eq!(**graph.shape(y), [16, 8, 8]);
    /// assert_eq!(graph.parameters()[0].name, "prelu1.weight");
    /// ```
    pub fn prelu(&mut self, x: Var, prelu: Prelu) -> Var {
        let x = if prelu.shared { x } else { self.relayout(x) };
        let name = self.layer_name("prelu");
        let channels = self.shape(x).first().copied().unwrap_or(1);
        let slopes = if prelu.shared { 1 } else { channels };
        let alpha = self.parameter(&name, "weight", Declaration::vector(slopes, prelu.init));
        self.apply(&name, prelu, &[x, alpha])
    }
}
