//! Tiles of the kernels for convolutions with groups, depthwise ones among them: strips of a row,
//! or in a grouped filter's gradient input channels of a group. They are the second number of a
//! register tile.

use super::choose::Pass;
use super::problem::{Kind, Problem};
use crate::ops::tile::strip;
use crate::plan::AdapterProfile;

/// The tile by adapter and shapes.
pub(super) fn choose(problem: &Problem, adapter: &AdapterProfile) -> [usize; 3] {
    tile_of(problem, if adapter.cpu { 14 } else { 4 }, adapter)
}

/// Tiles worth a measurement, the one by adapter and shapes first.
pub(super) fn candidates(problem: &Problem, adapter: &AdapterProfile) -> Vec<[usize; 3]> {
    let widths = match adapter.cpu {
        true => [28, 8, 4, 2],
        false => [8, 2, 16, 1],
    };
    let others = widths.map(|widest| tile_of(problem, widest, adapter));
    [&[choose(problem, adapter)][..], &others].concat()
}

/// With at most `widest` columns.
fn tile_of(problem: &Problem, widest: usize, adapter: &AdapterProfile) -> [usize; 3] {
    if (problem.kind, problem.pass) == (Kind::Grouped, Pass::GradWeight) {
        // The outer products of a tile take registers for all lanes of its inputs.
        return [
            1,
            problem.group()[0].min(widest.div_ceil(2).next_power_of_two()),
            1,
        ];
    }
    let (_, width, _) = problem.parities();
    let columns = match adapter.cpu {
        true => strip(width, widest),
        false => width.clamp(1, widest),
    };
    [1, columns.min(most_columns(problem)).max(1), 1]
}

/// A depthwise kernel keeps the row of inputs under its strip in registers: at most 32 vectors.
fn most_columns(problem: &Problem) -> usize {
    let window = problem.geometry.window;
    let reach = (window.kernel.width - 1) * window.dilation.width + 1;
    match problem.kind {
        Kind::Depthwise => 32_usize.saturating_sub(reach) / window.stride.width + 1,
        _ => usize::MAX,
    }
}
