//! Every variant of the convolution over shapes that it would not be chosen for, and what is
//! planned for a GPU.

use proptest::prelude::*;
use wgrad::ops::conv2d::Variant;
use wgrad::plan::AdapterProfile;

use super::cases;
use super::conv2d::{Case, case, fixed};
use crate::reference::conv2d::Attributes;

/// The case with as many groups as the variant can compute.
fn dense(case: Case, variant: Variant) -> Case {
    let groups = case.attributes.groups;
    Case {
        attributes: Attributes {
            groups: 1,
            ..case.attributes
        },
        input: [case.input[0] / groups, case.input[1], case.input[2]],
        variant: Some(variant),
        ..case
    }
}

/// Filters of 3x3, with paddings of up to 3 (more than the filter reaches).
fn winograd() -> impl Strategy<Value = Case> {
    case().prop_map(|case| {
        let padding = case.attributes.padding;
        let extent = |axis: usize| {
            let least = 3_usize.saturating_sub(padding[axis].iter().sum());
            case.input[axis + 1].max(least)
        };
        let case = Case {
            input: [case.input[0], extent(0), extent(1)],
            ..case
        };
        let attributes = Attributes {
            padding,
            groups: case.attributes.groups,
            ..Attributes::new([3; 2])
        };
        dense(Case { attributes, ..case }, Variant::Winograd)
    })
}

fn planned_for(case: Case, adapter: AdapterProfile) -> Case {
    Case {
        adapter: Some(adapter),
        ..case
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn tiled_agrees_with_the_textbook(case in case()) {
        dense(case, Variant::Tiled).check();
    }

    #[test]
    fn winograd_agrees_with_the_textbook(case in winograd()) {
        case.check();
    }

    #[test]
    fn winograd_on_a_gpu_agrees_with_the_textbook(case in winograd()) {
        planned_for(case, AdapterProfile::gpu()).check();
    }

    #[test]
    fn register_on_a_gpu_agrees_with_the_textbook(case in case()) {
        let case = Case { variant: Some(Variant::Register), ..case };
        planned_for(case, AdapterProfile::gpu()).check();
    }

    #[test]
    fn what_a_gpu_would_run_agrees_with_the_textbook(case in case()) {
        planned_for(case, AdapterProfile::gpu()).check();
    }
}

fn same(kernel: usize) -> Attributes {
    Attributes {
        padding: [[kernel / 2; 2]; 2],
        ..Attributes::new([kernel; 2])
    }
}

/// Channels and pixels that reach every tile of the tiled kernels, and sums long enough to be
/// cut.
#[test]
fn every_tile_of_the_tiled_kernels() {
    let strided = Attributes {
        stride: [2, 3],
        ..same(3)
    };
    let tiled = |batch, input, output, attributes| {
        let case = fixed(batch, input, output, attributes);
        planned_for(dense(case, Variant::Tiled), AdapterProfile::gpu()).check();
    };
    tiled(2, [3, 20, 20], 16, same(5));
    tiled(3, [30, 9, 9], 24, same(3));
    tiled(1, [100, 5, 5], 50, strided);
    tiled(2, [40, 6, 6], 101, same(1));
    tiled(4, [4, 64, 64], 100, same(1));
    tiled(64, [100, 16, 16], 5, same(1));
}

/// Layers for which a CPU driver would choose it: sums over several parts.
#[test]
fn winograd_for_heavy_layers() {
    let winograd = |batch, input, output| {
        dense(fixed(batch, input, output, same(3)), Variant::Winograd).check();
    };
    winograd(16, [32, 14, 14], 64);
    winograd(2, [37, 9, 7], 33);
    winograd(1, [5, 80, 70], 6);
}
