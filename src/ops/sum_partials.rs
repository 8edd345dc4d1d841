//! The second pass of a reduction over positions, and how many pieces the first one makes.

use crate::plan::{AdapterProfile, BufferId, Lowering};
use crate::shader::{Grid, Kernel, shader};

/// The longest sum that one invocation of a first pass adds up: longer ones lose digits, and
/// some drivers cut a loop silently after 65,535 iterations.
const LONGEST: usize = 4_096;
/// Below this many terms a further piece costs more than it saves.
const SHORTEST: usize = 8;

/// Into how many pieces to cut sums of `terms` terms, when `sums` of them run side by side.
/// Depends on the adapter and the shapes alone, so that a sum has one order on one device.
pub(crate) fn splits(adapter: &AdapterProfile, sums: usize, terms: usize) -> usize {
    let to_keep_busy = adapter.parallel_invocations() / sums.max(1);
    let most = terms.div_ceil(SHORTEST);
    to_keep_busy.min(most).max(terms.div_ceil(LONGEST)).max(1)
}

/// Invocations that add up a result on a CPU driver: always as many, so that all sums share a kernel.
const ON_CPU: usize = 32;

/// `out[s][v] = scale · Σ_k partials[s][k][v]` for `samples` samples of `vectors` vec4s.
pub(crate) struct SumPartials {
    /// Samples that are summed apart.
    pub samples: usize,
    /// Terms of each sum.
    pub splits: usize,
    /// vec4s of a sample's result.
    pub vectors: usize,
    /// What the sum is multiplied by.
    pub scale: f64,
    /// Whether to add the four lanes as well, into the first.
    pub lanes: bool,
}

impl SumPartials {
    /// Emits the dispatch for one array of partial sums and its result.
    pub fn lower(&self, cx: &mut Lowering<'_>, partials: BufferId, out: BufferId) {
        let kernel = self.kernel(cx, 1);
        cx.dispatch(kernel.bind("partials", partials).bind("out", out));
    }

    /// Emits the dispatch for two arrays and their results.
    pub fn lower_pair(&self, cx: &mut Lowering<'_>, pair: [(BufferId, BufferId); 2]) {
        let [(partials, out), (second_partials, second_out)] = pair;
        let kernel = self.kernel(cx, 2).flag("PAIR", true);
        let kernel = kernel.bind("partials", partials).bind("out", out);
        let kernel = kernel.bind("second_partials", second_partials);
        cx.dispatch(kernel.bind("second_out", second_out));
    }

    fn kernel(&self, cx: &mut Lowering<'_>, arrays: usize) -> Kernel {
        let workgroup = match cx.adapter().cpu {
            true => ON_CPU,
            false => (self.splits / 4).next_power_of_two().clamp(32, 256),
        };
        let results = self.samples * self.vectors;
        let sizes = [self.splits, self.vectors, results].map(|size| size as u32);
        let sizes = cx.words("sums", &sizes);
        // Threads, not workgroups: many results spill from x into y.
        let grid = Grid::Threads(arrays * results * workgroup);
        Kernel::new(shader!("sum_partials"), grid)
            .define("WORKGROUP", workgroup)
            .flag("LANES", self.lanes)
            .constant("scale", self.scale)
            .bind("sizes", sizes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_cut_to_keep_the_adapter_busy_and_never_too_long() {
        let cpu = AdapterProfile::cpu();
        let gpu = AdapterProfile::gpu();
        assert_eq!(splits(&cpu, 1, 4), 1);
        assert_eq!(splits(&cpu, 16, 1 << 12), 16);
        assert_eq!(splits(&gpu, 16, 1 << 12), 512);
        assert_eq!(splits(&gpu, 1 << 20, 1 << 20), 256);
        assert_eq!(splits(&gpu, 0, 0), 1);
    }
}
