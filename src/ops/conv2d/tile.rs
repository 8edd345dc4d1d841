//! How many outputs one invocation of a register-tiled kernel computes.

use crate::plan::AdapterProfile;

/// Pixels (rows and columns) and channel vectors of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) vectors: usize,
}

/// A map of results to be covered by tiles, and the cost of one of its sums.
#[derive(Clone, Copy, Debug)]
pub(super) struct Map {
    pub(super) batch: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Channel vectors of the results.
    pub(super) vectors: usize,
    /// Channel vectors that are summed over.
    pub(super) summed: usize,
    /// Channels of such a vector.
    pub(super) lanes: usize,
}

/// Accumulators that a CPU driver still handles well.
const MOST_VECTORS: usize = 64;

/// SIMD lanes of a CPU driver, and cores to keep busy.
const SIMD: usize = 8;
const CORES: usize = 4;

impl Tile {
    /// The best tile for the adapter: by a cost model on a CPU driver, small on a GPU.
    pub(super) fn choose(map: Map, adapter: &AdapterProfile) -> Self {
        if !adapter.cpu {
            return Self {
                height: 1,
                width: map.width.min(4),
                vectors: map.vectors.min(2),
            };
        }
        let tiles = (1..=map.vectors.min(4)).flat_map(|vectors| {
            [1, 2, 4].into_iter().flat_map(move |height| {
                (1..=16).map(move |width| Self {
                    height,
                    width,
                    vectors,
                })
            })
        });
        tiles
            .filter(|t| t.height <= map.height.max(1) && t.width <= map.width.max(1))
            .filter(|t| t.height * t.width * t.vectors <= MOST_VECTORS)
            .min_by_key(|t| t.cost(map))
            .unwrap_or(Self {
                height: 1,
                width: 1,
                vectors: 1,
            })
    }

    /// Invocations that cover the map.
    pub(super) fn invocations(self, map: Map) -> usize {
        map.batch
            * map.height.div_ceil(self.height)
            * map.width.div_ceil(self.width)
            * map.vectors.div_ceil(self.vectors)
    }

    /// About the cycles per tap and summed vector: multiply-adds, then loads, which a CPU driver
    /// does lane by lane, then address computation, which is shared by the summed vectors.
    /// Measured on lavapipe.
    fn cost(self, map: Map) -> usize {
        let pixels = self.height * self.width;
        let waves = self.invocations(map).div_ceil(SIMD).next_multiple_of(CORES);
        let arithmetic = 8 * map.lanes * pixels * self.vectors;
        let loads = 30 * (pixels + map.lanes * self.vectors);
        let addresses = 16 * pixels / map.summed.max(1);
        waves * (arithmetic + loads + addresses + 40)
    }
}

/// The narrowest strip that needs no more strips than the widest allowed: no idle columns.
pub(super) fn strip(width: usize, widest: usize) -> usize {
    let strips = width.div_ceil(widest.max(1)).max(1);
    width.div_ceil(strips).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_leaves_no_column_idle() {
        assert_eq!(strip(14, 14), 14);
        assert_eq!(strip(16, 14), 8);
        assert_eq!(strip(1, 14), 1);
    }

    #[test]
    fn tiles_fit_the_map() {
        let map = Map {
            batch: 64,
            height: 14,
            width: 14,
            vectors: 16,
            summed: 8,
            lanes: 4,
        };
        let tile = Tile::choose(map, &AdapterProfile::cpu());
        assert!(tile.width <= 14 && tile.vectors == 4, "{tile:?}");
        assert!(tile.invocations(map) * tile.height * tile.width * tile.vectors >= 64 * 196 * 16);
    }
}
