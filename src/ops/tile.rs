//! How many results one invocation of a register-tiled kernel computes.
//!
//! A large tile loads less for every multiplication, which is what a CPU driver is slow at, but
//! takes it longer to compile, and leaves small problems on one core. The models below weigh all
//! three in nanoseconds. Their numbers were measured on lavapipe with two cores of 2023.

use std::collections::BTreeMap;

use crate::plan::AdapterProfile;

/// Runs of a kernel over which its compilation should pay: a few
/// More favour long trainings, fewer an early first step.
const EXPECTED_RUNS: u64 = 100;

/// SIMD lanes of a CPU driver, and cores to keep busy.
const SIMD: usize = 8;
const CORES: usize = 4;

/// Units of the run-time models in a nanosecond.
const UNITS_PER_NANOSECOND: u64 = 5;

const MICROSECOND: u64 = 1_000;

/// Tiles that are measured beside the chosen one.
const MOST_OTHERS: usize = 7;

/// Pixels (rows and columns) and channel vectors of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) vectors: usize,
}

/// A map of results to be covered by tiles, and the length of one of its sums.
#[derive(Clone, Copy, Debug)]
pub(super) struct Map {
    pub(super) batch: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Channel vectors of the results.
    pub(super) vectors: usize,
    /// Channel vectors that are summed over, for each of the taps.
    pub(super) summed: usize,
    pub(super) taps: usize,
    /// Channels of such a vector.
    pub(super) lanes: usize,
}

/// What a CPU driver still compiles in a fraction of a second: accumulators, and pixels, each of
/// which needs addresses and loads of its own.
const MOST_VECTORS: usize = 64;
const MOST_PIXELS: usize = 16;

impl Tile {
    const SMALLEST: Self = Self {
        height: 1,
        width: 1,
        vectors: 1,
    };

    /// The best tile for the adapter: by the models on a CPU driver, small on a GPU.
    pub(super) fn choose(map: Map, adapter: &AdapterProfile) -> Self {
        if !adapter.cpu {
            return Self {
                height: 1,
                width: map.width.clamp(1, 4),
                vectors: map.vectors.clamp(1, 2),
            };
        }
        Self::all(map)
            .min_by_key(|t| t.compilation(map) + EXPECTED_RUNS * t.run(map))
            .unwrap_or(Self::SMALLEST)
    }

    /// Tiles that a CPU driver compiles in a fraction of a second and that fit the map.
    fn all(map: Map) -> impl Iterator<Item = Self> {
        let tiles = (1..=map.vectors.min(4)).flat_map(|vectors| {
            [1, 2, 4].into_iter().flat_map(move |height| {
                (1..=MOST_PIXELS / height).map(move |width| Self {
                    height,
                    width,
                    vectors,
                })
            })
        });
        tiles
            .filter(move |t| t.height <= map.height.max(1) && t.width <= map.width.max(1))
            .filter(|t| t.height * t.width * t.vectors <= MOST_VECTORS)
    }

    /// Tiles worth a measurement: the one that is chosen without, then others of different
    /// shapes, the most promising first.
    pub(super) fn candidates(map: Map, adapter: &AdapterProfile) -> Vec<Self> {
        let mut best: BTreeMap<[usize; 2], Self> = BTreeMap::new();
        let small = |t: &Self| {
            t.width.is_power_of_two() && t.vectors != 3 && t.height * t.width * t.vectors <= 16
        };
        for tile in Self::all(map).filter(|t| adapter.cpu || small(t)) {
            let shape = match adapter.cpu {
                true => [tile.height, tile.vectors],
                // On a GPU the width decides how many invocations there are.
                false => [tile.width, tile.vectors],
            };
            let other = best.entry(shape).or_insert(tile);
            if tile.run(map) < other.run(map) {
                *other = tile;
            }
        }
        let best = best.into_values().collect();
        ranked(Self::choose(map, adapter), best, |tile| tile.run(map))
    }

