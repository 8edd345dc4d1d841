//! Every function of one element: ELU, SELU, CELU, softplus, SiLU, GELU, Mish, hard-swish,
//! hard-sigmoid, ReLU6.

use proptest::prelude::*;
use proptest::sample::select;
use wgrad::graph::Graph;
use wgrad::ops::{Celu, Elu, Softplus};
use wgrad::plan::Mode;

use super::{cases, channels, normal};
use crate::reference::Tensor;
use crate::reference::unary::ALL;
use crate::reference::unary::Unary::{self, *};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};
use crate::support::unary::apply;

/// y and δx for these inputs and δ.
fn run(function: Unary, x: &Tensor, dy: &Tensor) -> Option<[Vec<f32>; 2]> {
    let device = gpu::device()?;
    let mut probe = Probe::new(x.shape[0]);
    let x_var = probe.input(x);
    let y = apply(&mut probe.graph, x_var, function);
    let dx = probe.gradients(y, dy, &[x_var])[0];
    probe.run(device, Mode::Training, &[y, dx]).try_into().ok()
}

fn check(shape: &[usize], function: Unary, scale: f64, seed: u64) {
    let x = normal(shape, seed).map(|x| f64::from((scale * x) as f32));
    let dy = normal(shape, seed + 1);
    let Some([y, dx]) = run(function, &x, &dy) else {
        return;
    };
    let name = |what: &str| format!("{what} of {function:?}");
    assert_close(&name("y"), &y, &function.forward(&x), Tolerance::F32);
    let reference = function.grad_input(&x, &dy);
    assert_close(&name("dx"), &dx, &reference, Tolerance::F32);
}

#[test]
fn features_and_images() {
    for function in ALL {
        check(&[3, 10], function, 0.01, 2);
        check(&[2, 5, 3, 7], function, 5.0, 3);
    }
}

/// Far below zero every function has a limit, far above it is a line, slope · x + offset; neither
/// overflows on the way, and the derivative has its limits too.
#[test]
fn far_out_functions_have_their_limits_and_nan_stays_nan() {
    for (function, below, [slope, offset]) in [
        (Celu(0.5), -0.5, [1.0, 0.0]),
        (Elu(1.0), -1.0, [1.0, 0.0]),
        (Elu(-0.5), 0.5, [1.0, 0.0]),
        (Gelu, 0.0, [1.0, 0.0]),
        (GeluTanh, 0.0, [1.0, 0.0]),
        (HardSigmoid, 0.0, [0.0, 1.0]),
        (HardSwish, 0.0, [1.0, 0.0]),
        (Mish, 0.0, [1.0, 0.0]),
        (Relu6, 0.0, [0.0, 6.0]),
        (Selu, -1.758_099_3, [1.050_701, 0.0]),
        (Silu, 0.0, [1.0, 0.0]),
        (Softplus(1.0), 0.0, [1.0, 0.0]),
        (Softplus(3.0), 0.0, [1.0, 0.0]),
    ] {
        let x = [-3e38, -1e4, 1e4, 3e38, f64::INFINITY, f64::NAN];
        let x = Tensor::new(&[1, 6], x.to_vec());
        let Some([y, dx]) = run(function, &x, &x.map(|_| 1.0)) else {
            return;
        };
        let line = |x: f64| slope * x + offset;
        let limits = [below, below, line(1e4), line(3e38)];
        for (i, limit) in limits.into_iter().enumerate() {
            let error = (f64::from(y[i]) - limit).abs();
            let close = error <= 1e-6 * limit.abs();
            assert!(close, "{function:?} of {} is {}", x.data[i], y[i]);
        }
        let at_infinity = if slope > 0.0 {
            f32::INFINITY
        } else {
            offset as f32
        };
        assert_eq!(y[4], at_infinity, "{function:?} of infinity");
        assert!(y[5].is_nan(), "{function:?} of NaN is {}", y[5]);
        for (i, limit) in [0.0, 0.0, slope, slope].into_iter().enumerate() {
            let close = (f64::from(dx[i]) - limit).abs() <= 1e-6;
            assert!(close, "{function:?}' of {} is {}", x.data[i], dx[i]);
        }
    }
}

/// PyTorch gives NaN, 0·∞, for the functions that multiply by x.
#[test]
fn functions_of_bounded_terms_have_their_limit_at_minus_infinity() {
    for (function, limit) in [
        (Celu(0.5), -0.5),
        (Elu(2.0), -2.0),
        (HardSigmoid, 0.0),
        (Relu6, 0.0),
        (Selu, -1.758_099_3),
        (Softplus(1.0), 0.0),
    ] {
        let x = Tensor::new(&[1, 1], vec![f64::NEG_INFINITY]);
        let Some([y, dx]) = run(function, &x, &x.map(|_| 1.0)) else {
            return;
        };
        assert!((y[0] - limit).abs() <= 1e-6, "{function:?}: {}", y[0]);
        assert_eq!(dx[0], 0.0, "{function:?}'");
    }
}

/// The derivative is PyTorch's where it jumps.
#[test]
fn at_a_kink_the_derivative_is_pytorchs() {
    for function in ALL.into_iter().filter(|f| !f.kinks().is_empty()) {
        let kinks = function.kinks();
        let x = Tensor::new(&[1, kinks.len()], kinks.to_vec());
        let Some([_, dx]) = run(function, &x, &x.map(|_| 1.0)) else {
            return;
        };
        let reference = function.grad_input(&x, &x.map(|_| 1.0));
        for (found, expected) in dx.iter().zip(&reference.data) {
            let close = (f64::from(*found) - expected).abs() <= 1e-6;
            assert!(close, "{function:?}' at {kinks:?}: {dx:?}");
        }
    }
}

#[test]
fn attributes_that_make_no_sense_are_refused() {
    let error = |build: fn(&mut Graph, wgrad::graph::Var) -> wgrad::graph::Var| {
        let mut graph = Graph::new();
        let x = graph.input("x", 3);
        build(&mut graph, x);
        graph.check().unwrap_err().to_string()
    };
    assert_eq!(
        error(|graph, x| graph.elu(x, Elu::new(f64::NAN))),
        "layer `elu1` (elu): alpha must be a finite number, it is NaN"
    );
    assert_eq!(
        error(|graph, x| graph.celu(x, Celu::new(0.0))),
        "layer `celu1` (celu): alpha must be a number above 0, it is 0"
    );
    assert_eq!(
        error(|graph, x| graph.softplus(x, Softplus::new(-1.0))),
        "layer `softplus1` (softplus): beta must be a number above 0, it is -1"
    );
}

fn function() -> impl Strategy<Value = Unary> {
    prop_oneof![
        3 => select(ALL.to_vec()),
        1 => (0.1..3.0).prop_map(Celu),
        1 => (-2.0..3.0).prop_map(Elu),
        1 => (0.1..5.0).prop_map(Softplus),
    ]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agree_with_the_reference(
        function in function(),
        n in 1_usize..4,
        c in channels(),
        h in 1_usize..9,
        w in 1_usize..9,
        scale in 0.1..4.0,
        seed: u64,
    ) {
        check(&[n, c, h, w], function, scale, seed % 1000);
    }
}
