//! How the rows of a channel are shared among invocations.

use crate::layout::LANES;
use crate::plan::{AdapterProfile, BufferId, Lowering, Operand};
use crate::shader::{Grid, Kernel, Shader};

/// Rows that one invocation adds at the most: more would cost digits.
const MOST_ROWS: usize = 512;

/// Invocations of a workgroup.
const WORKGROUP: usize = 64;

/// The rows (samples · positions) of a channel, cut into pieces. `rows_of_split` of
/// `wgrad::common` says which rows a piece has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    /// All rows.
    pub(crate) rows: usize,
    /// Pieces.
    pub(crate) splits: usize,
    /// Pieces that take the rows of a block in turn.
    neighbours: usize,
    /// Rows of a piece, at the most.
    split_rows: usize,
}

impl Rows {
    /// Cuts `rows` rows of `vectors` vec4s into enough pieces to keep the adapter busy.
    pub(crate) fn new(rows: usize, vectors: usize, adapter: &AdapterProfile) -> Self {
        Self::of_samples(1, rows, vectors, adapter)
    }

    /// The same for each of several samples, which are cut alike.
    pub(crate) fn of_samples(
        samples: usize,
        rows: usize,
        vectors: usize,
        adapter: &AdapterProfile,
    ) -> Self {
        let (rows, vectors) = (rows.max(1), vectors.max(1));
        let wanted = (adapter.parallel_invocations() / (samples.max(1) * vectors)).max(1);
        let split_rows = rows.div_ceil(wanted).clamp(1, MOST_ROWS);
        let neighbours = WORKGROUP.div_ceil(vectors).min(rows.div_ceil(split_rows));
        Self {
            rows,
            splits: rows.div_ceil(split_rows * neighbours) * neighbours,
            neighbours,
            split_rows,
        }
    }

    /// Cuts `rows` rows into pieces of exactly `split_rows`.
    pub(crate) fn blocks(rows: usize, split_rows: usize) -> Self {
        Self {
            rows,
            splits: rows / split_rows,
            neighbours: 1,
            split_rows,
        }
    }

    /// Elements of the statistics of all pieces: three numbers for each channel.
    pub(crate) fn statistics(&self, vectors: usize) -> usize {
        3 * self.splits * vectors * LANES
    }

    /// Tells a kernel that asks which rows a piece has.
    pub(crate) fn define(&self, kernel: Kernel) -> Kernel {
        kernel.defines([
            ("ROWS", self.rows),
            ("SPLITS", self.splits),
            ("NEIGHBOURS", self.neighbours),
            ("SPLIT_ROWS", self.split_rows),
        ])
    }

    /// The same as data, for kernels that layers of all sizes share.
    pub(crate) fn sizes(&self, cx: &mut Lowering<'_>, channels: usize, samples: usize) -> BufferId {
        let sizes = [
            channels,
            self.rows,
            self.splits,
            self.neighbours,
            self.split_rows,
            samples,
        ];
        cx.words("sizes", &sizes.map(|size| size as u32))
    }

    /// Invocations for one workgroup per vec4 of channels.
    pub(crate) const fn group_per(vectors: usize) -> usize {
        WORKGROUP * vectors
    }
}

/// A kernel for all of a value, bound as `name`, of which an invocation takes several positions of the
/// same channels: a CPU driver spends most of its time on loads, and saves those of what all positions
/// share. The vector says how many channels there are.
pub(super) fn per_channel(
    cx: &Lowering<'_>,
    shader: Shader,
    (name, result): (&'static str, &Operand),
    vector: &Operand,
) -> Kernel {
    let each = if cx.adapter().cpu { 8 } else { 1 };
    let vectors = vector.len.div_ceil(LANES);
    let rows = result.len / (vectors * LANES);
    let grid = Grid::Threads(vectors * rows.div_ceil(each));
    Kernel::new(shader, grid)
        .define("ROWS", each)
        .bind(name, result)
}

#[cfg(test)]
mod tests {
    use super::{MOST_ROWS, Rows};
    use crate::plan::AdapterProfile;

    /// As `rows_of_split` in `shaders/common.wgsl`.
    fn rows_of_split(split: usize, r: &Rows) -> Vec<usize> {
        let first = split / r.neighbours * r.neighbours * r.split_rows + split % r.neighbours;
        let count = (r.rows.max(first) - first)
            .div_ceil(r.neighbours)
            .min(r.split_rows);
        (0..count).map(|k| first + k * r.neighbours).collect()
    }

    #[test]
    fn every_row_is_in_one_piece() {
        for adapter in [AdapterProfile::cpu(), AdapterProfile::gpu()] {
            for rows in [1, 2, 7, 64, 65, 513, 5000, 40_001] {
                for vectors in [1, 3, 16, 64, 100, 512] {
                    let r = Rows::new(rows, vectors, &adapter);
                    assert!(r.split_rows <= MOST_ROWS);
                    let mut all: Vec<_> =
                        (0..r.splits).flat_map(|s| rows_of_split(s, &r)).collect();
                    all.sort_unstable();
                    assert!(all.into_iter().eq(0..rows), "{r:?}");
                    assert!(!rows_of_split(0, &r).is_empty());
                }
            }
        }
    }
}
