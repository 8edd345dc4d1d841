//! Softmax and cross-entropy in one, from logits: the loss of classification.

use std::sync::Arc;

use super::loss::{self, LossValues, Reduction, reduced};
use super::{Operator, Reason};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::plan::{BufferId, Lowering};
use crate::shader::{Grid, Kernel, shader};

/// `L_n = log Σ_k e^{z_nk} − z_nt` for the label t of sample n, and the mean or sum over n
/// (Bridle 1990; PyTorch's `cross_entropy`).
///
/// Operands: logits z `[K]` and labels. `δz_nk = softmax(z_n)_k − [k = t]`, divided by the
/// batch size for the mean; computed by the same kernel as the loss. The largest logit is taken
/// out first, so that logits of ±10⁴ give finite losses. A label of K or more makes the sample's
/// loss and gradient NaN.
///
/// The options are PyTorch's too. With class weights w, label smoothing ε and
/// `ℓ_nk = −log softmax(z_n)_k`:
///
/// ```text
/// L_n   = (1 − ε)·w_t·ℓ_nt + ε/K · Σ_k w_k·ℓ_nk        0 for the ignored label
/// δz_nk = (1 − ε)·w_t·(softmax_k − [k = t]) + ε/K · (softmax_k·Σ_j w_j − w_k)
/// mean  = Σ_n L_n / Σ_n w_t                            over the samples not ignored
/// ```
///
/// so that a batch of ignored samples has the mean 0/0, NaN.
///
/// ```
/// use wgrad::ops::SoftmaxCrossEntropy;
///
/// let loss = SoftmaxCrossEntropy::new()
///     .label_smoothing(0.1)
///     .class_weights([1.0, 1.0, 2.5])
///     .ignored(255);
/// assert_eq!(loss.ignored, Some(255));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SoftmaxCrossEntropy {
    /// Mean or sum over the batch.
    pub reduction: Reduction,
    /// The share ε of the label that all classes have in common, in `[0, 1]`.
    pub label_smoothing: f32,
    /// What a sample counts, by its label; 1 without.
    pub class_weights: Option<Arc<[f32]>>,
    /// The label of samples that do not count.
    pub ignored: Option<u32>,
}

/// More classes than this are shared by the invocations of a workgroup.
const WIDE: usize = 64;

impl SoftmaxCrossEntropy {
    /// The mean over the batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Spreads this share of every label evenly over all classes (Szegedy et al. 2016).
    #[must_use]
    pub fn label_smoothing(mut self, share: f32) -> Self {
        self.label_smoothing = share;
        self
    }

    /// Lets a sample count by its class, one number for each.
    #[must_use]
    pub fn class_weights(mut self, weights: impl Into<Arc<[f32]>>) -> Self {
        self.class_weights = Some(weights.into());
        self
    }

    /// Leaves out the samples of this label, which may be a number beyond the classes.
    #[must_use]
    pub fn ignored(mut self, label: u32) -> Self {
        self.ignored = Some(label);
        self
    }

    /// Whether samples count differently, so that the mean depends on the labels.
    fn is_weighted(&self) -> bool {
        self.class_weights.is_some() || self.ignored.is_some()
    }

    fn check(&self, classes: usize) -> Result<(), Reason> {
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            return Err(format!(
                "label smoothing must lie in [0, 1], it is {}",
                self.label_smoothing
            ));
        }
        match &self.class_weights {
            Some(weights) if weights.len() != classes => Err(format!(
                "there are {} weights for {classes} classes",
                weights.len()
            )),
            _ => Ok(()),
        }
    }

    /// Emits what each sample counts, and gives the sum of it.
    fn lower_weights(
        &self,
        cx: &mut Lowering<'_>,
        classes: usize,
        weights: Option<BufferId>,
    ) -> BufferId {
        let (labels, counts) = (cx.input(1), cx.output(3));
        let samples = cx.batch();
        let shader = shader!("softmax_cross_entropy_weights");
        let kernel = Kernel::new(shader, Grid::Threads(samples))
            .defines([("SAMPLES", samples), ("CLASSES", classes)])
            .bind("labels", &labels)
            .bind("counts", &counts);
        cx.dispatch(self.with_options(kernel, weights));
        let sum = cx.temporary("weight_sum", 1);
        loss::lower_total(cx, counts.buffer, samples, sum, 1.0, None);
        sum
    }

    fn with_options(&self, mut kernel: Kernel, weights: Option<BufferId>) -> Kernel {
        if let Some(weights) = weights {
            kernel = kernel.flag("WEIGHTS", true).bind("weights", weights);
        }
        if let Some(label) = self.ignored {
            kernel = kernel
                .flag("IGNORED", true)
                .constant("ignored", f64::from(label));
        }
        kernel
    }

    fn with_smoothing(&self, kernel: Kernel, classes: usize) -> Kernel {
        if self.label_smoothing == 0.0 {
            return kernel;
        }
        let share = f64::from(self.label_smoothing);
        let weight_sum = match &self.class_weights {
            Some(weights) => weights.iter().map(|&w| f64::from(w)).sum(),
            None => classes as f64,
        };
        kernel
            .flag("SMOOTHING", true)
            .constant("on_label", 1.0 - share)
            .constant("on_all", share / classes as f64)
            .constant("weight_sum", weight_sum)
    }
}

