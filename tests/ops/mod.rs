//! One file per operator's stem: fixed cases, and properties over random shapes and attributes.

mod adaptive_max_pool2d;
mod adaptive_max_pool2d_pyramid;
mod adaptive_mean_pool2d;
mod add;
mod batch_norm;
mod binary_cross_entropy;
mod channel_dropout;
mod concat;
mod conv2d;
mod conv2d_variants;
mod conv_transpose2d;
mod dropout;
mod global_mean_pool;
mod group_norm;
mod hinge_loss;
mod huber_loss;
mod l1_loss;
mod leaky_relu;
mod linear;
mod local_response_norm;
mod log_softmax;
mod max_pool2d;
mod mean_pool2d;
mod mse;
mod multiply;
mod prelu;
mod relayout;
mod relu;
mod reshape;
mod rrelu;
mod scale;
mod scale_shift;
mod sigmoid;
mod slice;
mod softmax;
mod softmax_cross_entropy;
mod stochastic_depth;
mod tanh;
mod unary;
mod upsample;
mod zero_pad;

use proptest::test_runner::Config;
use wgrad::autodiff::{gradients, gradients_from};
use wgrad::graph::{Graph, Var};
use wgrad::ops::Operator;
use wgrad::ops::loss::{LossValues, Reduction};
use wgrad::plan::Mode;
use wgrad::random::Seed;
use wgrad::{Session, SessionOptions};

use crate::reference::{self, Tensor};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

/// The number of random cases per property, few on a CPU driver, which compiles a kernel for as long
/// as a GPU runs thousands; `PROPTEST_CASES` changes it.
fn cases() -> Config {
    let asked = std::env::var("PROPTEST_CASES").ok();
    let asked = asked.and_then(|number| number.parse().ok());
    let on_gpu = || gpu::device().is_some_and(|device| !device.profile().cpu);
    Config {
        cases: asked.unwrap_or_else(|| if on_gpu() { 32 } else { 8 }),
        failure_persistence: None,
        ..Config::default()
    }
}

/// Channel counts around the width of a vec4.
fn channels() -> impl proptest::strategy::Strategy<Value = usize> {
    proptest::sample::select(vec![1_usize, 2, 3, 4, 5, 8, 13])
}

/// Normal values of this shape.
fn normal(shape: &[usize], seed: u64) -> Tensor {
    Tensor::normal(shape, seed)
}

/// Compares an operator whose gradient is computed from its result with `forward` and with
/// `grad_input`, which gets the result and δy; inputs are normal, times `scale`.
#[track_caller]
fn check_from_result(
    (shape, scale, seed): (&[usize], f64, u64),
    apply: fn(&mut Graph, Var) -> Var,
    forward: fn(&Tensor) -> Tensor,
    grad_input: fn(&Tensor, &Tensor) -> Tensor,
) {
    let Some(device) = gpu::device() else { return };
    let x = normal(shape, seed).map(|x| f64::from((scale * x) as f32));
    let dy = normal(shape, seed + 1);
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let y = apply(&mut probe.graph, x_var);
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    let reference = forward(&x);
    assert_close("y", &results[0], &reference, Tolerance::F32);
    let reference = grad_input(&reference, &dy);
    assert_close("dx", &results[1], &reference, Tolerance::F32);
}

