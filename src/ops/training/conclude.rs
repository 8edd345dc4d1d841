//! The end of a step's computation, before anything is changed by it.

use super::{RING, STATUS_WORDS};
use crate::graph::{Element, ValueType};
use crate::layout::{LANES, Layout};
use crate::ops::{Operator, Reason};
use crate::plan::Lowering;
use crate::random::{STATE_BUFFER, STATE_LEN};
use crate::shader::{Grid, Kernel, shader};

/// Looks for numbers that are not finite in the loss and in all gradients, files the loss and
/// counts the step. A step that fails is not counted and not applied: what follows reads the
/// result, `status`.
///
/// Operands: the loss, then the gradients, which lie in the buffer `gradients`.
#[derive(Clone, Copy, Debug)]
pub struct Conclude {
    /// Elements of the buffer `gradients`.
    pub gradients: usize,
}

/// Vectors that an invocation of the first pass looks at, where there are many.
const CHUNK: usize = 64;

impl Operator for Conclude {
    fn name(&self) -> &'static str {
        "conclude"
    }

    fn infer(&self, _: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let shape = [STATUS_WORDS].into();
        Ok(vec![ValueType {
            layout: Layout::row_major(&shape),
            shape,
            batched: false,
            element: Element::U32,
        }])
    }

    fn acts(&self) -> bool {
        true
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let vectors = self.gradients / LANES;
        // At most 8,192 partial answers, which 64 invocations then gather.
        let chunk = CHUNK.max(vectors.div_ceil(8192));
        let parts = vectors.div_ceil(chunk).max(1);
        let partials = cx.temporary("partials", parts);
        let gradients = cx.persistent("gradients", 0, self.gradients.max(LANES));
        let scan = Kernel::new(shader!("finite_scan"), Grid::Threads(parts))
            .define("LENGTH", vectors)
            .define("CHUNK", chunk)
            .define("PARTS", parts)
            .bind("gradients", gradients)
            .bind("partials", partials);
        cx.dispatch(scan);
        let (loss, status) = (cx.input(0), cx.output(0));
        let step = cx.persistent(STATE_BUFFER, 0, STATE_LEN);
        let losses = cx.persistent("losses", 0, RING);
        let conclude = Kernel::new(shader!("conclude"), Grid::Workgroups([1, 1, 1]))
            .define("PARTS", parts)
            .define("RING", RING)
            .bind("partials", partials)
            .bind("loss", &loss)
            .bind("step", step)
            .bind("status", &status)
            .bind("losses", losses);
        cx.dispatch(conclude);
        Ok(())
    }
}
