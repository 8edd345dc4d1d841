//! The end of a step's computation, before anything is changed by it.

use super::{RING, STATUS_WORDS};
use crate::graph::{BLOCK, Element, ValueType};
use crate::layout::{LANES, Layout};
use crate::ops::{Operator, Reason};
use crate::plan::{BufferId, Lowering};
use crate::random::{STATE_BUFFER, STATE_LEN};
use crate::shader::{Grid, Kernel, shader};

/// Looks for numbers that are not finite in the loss, in all gradients and in the batch
/// statistics, files the loss and counts the micro-batch, of which `group` make a step. A step that
/// fails is not counted and not applied, nor is any after it: what follows reads the result,
/// `status`.
///
/// Operands: the loss, then the gradients, which lie in the buffer `gradients`, then the batch
/// statistics, which lie in `batch_statistics`.
#[derive(Clone, Copy, Debug)]
pub struct Conclude {
    /// Elements of the buffer `gradients`.
    pub gradients: usize,
    /// Elements of the buffer `batch_statistics`; 0 where there are none.
    pub statistics: usize,
    /// Micro-batches of a step.
    pub group: usize,
}

/// How a buffer is looked through: so many vectors an invocation, so many invocations.
#[derive(Clone, Copy)]
struct Scan {
    vectors: usize,
    chunk: usize,
    parts: usize,
}

impl Scan {
    fn new(elements: usize) -> Self {
        let vectors = elements / LANES;
        // At most 8,192 partial answers, which 64 invocations then gather.
        let chunk = CHUNK.max(vectors.div_ceil(8192).next_multiple_of(BLOCK / LANES));
        let parts = vectors.div_ceil(chunk);
        Self {
            vectors,
            chunk,
            parts,
        }
    }

    /// Puts its answers among the partials, from `first` on.
    fn dispatch(self, cx: &mut Lowering<'_>, buffer: &str, partials: BufferId, first: usize) {
        for piece in cx.pieces(self.vectors * LANES, self.chunk * LANES) {
            let vectors = piece.len() / LANES;
            let parts = vectors.div_ceil(self.chunk);
            let numbers = cx.persistent(buffer, piece.start, piece.len());
            let first = first + piece.start / LANES / self.chunk;
            let sizes = cx.words("scan", &[self.chunk as u32, first as u32]);
            let kernel = Kernel::new(shader!("finite_scan"), Grid::Threads(parts))
                .bind("sizes", sizes)
                .bind("numbers", numbers)
                .bind("partials", partials);
            cx.dispatch(kernel);
        }
    }
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
        let gradients = Scan::new(self.gradients.max(LANES));
        let statistics = Scan::new(self.statistics);
        let parts = gradients.parts + statistics.parts;
        let partials = cx.temporary("partials", parts);
        gradients.dispatch(cx, "gradients", partials, 0);
        if statistics.parts > 0 {
            statistics.dispatch(cx, "batch_statistics", partials, gradients.parts);
        }
        let (loss, status) = (cx.input(0), cx.output(0));
        let step = cx.persistent(STATE_BUFFER, 0, STATE_LEN);
        let losses = cx.persistent("losses", 0, RING);
        let conclude = Kernel::new(shader!("conclude"), Grid::Workgroups([1, 1, 1]))
            .define("PARTS", parts)
            .define("RING", RING)
            .define("GROUP", self.group)
            .bind("partials", partials)
            .bind("loss", &loss)
            .bind("step", step)
            .bind("status", &status)
            .bind("losses", losses);
        cx.dispatch(conclude);
        Ok(())
    }
}