/// Compares y and δx of an operator that draws, for one seed and step, with `expected` of x and δy:
/// the very same elements are zero.
#[track_caller]
fn check_draws(
    shape: &[usize],
    operator: impl Operator,
    (seed, step): (u64, u32),
    expected: impl Fn(&Tensor, &Tensor) -> [Tensor; 2],
) {
    let Some(device) = gpu::device() else { return };
    let (x, dy) = (normal(shape, 1), normal(shape, 2));
    let mut graph = Graph::new();
    let sample = &shape[1..];
    let (x_var, dy_var) = (graph.input("x", sample), graph.input("dy", sample));
    let what = format!("{shape:?} {operator:?} {seed} {step}");
    let y = graph.apply("drawn", operator, &[x_var]);
    let dx = gradients_from(&mut graph, &[(y, dy_var)], &[x_var]).unwrap()[0];
    let options = SessionOptions::training(shape[0]).guarded();
    let session = Session::new(device, &graph, &[y, dx], options).unwrap();
    session.set(x_var, &x.to_f32()).unwrap();
    session.set(dy_var, &dy.to_f32()).unwrap();
    session.set_random_state(Seed(seed), step).unwrap();
    session.run().unwrap();
    session.check_guards().unwrap();
    for (var, reference) in [y, dx].into_iter().zip(expected(&x, &dy)) {
        let result = session.get(var).unwrap();
        let zeros = result.iter().map(|&v| v == 0.0);
        assert!(zeros.eq(reference.data.iter().map(|&v| v == 0.0)), "{what}");
        assert_close(&what, &result, &reference, Tolerance::F32);
    }
}

const REDUCTIONS: [(Reduction, reference::Reduction); 2] = [
    (Reduction::Mean, reference::Reduction::Mean),
    (Reduction::Sum, reference::Reduction::Sum),
];

/// What a loss should come to: for the batch, for every sample, and δ of its first operand.
struct Expected {
    loss: f64,
    per_sample: Vec<f64>,
    delta: Tensor,
}

/// Compares the loss that `build` makes of `x` with what is expected; also of the loss added to
/// itself, whose δ is not the kernel's own.
#[track_caller]
fn check_loss(x: &Tensor, build: impl Fn(&mut Probe, Var) -> LossValues, expected: &Expected) {
    let Some(device) = gpu::device() else { return };
    for worth in [1.0, 2.0] {
        let mut probe = Probe::new(x.shape[0]);
        let var = probe.input(x);
        let values = build(&mut probe, var);
        let objective = match worth {
            2.0 => probe.graph.add(values.loss, values.loss),
            _ => values.loss,
        };
        let delta = gradients(&mut probe.graph, objective, &[var]).unwrap()[0];
        let targets = [values.loss, values.per_sample, delta];
        let results = probe.run(device, Mode::Training, &targets);
        let loss = Tensor::new(&[1], vec![expected.loss]);
        let losses = Tensor::new(&[x.shape[0]], expected.per_sample.clone());
        let delta = expected.delta.map(|d| worth * d);
        assert_close("loss", &results[0], &loss, Tolerance::F32);
        assert_close("losses", &results[1], &losses, Tolerance::F32);
        assert_close("delta", &results[2], &delta, Tolerance::F32);
    }
}

/// What `loss` gives for every sample by itself.
fn sample_by_sample(x: &Tensor, t: &Tensor, loss: impl Fn(&Tensor, &Tensor) -> f64) -> Vec<f64> {
    let shape = [&[1], &x.shape[1..]].concat();
    let len: usize = shape.iter().product();
    let row = |data: &[f64]| Tensor::new(&shape, data.to_vec());
    let rows = x.data.chunks(len).zip(t.data.chunks(len));
    rows.map(|(x, t)| loss(&row(x), &row(t))).collect()
}

/// Which numbers are NaN.
fn are_nan(values: &[f32]) -> Vec<bool> {
    values.iter().map(|v| v.is_nan()).collect()
}

/// The loss, the losses of the samples and δ, for operands that are given as they are.
fn run_loss(x: &Tensor, build: impl Fn(&mut Probe, Var) -> LossValues) -> Option<Vec<Vec<f32>>> {
    let device = gpu::device()?;
    let mut probe = Probe::new(x.shape[0]);
    let var = probe.input(x);
    let values = build(&mut probe, var);
    let delta = gradients(&mut probe.graph, values.loss, &[var]).unwrap()[0];
    let targets = [values.loss, values.per_sample, delta];
    Some(probe.run(device, Mode::Training, &targets))
}
