//! Logical shapes: what a user sees, always in PyTorch's order.

use std::fmt;
use std::ops::Deref;

/// The extents of a tensor: `[C, H, W]` or `[F]` for a sample (without the batch),
/// `[O, I/G, kh, kw]` for a filter, `[]` for a scalar.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// The number of elements: the product of the extents, 1 for a scalar. A product beyond
    /// `usize` is given as its largest number; a graph refuses such shapes.
    pub fn elements(&self) -> usize {
        product(&self.0)
    }

    /// `[C, H, W]` when this is the shape of an image-like sample.
    pub fn image(&self) -> Option<[usize; 3]> {
        <[usize; 3]>::try_from(self.0.as_slice()).ok()
    }
}

/// The product of extents, or the largest number if that is less.
pub(crate) fn product<'a>(extents: impl IntoIterator<Item = &'a usize>) -> usize {
    let extents = extents.into_iter();
    extents.fold(1, |product: usize, &extent| product.saturating_mul(extent))
}

impl Deref for Shape {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(extents: [usize; N]) -> Self {
        Self(extents.to_vec())
    }
}

impl From<&[usize]> for Shape {
    fn from(extents: &[usize]) -> Self {
        Self(extents.to_vec())
    }
}

impl From<Vec<usize>> for Shape {
    fn from(extents: Vec<usize>) -> Self {
        Self(extents)
    }
}

impl From<usize> for Shape {
    fn from(extent: usize) -> Self {
        Self(vec![extent])
    }
}

/// A number per image axis: a kernel size, stride, padding or dilation.
///
/// One number stands for both axes: `3` is `[3, 3]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size2d {
    /// Along the rows (vertical).
    pub height: usize,
    /// Along the columns (horizontal).
    pub width: usize,
}

impl Size2d {
    /// The same number on both axes.
    pub const fn square(size: usize) -> Self {
        Self {
            height: size,
            width: size,
        }
    }
}

impl From<usize> for Size2d {
    fn from(size: usize) -> Self {
        Self::square(size)
    }
}

impl From<[usize; 2]> for Size2d {
    fn from([height, width]: [usize; 2]) -> Self {
        Self { height, width }
    }
}

impl fmt::Display for Size2d {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.height, self.width)
    }
}
