//! How the products are cut: by adapter and shapes, and what is worth a measurement.

use super::direction::Direction;
use super::outer;
use crate::ops::choice::{Choice, WinogradCut};
use crate::ops::conv2d::choose::{Pass, recut};
use crate::ops::conv2d::problem::Problem;
use crate::ops::linear::subgroup;
use crate::ops::split::Split;
use crate::ops::tile::{OuterTile, Tile};
use crate::plan::AdapterProfile;

/// Tiles that are measured.
const MOST_CANDIDATES: usize = 4;

/// Sides of a tile of results. The larger takes fewer multiplications, the smaller wastes fewer at
/// the borders of small images.
const SIDES: [usize; 2] = [2, 4];

/// Fewer tiles leave half of a product's kernel idle.
const LEAST_LARGE_TILES: usize = 32;

/// The side of the tiles with the fewest multiplications, borders included.
fn side(problem: &Problem) -> usize {
    let [small, large] = SIDES.map(|side| Direction::of(problem, side));
    let products = |direction: Direction| direction.elements() * direction.tiles();
    let pays = products(large) < products(small) && large.tiles() >= LEAST_LARGE_TILES;
    if pays { large.side } else { small.side }
}

/// Vectors of the largest transformed array.
pub(in crate::ops::conv2d) fn largest(problem: &Problem) -> usize {
    let of_side = |side| {
        let whole = Direction::of(problem, side);
        whole.elements() * whole.tiles() * whole.from[0].max(whole.to[0])
    };
    SIDES.map(of_side).into_iter().max().unwrap_or(0)
}

/// The choice by adapter and shapes.
pub(in crate::ops::conv2d) fn choose(problem: &Problem, adapter: &AdapterProfile) -> Choice {
    let whole = Direction::of(problem, side(problem));
    let pieces = whole.pieces();
    let tile = tiles(problem, whole.piece(pieces), adapter)[0];
    choice_of(problem, whole, tile, pieces, adapter)
}

/// Tiles of the products' kernels, the one by adapter and shapes first.
fn tiles(problem: &Problem, piece: Direction, adapter: &AdapterProfile) -> Vec<[usize; 2]> {
    let of_sides = |[_, first, second]: [usize; 3]| [first, second];
    match (problem.pass, subgroup::available(adapter)) {
        (Pass::GradWeight, true) => vec![subgroup::OUTER_TILE],
        (_, true) => subgroup::tiles(piece.to[0]),
        (Pass::GradWeight, false) => {
            let tiles = OuterTile::candidates(piece.filter(), adapter);
            tiles
                .into_iter()
                .map(|tile| of_sides(tile.into()))
                .collect()
        }
        _ => {
            let tiles = Tile::candidates(piece.map(), adapter);
            tiles
                .into_iter()
                .map(|tile| of_sides(tile.into()))
                .collect()
        }
    }
}

/// A tile with sums cut as it suits it.
fn choice_of(
    problem: &Problem,
    whole: Direction,
    tile: [usize; 2],
    pieces: usize,
    adapter: &AdapterProfile,
) -> Choice {
    let parts = match problem.pass {
        Pass::GradWeight => {
            let piece = whole.piece(pieces);
            let base = piece.elements() * outer(tile).count(piece.filter());
            let wanted = if adapter.cpu { 128 } else { 65_536 };
            Split::new(piece.tiles(), 1, base, wanted, 64).parts
        }
        Pass::Forward | Pass::GradInput => 1,
    };
    Choice::Winograd(WinogradCut {
        side: whole.side,
        tile,
        parts,
        pieces,
    })
}

/// Choices worth a measurement, the one by adapter and shapes first; some of them twice.
pub(in crate::ops::conv2d) fn candidates(
    problem: &Problem,
    adapter: &AdapterProfile,
) -> Vec<Choice> {
    let best = side(problem);
    let sides = [&[best][..], &SIDES].concat();
    let of_side = |side| candidates_of(problem, side, adapter);
    sides.into_iter().flat_map(of_side).collect()
}

/// Those with tiles of this side.
fn candidates_of(problem: &Problem, side: usize, adapter: &AdapterProfile) -> Vec<Choice> {
    let whole = Direction::of(problem, side);
    let pieces = whole.pieces();
    let piece = whole.piece(pieces);
    let tiles = tiles(problem, piece, adapter);
    let choice = |tile, pieces| choice_of(problem, whole, tile, pieces, adapter);
    let of_tiles = tiles.iter().take(MOST_CANDIDATES);
    let mut choices: Vec<Choice> = of_tiles.map(|&tile| choice(tile, pieces)).collect();
    let fewer = whole.piece_counts().filter(|&n| n < pieces).last();
    let more = whole.piece_counts().find(|&n| n > pieces);
    let recut_batch = [more, fewer].into_iter().flatten();
    choices.extend(recut_batch.map(|pieces| choice(tiles[0], pieces)));
    if problem.pass == Pass::GradWeight {
        choices.extend(recut(choices[0], 1, piece.tiles()));
    }
    choices
}
