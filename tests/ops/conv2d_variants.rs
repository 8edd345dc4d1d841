//! Every variant of the convolution over shapes that it would not be chosen for, and what is
//! planned for a GPU.

use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::ops::Conv2d;
use wgrad::ops::choice::Choice;
use wgrad::ops::conv2d::Variant;
use wgrad::plan::{AdapterProfile, Mode, Plan, PlanOptions};
use wgrad::shader::Shaders;

use super::cases;
use super::conv2d::{Case, case, fixed};
use crate::reference::conv2d::Attributes;
use crate::support::gpu;

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

    /// With tiles of either side, and the kernels that this driver's subgroups allow.
    #[test]
    fn every_cut_of_winograd_agrees_with_the_textbook(case in winograd(), number in 0..100_usize) {
        let Some(device) = gpu::device() else { return Ok(()) };
        Case { variant: None, ..case }.check_candidates(device.profile(), number);
    }

    /// The same for products, which linear layers share.
    #[test]
    fn every_cut_of_a_product_agrees_with_the_textbook(case in case(), number in 0..100_usize) {
        let Some(device) = gpu::device() else { return Ok(()) };
        let attributes = Attributes { groups: case.attributes.groups, ..Attributes::new([1; 2]) };
        let case = dense(Case { attributes, ..case }, Variant::Register);
        Case { variant: None, ..case }.check_candidates(device.profile(), number);
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

/// Every choice that a file or a measurement may make, for each kind of convolution.
#[test]
fn every_candidate_agrees_with_the_textbook() {
    let strided = Attributes {
        stride: [2, 1],
        ..same(3)
    };
    let in_groups = |groups: usize| Attributes { groups, ..strided };
    let (cpu, gpu) = (AdapterProfile::cpu(), AdapterProfile::gpu());
    fixed(2, [8, 8, 9], 12, same(3)).check_every_candidate(&cpu);
    fixed(2, [5, 6, 5], 9, strided).check_every_candidate(&gpu);
    fixed(2, [10, 5, 9], 6, in_groups(2)).check_every_candidate(&cpu);
    fixed(2, [6, 5, 9], 6, in_groups(6)).check_every_candidate(&cpu);
    fixed(3, [9, 5, 4], 17, same(1)).check_every_candidate(&gpu);
}

/// A choice that nobody offers for the problem is not used: shaders run unchecked.
#[test]
fn a_choice_that_is_no_candidate_is_passed_over() {
    let choice: Choice = "register tile=64x64x64 parts=1".parse().unwrap();
    let mut graph = Graph::new();
    let x = graph.input("x", [8, 8, 9]);
    let y = graph.conv2d(x, Conv2d::new(12, 3));
    let shaders = Shaders::new().unwrap();
    let options = PlanOptions {
        batch: 2,
        mode: Mode::Training,
        fuse: true,
        reuse: true,
    };
    let plan = |adapter: &AdapterProfile| {
        let plan = Plan::new(&graph, &[y], options, adapter, &shaders).unwrap();
        plan.choices()
    };
    let cpu = AdapterProfile::cpu();
    let usual = plan(&cpu);
    let odd = usual.iter().map(|(problem, _)| (problem, choice));
    assert_eq!(plan(&cpu.clone().with_choices(odd.collect())), usual);
}
