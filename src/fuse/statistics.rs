//! Statistics for a batch normalisation, by the pass that stores what it normalises.

use super::Fuser;
use crate::graph::Var;
use crate::ops::batch_norm::BatchNormalisation;
use crate::plan::Mode;

impl Fuser<'_> {
    /// Tells the node before a batch normalisation that statistics of its result are welcome. Both
    /// stay as they are: not every kernel can leave them.
    pub(super) fn fuse_statistics(&mut self, index: usize) {
        if let Some(producer) = self.measured(index).and_then(|x| self.producer(x))
            && let Some(fused) = &mut self.nodes[producer]
        {
            fused.statistics = true;
        }
    }

    /// The value that a node normalises by the statistics of the batch.
    fn measured(&self, index: usize) -> Option<Var> {
        let norm = self.operator::<BatchNormalisation>(index)?;
        let of_batch = self.mode == Mode::Training && !norm.frozen;
        self.input(index, 0).filter(|_| of_batch)
    }
}
