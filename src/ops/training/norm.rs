//! Euclidean norms of whole buffers, in pieces of a fixed order.

use crate::layout::LANES;
use crate::plan::{BufferId, Lowering};
use crate::shader::{Grid, Kernel, shader};

/// Emits the first pass of a norm: a pair of numbers for every `chunk` vectors, a multiple of 16, of
/// the buffer, of this many elements. `wgrad::norm` says what the pairs are and how to join them.
pub(super) fn norm_partials(
    cx: &mut Lowering<'_>,
    name: &str,
    (numbers, len): (BufferId, usize),
    chunk: usize,
) -> BufferId {
    let partials = cx.temporary(name, 2 * (len / LANES).div_ceil(chunk));
    for piece in cx.pieces(len, chunk * LANES) {
        let vectors = piece.len() / LANES;
        let parts = vectors.div_ceil(chunk);
        let numbers = cx.part(numbers, piece.start, piece.len());
        let kernel = Kernel::new(shader!("norm_partials"), Grid::Threads(parts))
            .define("LENGTH", vectors)
            .define("CHUNK", chunk)
            .define("PARTS", parts)
            .define("FIRST", piece.start / LANES / chunk)
            .bind("numbers", numbers)
            .bind("partials", partials);
        cx.dispatch(kernel);
    }
    partials
}
