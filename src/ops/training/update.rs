//! One dispatch that updates every parameter, or as many as can be bound at once.

use std::ops::Range;
use std::sync::Arc;

use super::RING;
use super::norm::norm_partials;
use crate::graph::{BLOCK, ValueType};
use crate::layout::LANES;
use crate::ops::{Operator, Reason};
use crate::plan::{BufferId, Lowering};
use crate::shader::{Grid, Kernel, shader};
use crate::train::{Norms, UpdateRule};

/// Applies an update rule to the buffer `parameters`, unless the step's status forbids it.
///
/// Operands: the status, then the gradients, which lie in their buffer where the parameters lie in
/// theirs.
#[derive(Clone, Debug)]
pub struct Update {
    /// What is applied.
    pub rule: Arc<dyn UpdateRule>,
    /// Elements of the buffer `parameters`.
    pub len: usize,
    /// The buffer of the gradients.
    pub gradients: &'static str,
    /// Parameters whose norms the rule reads: entries of the buffer `spans`.
    pub spans: usize,
}

impl Update {
    /// Applies `rule` to `len` elements of parameters, with what lies in `gradients`; it reads
    /// nobody's norms.
    pub fn new(rule: Arc<dyn UpdateRule>, len: usize) -> Self {
        Self {
            rule,
            len,
            gradients: "gradients",
            spans: 0,
        }
    }
}

/// Parameters are updated in pieces of a multiple of this many elements, whose factors then begin
/// where a binding may begin.
const PIECE: usize = BLOCK * BLOCK / 2;

/// Names of the rule's own state, one number per parameter each.
pub(crate) const MOMENTS: [&str; 3] = ["moment0", "moment1", "moment2"];

impl Operator for Update {
    fn name(&self) -> &'static str {
        self.rule.name()
    }

    fn infer(&self, _: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        if self.rule.moments() > MOMENTS.len() {
            return Err(format!("a rule has at most {} moments", MOMENTS.len()));
        }
        for (name, value) in self.rule.constants() {
            let single = value as f32;
            if !single.is_finite() {
                return Err(format!("`{name}` is {value}, in single precision {single}"));
            }
            if name == "epsilon" && single < f32::MIN_POSITIVE {
                let least = f32::MIN_POSITIVE;
                return Err(format!(
                    "`epsilon` is {value}, it must be at least {least:e}"
                ));
            }
        }
        Ok(Vec::new())
    }

    fn acts(&self) -> bool {
        true
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let norms = match self.rule.norms() {
            Norms::None => None,
            Norms::Weights | Norms::All => Some(self.norms(cx)),
        };
        for piece in cx.pieces(self.len, PIECE) {
            let kernel = self.kernel(cx, piece, norms);
            cx.dispatch(kernel);
        }
        Ok(())
    }
}

impl Update {
    /// Updates these elements.
    fn kernel(
        &self,
        cx: &mut Lowering<'_>,
        piece: Range<usize>,
        norms: Option<BufferId>,
    ) -> Kernel {
        let (first, len) = (piece.start, piece.len());
        let parameters = cx.persistent("parameters", first, len);
        let gradients = cx.persistent(self.gradients, first, len);
        let factors = cx.persistent("factors", factors_len(first), factors_len(len));
        let schedule = cx.persistent("schedule", 0, RING * LANES);
        let mut kernel = Kernel::new(self.rule.shader(), Grid::Threads(len / LANES))
            .define("LENGTH", len / LANES)
            .define("RING", RING)
            .bind("parameters", parameters)
            .bind("gradients", gradients)
            .bind("factors", factors)
            .bind("schedule", schedule)
            .bind("status", &cx.input(0));
        if let Some(norms) = norms {
            let [first, len] = [first, len].map(|elements| 2 * elements / BLOCK);
            kernel = kernel.bind("norms", cx.part(norms, first, len));
        }
        for name in MOMENTS.iter().take(self.rule.moments()) {
            kernel = kernel.bind(name, cx.persistent(name, first, len));
        }
        for flag in self.rule.flags() {
            kernel = kernel.flag(flag, true);
        }
        for (name, value) in self.rule.constants() {
            kernel = kernel.constant(name, value);
        }
        kernel
    }

    /// The norms of the parameters that `spans` names and of their gradients, per block.
    fn norms(&self, cx: &mut Lowering<'_>) -> BufferId {
        let parameters = cx.persistent("parameters", 0, self.len);
        let gradients = cx.persistent(self.gradients, 0, self.len);
        let norms = cx.persistent("norms", 0, 2 * self.len / BLOCK);
        if self.spans > 0 {
            let chunk = BLOCK / LANES;
            let weights = norm_partials(cx, "weight_norms", (parameters, self.len), chunk);
            let slopes = norm_partials(cx, "gradient_norms", (gradients, self.len), chunk);
            let spans = cx.persistent("spans", 0, 2 * self.spans);
            let kernel = Kernel::new(
                shader!("parameter_norms"),
                Grid::Workgroups([self.spans, 1, 1]),
            )
            .define("PARAMETERS", self.spans)
            .bind("spans", spans)
            .bind("weight_partials", weights)
            .bind("gradient_partials", slopes)
            .bind("norms", norms);
            cx.dispatch(kernel);
        }
        norms
    }
}

/// Elements of the table of factors: two per block of parameters.
pub(crate) fn factors_len(parameters: usize) -> usize {
    2 * parameters / BLOCK
}
