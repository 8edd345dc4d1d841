//! Which kernels compute a convolution. Every variant computes the same sums; they differ in
//! speed, and in the order of additions. The choice depends on adapter and shapes alone, so that
//! equal runs give equal results.

use super::geometry::Geometry;
use crate::ops::Reason;
use crate::plan::AdapterProfile;
use crate::shape::Size2d;

/// A family of kernels for dense convolutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Sums in registers, loads from global memory; no barrier. Any convolution.
    Register,
    /// A matrix product through workgroup memory ("implicit GEMM"). Dense convolutions.
    Tiled,
    /// The minimal filtering of Winograd for 3x3 filters, four outputs from sixteen
    /// multiplications in place of thirty-six. See Lavin and Gray, "Fast Algorithms for
    /// Convolutional Neural Networks" (2016). Dense convolutions of stride and dilation 1.
    Winograd,
}

/// The result of a pass: which channels are computed and which are summed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    Forward,
    GradInput,
    GradWeight,
}

/// Largest temporary of the Winograd variant, in vectors: the size of a binding that WebGPU
/// guarantees, 128 MiB.
const MOST_TEMPORARY: usize = 1 << 23;

/// The least work of a pass that pays for the compilation of the four Winograd kernels within
/// about a hundred runs: they take a CPU driver some 0.2 s, and save a quarter of the time at 30
/// GFLOP/s.
const LEAST_WINOGRAD_FLOPS: u64 = 250_000_000;

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

    /// The variant for a pass, unless one is forced.
    pub(super) fn choose(
        forced: Option<Self>,
        pass: Pass,
        geometry: Geometry,
        batch: usize,
        adapter: &AdapterProfile,
    ) -> Self {
        if let Some(variant) = forced {
            return variant;
        }
        if geometry.groups > 1 {
            // Grouped and depthwise convolutions have register kernels of their own.
            return Self::Register;
        }
        if adapter.cpu {
            return match pays_for_winograd(geometry, batch) {
                true => Self::Winograd,
                false => Self::Register,
            };
        }
        // On a GPU the Winograd product would move four times the memory of the tiled kernel
        // and is itself not tiled: not worth its savings.
        let [inputs, outputs] = geometry.vectors();
        let taps = geometry.window.taps();
        let tiled = match pass {
            Pass::Forward => pays_for_tiles(outputs, taps * inputs),
            Pass::GradInput => pays_for_tiles(inputs, taps * outputs),
            Pass::GradWeight => pays_for_tiles(outputs, taps * inputs),
        };
        if tiled { Self::Tiled } else { Self::Register }
    }
}

/// Whether a GPU fills its workgroup tiles: with at most eight result channels, or fewer than
/// sixteen terms, most of a tile would be padding.
pub(in crate::ops) fn pays_for_tiles(vectors: usize, summed: usize) -> bool {
    vectors > 2 && summed * 4 >= 16
}

fn is_three_by_three(geometry: Geometry) -> bool {
    let one = Size2d::square(1);
    let window = geometry.window;
    window.kernel == Size2d::square(3) && window.stride == one && window.dilation == one
}

/// On a CPU driver the transforms cost as much as 32 to 64 channels of products; below, and with
/// too few tiles to share the transformed filter, the direct kernel is as fast.
fn pays_for_winograd(geometry: Geometry, batch: usize) -> bool {
    let [inputs, outputs] = geometry.vectors();
    let tiles = |[_, height, width]: [usize; 3]| batch * height.div_ceil(2) * width.div_ceil(2);
    let most = tiles(geometry.input).max(tiles(geometry.output));
    is_three_by_three(geometry)
        && inputs.min(outputs) >= 8
        && inputs * outputs >= 128
        && tiles(geometry.output) >= 64
        && geometry.flops(batch) >= LEAST_WINOGRAD_FLOPS
        && 16 * most * inputs.max(outputs) <= MOST_TEMPORARY
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
        Variant::choose(None, Pass::Forward, geometry, batch, &adapter)
    }

    #[test]
    fn a_cpu_driver_uses_winograd_for_heavy_layers_only() {
        let cpu = AdapterProfile::cpu;
        assert_eq!(choose(geometry(32, 64, 14), 64, cpu()), Variant::Winograd);
        assert_eq!(choose(geometry(32, 64, 14), 1, cpu()), Variant::Register);
        assert_eq!(choose(geometry(16, 32, 28), 64, cpu()), Variant::Register);
        let mut strided = geometry(32, 64, 14);
        strided.window.stride = Size2d::square(2);
        assert_eq!(choose(strided, 64, cpu()), Variant::Register);
    }

    #[test]
    fn winograd_keeps_to_bindings_of_guaranteed_size() {
        let huge = geometry(64, 64, 224);
        assert_eq!(choose(huge, 16, AdapterProfile::cpu()), Variant::Register);
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
}
