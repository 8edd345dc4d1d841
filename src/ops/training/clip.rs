//! Gradient clipping, in place.

use super::RING;
use super::norm::norm_partials;
use crate::graph::{BLOCK, ValueType};
use crate::layout::LANES;
use crate::ops::{Operator, Reason};
use crate::plan::{BufferId, Lowering};
use crate::shader::{Grid, Kernel, shader};

/// Clips the gradients in their buffer: each number to ±`value`, then all together to a norm of
/// `norm`, which is filed by step in `gradient_norms`.
///
/// Operands: the status.
#[derive(Clone, Copy, Debug)]
pub struct Clip {
    /// The buffer that holds the gradients.
    pub gradients: &'static str,
    /// Its elements.
    pub len: usize,
    /// The largest magnitude of a number.
    pub value: Option<f64>,
    /// The largest norm of all numbers.
    pub norm: Option<f64>,
}

/// The ring of norms, by step.
pub(crate) const GRADIENT_NORMS: &str = "gradient_norms";

/// Pieces of a norm that one workgroup joins.
const MOST_PARTS: usize = 8192;

/// Vectors of a piece, where there are not too many pieces.
const CHUNK: usize = 64;

impl Clip {
    /// A kernel for each piece of the gradients that can be bound; `kernel` makes it for so many
    /// vectors.
    fn each_piece(
        &self,
        cx: &mut Lowering<'_>,
        gradients: BufferId,
        kernel: impl Fn(usize) -> Kernel,
    ) {
        for piece in cx.pieces(self.len, BLOCK) {
            let vectors = piece.len() / LANES;
            let piece = cx.part(gradients, piece.start, piece.len());
            let kernel = kernel(vectors).define("LENGTH", vectors);
            cx.dispatch(kernel.bind("gradients", piece));
        }
    }

    fn clip_norm(&self, cx: &mut Lowering<'_>, gradients: BufferId, limit: f64) {
        let vectors = self.len / LANES;
        let chunk = CHUNK.max(vectors.div_ceil(MOST_PARTS).next_multiple_of(BLOCK / LANES));
        let partials = norm_partials(cx, "partials", (gradients, self.len), chunk);
        let factor = cx.temporary("factor", 1);
        let norms = cx.persistent(GRADIENT_NORMS, 0, RING);
        let norm = Kernel::new(shader!("gradient_norm"), Grid::Workgroups([1, 1, 1]))
            .define("PARTS", vectors.div_ceil(chunk))
            .define("RING", RING)
            // No limit at all: what single precision cannot exceed.
            .constant("limit", limit.min(f64::from(f32::MAX)))
            .bind("partials", partials)
            .bind("status", &cx.input(0))
            .bind("factor", factor)
            .bind("gradient_norms", norms);
        cx.dispatch(norm);
        self.each_piece(cx, gradients, |vectors| {
            Kernel::new(shader!("clip_norm"), Grid::Threads(vectors)).bind("factor", factor)
        });
    }
}

impl Operator for Clip {
    fn name(&self) -> &'static str {
        "clip"
    }

    fn infer(&self, _: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        Ok(Vec::new())
    }

    fn acts(&self) -> bool {
        true
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let gradients = cx.persistent(self.gradients, 0, self.len);
        if let Some(limit) = self.value {
            let limit = limit.min(f64::from(f32::MAX));
            self.each_piece(cx, gradients, |vectors| {
                Kernel::new(shader!("clip_value"), Grid::Threads(vectors)).constant("limit", limit)
            });
        }
        if let Some(limit) = self.norm {
            self.clip_norm(cx, gradients, limit);
        }
        Ok(())
    }
}
