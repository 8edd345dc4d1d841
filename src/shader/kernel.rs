//! One dispatch as an operator asks for it: shader, variant, constants, buffers, grid.

use super::Shader;
use crate::plan::BufferId;

/// The extent of a dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grid {
    /// This many invocations in a row, spilling from x into y beyond the largest dispatch;
    /// the shader finds its place with `linear_index` of `wgrad::common`.
    Threads(usize),
    /// As `Threads`, with this many layers along z, which the shader tells apart.
    Layers(usize, usize),
    /// Invocations along x, y, z; workgroups are counted from the shader's workgroup size.
    Invocations([usize; 3]),
    /// Workgroups along x, y, z.
    Workgroups([usize; 3]),
}

impl Grid {
    /// Workgroups along each axis for a shader with this workgroup size, none of them above
    /// `limit` along x for the one-dimensional kinds.
    pub fn workgroups(self, size: [u32; 3], limit: u32) -> [u32; 3] {
        match self {
            Self::Threads(threads) => Self::Layers(threads, 1).workgroups(size, limit),
            Self::Layers(threads, layers) => {
                let groups = threads.div_ceil(size[0] as usize).max(1);
                let rows = groups.div_ceil(limit as usize);
                [narrow(groups.div_ceil(rows)), narrow(rows), narrow(layers)]
            }
            Self::Invocations(extents) => {
                let mut groups = [1; 3];
                for axis in 0..3 {
                    groups[axis] = narrow(extents[axis].div_ceil(size[axis] as usize).max(1));
                }
                groups
            }
            Self::Workgroups(groups) => groups.map(|n| narrow(n.max(1))),
        }
    }
}

/// Saturates: the planner then refuses the dispatch as larger than the adapter's limit.
fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A dispatch under construction.
#[derive(Clone, Debug)]
pub struct Kernel {
    pub(crate) shader: Shader,
    pub(crate) defines: Vec<(String, i64)>,
    pub(crate) constants: Vec<(String, f64)>,
    pub(crate) buffers: Vec<(&'static str, BufferId)>,
    pub(crate) grid: Grid,
    pub(crate) arithmetic: bool,
}

impl Kernel {
    /// A dispatch of `shader` over `grid`.
    pub fn new(shader: Shader, grid: Grid) -> Self {
        Self {
            shader,
            defines: Vec::new(),
            constants: Vec::new(),
            buffers: Vec::new(),
            grid,
            arithmetic: false,
        }
    }

    /// The integer that stands for `#{NAME}` in the shader; also makes `#ifdef NAME` true.
    #[must_use]
    pub fn define(mut self, name: &str, value: usize) -> Self {
        self.defines
            .push((name.to_owned(), i64::try_from(value).unwrap_or(i64::MAX)));
        self
    }

    /// As [`Kernel::define`], for a number that may be negative.
    #[must_use]
    pub fn define_signed(mut self, name: &str, value: i64) -> Self {
        self.defines.push((name.to_owned(), value));
        self
    }

    /// Several integers.
    #[must_use]
    pub fn defines<'a>(self, values: impl IntoIterator<Item = (&'a str, usize)>) -> Self {
        values
            .into_iter()
            .fold(self, |kernel, (name, value)| kernel.define(name, value))
    }

    /// Makes `#ifdef NAME` true in the shader if `on`.
    #[must_use]
    pub fn flag(self, name: &str, on: bool) -> Self {
        if on { self.define(name, 1) } else { self }
    }

    /// The value of the shader's `override` constant `name`.
    #[must_use]
    pub fn constant(mut self, name: &str, value: f64) -> Self {
        self.constants.push((name.to_owned(), value));
        self
    }

    /// Credits this dispatch with the operations of its node
    /// ([`Operator::flops`](crate::ops::Operator::flops)), which several so marked share equally.
    /// Where none is marked, they are the first's.
    #[must_use]
    pub fn arithmetic(mut self) -> Self {
        self.arithmetic = true;
        self
    }

    /// Binds a buffer to the shader's variable `name`.
    #[must_use]
    pub fn bind(mut self, name: &'static str, buffer: impl Into<BufferId>) -> Self {
        self.buffers.push((name, buffer.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Grid;

    #[test]
    fn a_long_row_of_threads_spills_into_y() {
        let [x, y, z] = Grid::Threads(64 * 65_535 * 2 + 1).workgroups([64, 1, 1], 65_535);
        assert!(x <= 65_535 && z == 1);
        assert!(u64::from(x) * u64::from(y) * 64 > 64 * 65_535 * 2);
    }

    #[test]
    fn workgroups_cover_the_invocations() {
        let grid = Grid::Invocations([17, 1, 3]);
        assert_eq!(grid.workgroups([8, 8, 1], 65_535), [3, 1, 3]);
    }
}