reduced!(SoftmaxCrossEntropy);

impl Operator for SoftmaxCrossEntropy {
    fn name(&self) -> &'static str {
        "softmax_cross_entropy"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let logits = loss::logits_and_labels(inputs)?;
        self.check(logits.shape.elements())?;
        let mut results = loss::results(&logits);
        if self.is_weighted() {
            results.push(ValueType::sample([]));
        }
        Ok(results)
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        loss::gradient(cx)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (logits, labels) = (cx.input(0), cx.input(1));
        let (total, losses) = (cx.output(0), cx.output(1));
        let (samples, classes) = (cx.batch(), logits.value_type.shape.elements());
        let weights = self.class_weights.as_ref();
        let weights = weights.map(|weights| cx.data("class_weights", weights));
        let sum = self
            .is_weighted()
            .then(|| self.lower_weights(cx, classes, weights));
        let divisor = sum.filter(|_| self.reduction == Reduction::Mean);
        let factor = match divisor {
            Some(_) => 1.0,
            None => self.reduction.scale(samples),
        };

        let wide = classes > WIDE;
        let per_sample = if wide { 64 } else { 1 };
        let grid = Grid::Threads(samples.saturating_mul(per_sample));
        let mut kernel = Kernel::new(shader!("softmax_cross_entropy"), grid)
            .defines([("SAMPLES", samples), ("CLASSES", classes)])
            .flag("WIDE", wide)
            .bind("logits", &logits)
            .bind("labels", &labels)
            .bind("losses", &losses);
        kernel = self.with_options(kernel, weights);
        kernel = self.with_smoothing(kernel, classes);
        if cx.is_used(2) {
            let delta = cx.output(2);
            kernel = kernel
                .flag("DELTA", true)
                .constant("scale", factor)
                .bind("delta", &delta);
            if let Some(divisor) = divisor {
                kernel = kernel.flag("DIVISOR", true).bind("divisor", divisor);
            }
        }
        cx.dispatch(kernel);
        if cx.is_used(0) {
            loss::lower_total(cx, losses.buffer, samples, total.buffer, factor, divisor);
        }
        Ok(())
    }

    fn flops(&self, inputs: &[&ValueType], _: &[&ValueType], batch: usize) -> u64 {
        // Comparison, exponential and sum for the loss; exponential and product for δ.
        inputs
            .first()
            .map_or(0, |z| 6 * z.logical_len(batch) as u64)
    }
}

impl Graph {
    /// The loss of logits `[K]` against class indices ([`SoftmaxCrossEntropy`], or a
    /// [`Reduction`]).
    ///
    /// ```
    /// use wgrad::graph::Graph;
    /// use wgrad::ops::loss::Reduction;
    ///
    /// let mut graph = Graph::new();
    /// let logits = graph.input("logits", [10]);
    /// let labels = graph.labels("labels");
    /// let values = graph.softmax_cross_entropy(logits, labels, Reduction::Mean);
    /// let deltas = wgrad::autodiff::gradients(&mut graph, values.loss, &[logits])?;
    /// assert_eq!(graph.shape(deltas[0]), graph.shape(logits));
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    pub fn softmax_cross_entropy(
        &mut self,
        logits: Var,
        labels: Var,
        loss: impl Into<SoftmaxCrossEntropy>,
    ) -> LossValues {
        let loss = loss.into();
        let weighted = loss.is_weighted();
        let logits = self.relayout(logits);
        let name = self.layer_name("softmax_cross_entropy");
        let results = self.apply_all(&name, Arc::new(loss), &[logits, labels]);
        LossValues {
            weights: results.get(3).copied().filter(|_| weighted),
            ..LossValues::new(&results)
        }
    }
}