    /// Invocations that cover the map.
    pub(super) fn invocations(self, map: Map) -> usize {
        map.batch
            * map.height.div_ceil(self.height)
            * map.width.div_ceil(self.width)
            * map.vectors.div_ceil(self.vectors)
    }

    /// Nanoseconds of a run. For every tap and summed vector: multiply-adds; loads, which a CPU
    /// driver does lane by lane; and address computation, which is shared by the summed vectors.
    fn run(self, map: Map) -> u64 {
        let pixels = self.height * self.width;
        let waves = self.invocations(map).div_ceil(SIMD).next_multiple_of(CORES);
        let arithmetic = 8 * map.lanes * pixels * self.vectors;
        let loads = 30 * (pixels + map.lanes * self.vectors);
        let addresses = 16 * pixels / map.summed.max(1);
        let sum = map.taps * map.summed * (arithmetic + loads + addresses + 40);
        waves as u64 * sum as u64 / UNITS_PER_NANOSECOND
    }

    /// Nanoseconds of the compilation: loads by pixel, multiply-adds and stores by accumulator.
    fn compilation(self, map: Map) -> u64 {
        let pixels = self.height * self.width;
        let accumulators = pixels * self.vectors;
        let microseconds = 30_000 + 4_000 * pixels + (1_500 + 500 * map.lanes) * accumulators;
        MICROSECOND * microseconds as u64
    }
}

/// Taps, input vectors and output vectors of a tile of a filter's gradient: a sum over pixels of
/// outer products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OuterTile {
    pub(super) taps: usize,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

/// A filter's gradient to be covered by tiles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filter {
    pub(super) taps: usize,
    /// Channel vectors.
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// Channels of an input vector.
    pub(super) lanes: usize,
    /// Terms of each sum.
    pub(super) pixels: usize,
}

impl OuterTile {
    const SMALLEST: Self = Self {
        taps: 1,
        inputs: 1,
        outputs: 1,
    };

    /// The best tile for the adapter: by the models on a CPU driver, small on a GPU.
    pub(super) fn choose(filter: Filter, adapter: &AdapterProfile) -> Self {
        if !adapter.cpu {
            return Self {
                taps: 1,
                inputs: filter.inputs.clamp(1, 2),
                outputs: filter.outputs.clamp(1, 2),
            };
        }
        Self::all(filter)
            .min_by_key(|t| t.compilation(filter) + EXPECTED_RUNS * t.run(filter))
            .unwrap_or(Self::SMALLEST)
    }

    /// Tiles that a CPU driver compiles in a fraction of a second and that fit the filter.
    fn all(filter: Filter) -> impl Iterator<Item = Self> {
        let tiles = (1..=filter.taps.min(9)).flat_map(move |taps| {
            (1..=filter.inputs.min(4)).flat_map(move |inputs| {
                (1..=filter.outputs.min(4)).map(move |outputs| Self {
                    taps,
                    inputs,
                    outputs,
                })
            })
        });
        tiles.filter(move |t| filter.lanes * t.taps * t.inputs * t.outputs <= MOST_VECTORS)
    }

    /// Tiles worth a measurement: the one that is chosen without, then others of different
    /// shapes, the most promising first.
    pub(super) fn candidates(filter: Filter, adapter: &AdapterProfile) -> Vec<Self> {
        let mut best: BTreeMap<[usize; 2], Self> = BTreeMap::new();
        let small = |t: &Self| t.taps * t.inputs * t.outputs <= 4;
        for tile in Self::all(filter).filter(|t| adapter.cpu || small(t)) {
            let other = best.entry([tile.inputs, tile.outputs]).or_insert(tile);
            if tile.run(filter) < other.run(filter) {
                *other = tile;
            }
        }
        let best = best.into_values().collect();
        ranked(Self::choose(filter, adapter), best, |tile| tile.run(filter))
    }

    /// Tiles that cover the filter.
    pub(super) fn count(self, filter: Filter) -> usize {
        filter.taps.div_ceil(self.taps)
            * filter.inputs.div_ceil(self.inputs)
            * filter.outputs.div_ceil(self.outputs)
    }

