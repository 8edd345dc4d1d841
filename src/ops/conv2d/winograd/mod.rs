//! Winograd's minimal filtering F(2×2, 3×3) and F(4×4, 3×3): both factors are transformed,
//! multiplied as 16 or 36 matrix products, and the products transformed back.

mod cut;
mod direction;
mod steps;

pub(super) use cut::{candidates, choose, largest};
pub(super) use steps::{convolve, grad_weight};

use crate::ops::tile::OuterTile;

/// The tile of a filter's gradient of these input and output vectors.
fn outer([inputs, outputs]: [usize; 2]) -> OuterTile {
    OuterTile::from([1, inputs, outputs])
}
