//! Long sums cut into partial sums, for parallelism and for short loops, and added up in a
//! second pass of fixed order.

use crate::layout::LANES;
use crate::plan::{AdapterProfile, BufferId, Lowering, Operand};
use crate::shader::{Grid, Kernel, shader};

/// Terms that one invocation adds at the most: rounding grows with their root, and drivers
/// exist that cut loops at 65,535.
const LONGEST_LOOP: usize = 4_096;

/// How a sum over rows is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    /// Partial sums.
    pub(crate) parts: usize,
    /// Rows of each; the last may have fewer.
    pub(crate) rows: usize,
}

impl Split {
    /// Cuts `rows` rows of `terms` terms into as few parts as give `wanted` invocations when
    /// one part gives `base`, and at most `most` unless the loops would be too long.
    pub(crate) fn new(rows: usize, terms: usize, base: usize, wanted: usize, most: usize) -> Self {
        let parts = wanted.div_ceil(base.max(1)).clamp(1, most.min(rows).max(1));
        Self::into_parts(rows, terms, parts)
    }

    /// Cuts `rows` rows of `terms` terms into so many parts, or more if the loops would be too
    /// long.
    pub(crate) fn into_parts(rows: usize, terms: usize, parts: usize) -> Self {
        let rows = rows.max(1);
        let longest = (LONGEST_LOOP / terms.max(1)).max(1);
        let rows_each = rows.div_ceil(parts.max(1)).min(longest);
        Self {
            parts: rows.div_ceil(rows_each),
            rows: rows_each,
        }
    }
}

/// The workgroup size of kernels that take it as a constant: one SIMD vector on a CPU driver,
/// which spreads small problems over the cores, two warps on a GPU.
pub(crate) fn workgroup(adapter: &AdapterProfile) -> usize {
    if adapter.cpu { 8 } else { 64 }
}

/// Emits the kernel that `first_pass` makes for its output, and the pass that adds its parts if
/// there are several.
pub(crate) fn dispatch_split(
    cx: &mut Lowering<'_>,
    split: Split,
    result: &Operand,
    first_pass: impl FnOnce(BufferId) -> Kernel,
) {
    if split.parts == 1 {
        cx.dispatch(first_pass(result.buffer));
        return;
    }
    let (partials, second) = passes(cx, split, result);
    cx.dispatch(first_pass(partials));
    cx.dispatch(second);
}

/// The buffer for the parts, and the kernel that adds them.
pub(crate) fn passes(cx: &mut Lowering<'_>, split: Split, result: &Operand) -> (BufferId, Kernel) {
    let partials = cx.temporary("partials", split.parts * result.len);
    let vectors = result.len / LANES;
    let channels = result.value_type.layout.axes().last();
    let channels = channels.map_or(1, |axis| axis.padded.div_ceil(LANES));
    let sizes = cx.words("parts", &[split.parts as u32, channels as u32]);
    let second = Kernel::new(shader!("reduce_partials"), Grid::Threads(vectors))
        .define("WORKGROUP", workgroup(cx.adapter()))
        .bind("sizes", sizes)
        .bind("partials", partials)
        .bind("out", result);
    (partials, second)
}

/// As [`dispatch_split`] for a forward pass, whose result is bound as `name`: the bias, and what
/// the planner has fused behind the node, are left to the pass that stores the result.
pub(crate) fn dispatch_biased(
    cx: &mut Lowering<'_>,
    split: Split,
    (name, result): (&'static str, &Operand),
    bias: Option<&Operand>,
    kernel: Kernel,
) {
    let last = match split.parts {
        1 => kernel.bind(name, result),
        _ => {
            let (partials, second) = passes(cx, split, result);
            cx.dispatch(kernel.bind(name, partials));
            second
        }
    };
    finish(cx, last, bias);
}

/// Emits the kernel that stores the result of a forward pass, with the bias and what the planner has
/// fused behind the node.
pub(crate) fn finish(cx: &mut Lowering<'_>, mut last: Kernel, bias: Option<&Operand>) {
    if let Some(bias) = bias {
        last = last.flag("BIAS", true).bind("bias", bias);
    }
    let last = cx.epilogue(last);
    cx.dispatch(last);
}

#[cfg(test)]
mod tests {
    use super::Split;

    #[test]
    fn a_short_sum_with_enough_invocations_is_not_cut() {
        let split = Split::new(100, 10, 1000, 128, 64);
        assert_eq!((split.parts, split.rows), (1, 100));
    }

    #[test]
    fn a_sum_is_cut_for_parallelism_but_never_below_a_row() {
        assert_eq!(Split::new(100, 1, 2, 128, 64).parts, 50);
        assert_eq!(Split::new(3, 1, 1, 128, 64).parts, 3);
    }

    #[test]
    fn loops_stay_short_whatever_is_wanted() {
        let split = Split::new(1_000_000, 28, 1000, 1, 1);
        assert!(split.rows * 28 <= 4_096 && split.parts * split.rows >= 1_000_000);
    }
}