    /// Nanoseconds of a run that is split over all cores.
    fn run(self, filter: Filter) -> u64 {
        let inputs = self.taps * self.inputs;
        let arithmetic = 8 * filter.lanes * inputs * self.outputs;
        let loads = 30 * self.outputs + 30 * inputs * filter.lanes / 4;
        let pixel = arithmetic + loads + 16 * inputs + 40;
        let waves = (self.count(filter) * filter.pixels).div_ceil(SIMD);
        waves as u64 * pixel as u64 / UNITS_PER_NANOSECOND
    }

    /// Nanoseconds of the compilation.
    fn compilation(self, filter: Filter) -> u64 {
        let inputs = self.taps * self.inputs;
        let accumulators = filter.lanes * inputs * self.outputs;
        MICROSECOND * (40_000 + 7_000 * inputs + 1_800 * accumulators) as u64
    }
}

/// The chosen one, then the best of the others by a cost.
fn ranked<T: Copy + PartialEq>(chosen: T, mut others: Vec<T>, cost: impl Fn(&T) -> u64) -> Vec<T> {
    others.retain(|tile| *tile != chosen);
    others.sort_by_key(cost);
    others.truncate(MOST_OTHERS);
    [&[chosen][..], &others].concat()
}

/// The narrowest strip that needs no more strips than the widest allowed: no idle columns.
pub(super) fn strip(width: usize, widest: usize) -> usize {
    let strips = width.div_ceil(widest.max(1)).max(1);
    width.div_ceil(strips).max(1)
}

impl From<Tile> for [usize; 3] {
    fn from(tile: Tile) -> Self {
        [tile.height, tile.width, tile.vectors]
    }
}

impl From<[usize; 3]> for Tile {
    fn from([height, width, vectors]: [usize; 3]) -> Self {
        Self {
            height,
            width,
            vectors,
        }
    }
}

impl From<OuterTile> for [usize; 3] {
    fn from(tile: OuterTile) -> Self {
        [tile.taps, tile.inputs, tile.outputs]
    }
}

impl From<[usize; 3]> for OuterTile {
    fn from([taps, inputs, outputs]: [usize; 3]) -> Self {
        Self {
            taps,
            inputs,
            outputs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: Map = Map {
        batch: 64,
        height: 14,
        width: 14,
        vectors: 16,
        summed: 8,
        taps: 9,
        lanes: 4,
    };

    #[test]
    fn a_strip_leaves_no_column_idle() {
        assert_eq!(strip(14, 14), 14);
        assert_eq!(strip(16, 14), 8);
        assert_eq!(strip(1, 14), 1);
    }

    #[test]
    fn tiles_fit_the_map() {
        let tile = Tile::choose(MAP, &AdapterProfile::cpu());
        assert!(tile.width <= 14 && tile.vectors == 4, "{tile:?}");
        assert!(tile.invocations(MAP) * tile.height * tile.width * tile.vectors >= 64 * 196 * 16);
    }

    #[test]
    fn a_small_layer_gets_a_tile_that_compiles_fast() {
        let small = Map { batch: 1, ..MAP };
        let tile = Tile::choose(small, &AdapterProfile::cpu());
        assert!(tile.compilation(small) < 120_000_000, "{tile:?}");
    }

    #[test]
    fn an_image_of_one_channel_gets_no_excessive_tile() {
        let map = Map {
            height: 28,
            width: 28,
            vectors: 1,
            ..MAP
        };
        let tile = Tile::choose(map, &AdapterProfile::cpu());
        assert!(tile.height * tile.width <= 16, "{tile:?}");
    }

    #[test]
    fn large_filters_get_large_outer_tiles() {
        let filter = Filter {
            taps: 9,
            inputs: 16,
            outputs: 16,
            lanes: 4,
            pixels: 64 * 784,
        };
        let tile = OuterTile::choose(filter, &AdapterProfile::cpu());
        assert!(tile.taps * tile.inputs * tile.outputs >= 12, "{tile:?}");
        assert!(tile.count(filter) * tile.taps * tile.inputs * tile.outputs >= 9 * 256);
    }
}
