//! Which kernels compute a convolution. Every variant computes the same sums; they differ in
//! speed, and in the order of additions. Without measured choices, adapter and shapes alone
//! decide, so that equal runs give equal results.

use super::geometry::Geometry;
use super::problem::{Kind, Problem};
use super::{grouped, tiled, winograd};
use crate::layout::LANES;
use crate::ops::Reason;
use crate::ops::choice::Choice;
use crate::ops::linear::{self, subgroup};
use crate::ops::tile::{OuterTile, Tile};
use crate::plan::AdapterProfile;
use crate::shape::Size2d;

/// A family of kernels for dense convolutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Sums in registers, loads from global memory; no barrier. Any convolution.
    Register,
    /// A matrix product through workgroup memory ("implicit GEMM"). Dense convolutions.
    Tiled,
    /// The minimal filtering of Winograd for 3x3 filters: four outputs from 16 multiplications in
    /// place of 36, or sixteen from 36 in place of 144. See Lavin and Gray, "Fast Algorithms for
    /// Convolutional Neural Networks" (2016). Dense convolutions of stride and dilation 1.
    Winograd,
}

/// The result of a pass: which channels are computed and which are summed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) enum Pass {
    Forward,
    GradInput,
    GradWeight,
}

/// Largest temporary of the Winograd variant, in vectors: the size of a binding that WebGPU
/// guarantees, 128 MiB.
const MOST_TEMPORARY: usize = 1 << 23;

/// The least work of a pass that pays for the compilation of the four Winograd kernels within
/// about a hundred runs: they take a CPU driver some 0.3 s, for all layers together.
const LEAST_WINOGRAD_FLOPS: u64 = 50_000_000;

impl Variant {
    /// Whether the variant can compute this convolution.
    pub(super) fn check(self, geometry: Geometry) -> Result<(), Reason> {
        let dense = geometry.groups == 1;
        match self {
            Self::Tiled if !dense => Err("the tiled variant has no groups".to_owned()),
            Self::Winograd if !dense || !is_three_by_three(geometry) => Err(
                "the Winograd variant needs 3x3 filters, stride and dilation 1, and no groups"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }

    /// The variant for a problem.
    fn choose(problem: &Problem, adapter: &AdapterProfile) -> Self {
        if matches!(problem.kind, Kind::Grouped | Kind::Depthwise) {
            // These have register kernels of their own.
            return Self::Register;
        }
        if adapter.cpu {
            return match pays_for_winograd(problem, adapter) {
                true => Self::Winograd,
                false => Self::Register,
            };
        }
        // On a GPU the Winograd product would move four times the memory of the tiled kernel
        // and is itself not tiled: not worth its savings.
        let [vectors, summed] = problem.vectors_and_summed();
        match pays_for_tiles(vectors, summed) {
            true => Self::Tiled,
            false => Self::Register,
        }
    }
}

impl Problem {
    /// The choice by adapter and shapes, or the best for a variant that is asked for.
    pub(crate) fn heuristic(&self, variant: Option<Variant>, adapter: &AdapterProfile) -> Choice {
        if variant.is_none() && self.kind == Kind::Product && subgroup::available(adapter) {
            let choice = subgroup::candidates(self)[0];
            return match self.can_bind(choice, adapter) {
                true => choice,
                false => self.register(adapter),
            };
        }
        match variant.unwrap_or_else(|| Variant::choose(self, adapter)) {
            Variant::Register => self.register(adapter),
            Variant::Tiled => match tiled::choose(self) {
                choice if variant.is_some() || self.can_bind(choice, adapter) => choice,
                _ => self.register(adapter),
            },
            Variant::Winograd => winograd::choose(self, adapter),
        }
    }

    /// Whether the choice binds no matrix that is larger than what the adapter binds at once; only
    /// register kernels compute with pieces of one.
    fn can_bind(&self, choice: Choice, adapter: &AdapterProfile) -> bool {
        self.kind != Kind::Product
            || matches!(choice, Choice::Register { .. })
            || linear::is_bound_whole(self, choice.parts(), adapter)
    }

    /// Choices worth a measurement, the heuristic's first. A choice that is not among them is
    /// never used, whatever a file of choices says.
    pub fn candidates(&self, adapter: &AdapterProfile) -> Vec<Choice> {
        let mut found = vec![self.heuristic(None, adapter)];
        let able = |variant: Variant| {
            let is_product = self.kind == Kind::Product;
            !(is_product && variant == Variant::Winograd) && variant.check(self.geometry).is_ok()
        };
        if able(Variant::Winograd) && winograd_fits(self, adapter) {
            found.extend(winograd::candidates(self, adapter));
        }
        // Barriers make a CPU driver switch between invocations: never the fastest there.
        if able(Variant::Tiled) && !adapter.cpu {
            found.extend(tiled::candidates(self));
        }
        if self.kind == Kind::Product && subgroup::available(adapter) {
            found.extend(subgroup::candidates(self));
        }
        found.extend(self.register_candidates(adapter));
        let mut seen = Vec::new();
        for choice in found {
            if !seen.contains(&choice) && self.can_bind(choice, adapter) {
                seen.push(choice);
            }
        }
        seen
    }

    /// The register kernels' choice.
    fn register(&self, adapter: &AdapterProfile) -> Choice {
        let tile = match (self.kind, self.pass) {
            (Kind::Grouped | Kind::Depthwise, _) => grouped::choose(self, adapter),
            (_, Pass::GradWeight) => OuterTile::choose(self.filter(), adapter).into(),
            _ => Tile::choose(self.map(), adapter).into(),
        };
        self.register_of(tile, adapter)
    }

    /// Register kernels with this tile, and sums cut as it suits the tile.
    fn register_of(&self, tile: [usize; 3], adapter: &AdapterProfile) -> Choice {
        let parts = match (self.kind, self.pass) {
            (Kind::Product, _) => linear::parts(self, tile, adapter),
            (_, Pass::GradWeight) => super::grad_weight::parts(self, tile, adapter),
            _ => 1,
        };
        Choice::Register { tile, parts }
    }

    fn register_candidates(&self, adapter: &AdapterProfile) -> Vec<Choice> {
        let tiles: Vec<[usize; 3]> = match (self.kind, self.pass) {
            (Kind::Grouped | Kind::Depthwise, _) => grouped::candidates(self, adapter),
            (_, Pass::GradWeight) => {
                let tiles = OuterTile::candidates(self.filter(), adapter);
                tiles.into_iter().map(Into::into).collect()
            }
            _ => {
                let tiles = Tile::candidates(self.map(), adapter);
                tiles.into_iter().map(Into::into).collect()
            }
        };
        let choices = tiles.iter().map(|&tile| self.register_of(tile, adapter));
        let mut choices: Vec<Choice> = choices.collect();
        let cuts = self.pass == Pass::GradWeight || self.kind == Kind::Product;
        if let Some(&chosen) = choices.first().filter(|_| cuts) {
            let longest = match self.kind {
                Kind::Product => linear::longest_cut(self),
                _ => self.batch * self.geometry.output[1],
            };
            choices.extend(recut(chosen, 1, longest));
        }
        choices
    }
}

/// The choice with its sums cut into half, twice and four times as many parts.
pub(in crate::ops) fn recut(choice: Choice, least: usize, most: usize) -> Vec<Choice> {
    let parts = choice.parts();
    let cuts = [2 * parts, parts / 2, 4 * parts];
    let cuts = cuts.into_iter().filter(|&cut| least <= cut && cut <= most);
    cuts.map(|cut| choice.with_parts(cut)).collect()
}

/// Whether a GPU fills its workgroup tiles: with at most eight result channels, or fewer than
/// sixteen terms, most of a tile would be padding.
fn pays_for_tiles(vectors: usize, summed: usize) -> bool {
    vectors > 2 && summed * 4 >= 16
}

fn is_three_by_three(geometry: Geometry) -> bool {
    let one = Size2d::square(1);
    let window = geometry.window;
    window.kernel == Size2d::square(3) && window.stride == one && window.dilation == one
}

/// On a CPU driver the transforms cost as much as the products of a few channels; below, and with too
/// few tiles to share the transformed filter, the direct kernel is as fast. So it is for a filter's
/// gradient of 16 channels, which would fill a quarter of a tile of the products. The input of a forward
/// pass is transformed once for many outputs: eight channels are enough there. A colour image's three
/// take a little longer, but no kernels of their own, of which each delays the first step.
fn pays_for_winograd(problem: &Problem, adapter: &AdapterProfile) -> bool {
    let geometry = problem.geometry;
    let [inputs, outputs] = geometry.vectors();
    let channels = match problem.pass {
        Pass::Forward if geometry.input[0] >= 3 && outputs >= 16 => true,
        Pass::Forward => inputs >= 2 && outputs >= 4,
        Pass::GradInput => inputs.min(outputs) >= 4,
        Pass::GradWeight => inputs.min(outputs) >= 8,
    };
    is_three_by_three(geometry)
        && channels
        && problem.batch * geometry.output[1].div_ceil(2) * geometry.output[2].div_ceil(2) >= 64
        && problem.flops() >= LEAST_WINOGRAD_FLOPS
        && winograd_fits(problem, adapter)
}

/// Whether the transformed images of the whole batch fit a binding.
fn winograd_fits(problem: &Problem, adapter: &AdapterProfile) -> bool {
    winograd::largest(problem) <= MOST_TEMPORARY.min(adapter.most_elements() / LANES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{Sides, Window2d};

    fn geometry(inputs: usize, outputs: usize, size: usize) -> Geometry {
        let padding = Sides::from(Size2d::square(1));
        Geometry {
            window: Window2d {
                padding: padding.into(),
                ..Window2d::new(3)
            },
            padding,
            groups: 1,
            input: [inputs, size, size],
            output: [outputs, size, size],
        }
    }

    fn choose(geometry: Geometry, batch: usize, adapter: AdapterProfile) -> Variant {
        Variant::choose(&Problem::new(Pass::Forward, geometry, batch), &adapter)
    }

    #[test]
    fn a_cpu_driver_uses_winograd_for_heavy_layers_only() {
        let cpu = AdapterProfile::cpu;
        assert_eq!(choose(geometry(32, 64, 14), 64, cpu()), Variant::Winograd);
        assert_eq!(choose(geometry(32, 64, 14), 1, cpu()), Variant::Register);
        assert_eq!(choose(geometry(16, 32, 28), 64, cpu()), Variant::Winograd);
        assert_eq!(choose(geometry(8, 32, 28), 64, cpu()), Variant::Winograd);
        assert_eq!(choose(geometry(4, 32, 28), 64, cpu()), Variant::Register);
        assert_eq!(choose(geometry(3, 64, 32), 32, cpu()), Variant::Winograd);
        assert_eq!(choose(geometry(1, 64, 32), 32, cpu()), Variant::Register);
        let mut strided = geometry(32, 64, 14);
        strided.window.stride = Size2d::square(2);
        assert_eq!(choose(strided, 64, cpu()), Variant::Register);
    }

    #[test]
    fn winograd_keeps_to_bindings_of_guaranteed_size() {
        let huge = geometry(64, 64, 224);
        assert_eq!(choose(huge, 16, AdapterProfile::cpu()), Variant::Register);
        let candidates = Problem::new(Pass::Forward, huge, 16).candidates(&AdapterProfile::cpu());
        let is_register = |c: &Choice| matches!(c, Choice::Register { .. });
        assert!(candidates.iter().all(is_register), "{candidates:?}");
    }

    #[test]
    fn a_gpu_uses_tiles_where_the_channels_fill_them() {
        let gpu = AdapterProfile::gpu;
        assert_eq!(choose(geometry(32, 64, 14), 64, gpu()), Variant::Tiled);
        assert_eq!(choose(geometry(1, 16, 28), 64, gpu()), Variant::Tiled);
        assert_eq!(choose(geometry(64, 8, 28), 64, gpu()), Variant::Register);
    }

    #[test]
    fn a_forced_variant_must_be_able() {
        let mut grouped = geometry(8, 8, 5);
        assert!(Variant::Winograd.check(grouped).is_ok());
        grouped.groups = 2;
        assert!(Variant::Winograd.check(grouped).is_err());
        assert!(Variant::Tiled.check(grouped).is_err());
        assert!(Variant::Register.check(grouped).is_ok());
    }

    #[test]
    fn candidates_are_distinct_begin_with_the_choice_and_reach_every_variant() {
        let passes = [Pass::Forward, Pass::GradInput, Pass::GradWeight];
        for (pass, adapter) in passes.iter().flat_map(|&pass| {
            [AdapterProfile::cpu(), AdapterProfile::gpu()].map(|adapter| (pass, adapter))
        }) {
            let problem = Problem::new(pass, geometry(32, 64, 14), 64);
            let candidates = problem.candidates(&adapter);
            assert_eq!(candidates[0], problem.heuristic(None, &adapter));
            let of_each = |is: fn(&Choice) -> bool| candidates.iter().filter(|c| is(c)).count();
            assert!(of_each(|c| matches!(c, Choice::Register { .. })) > 3);
            assert!(of_each(|c| matches!(c, Choice::Winograd(_))) > 1);
            let tiled = of_each(|c| matches!(c, Choice::Tiled { .. }));
            assert_eq!(tiled > 1, !adapter.cpu, "{candidates:?}");
            for (i, choice) in candidates.iter().enumerate() {
                assert!(!candidates[..i].contains(choice), "{choice} twice");
            }
        }
    }
}
