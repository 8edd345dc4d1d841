//! Gradient clipping; fifty steps of it are compared with PyTorch's in `golden_rules.rs`.

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::ops::MeanSquaredError;
use wgrad::train::{Sgd, Trainer};

use super::setup::{assert_same, bits, digits, parameters, varied};
use crate::support::gpu::device;

/// The weights after one step at the rate 1, and the gradients' norm. The network is w₁·x, w₂·x
/// and is to be 0: the gradient of the squared error is w·x².
fn step(trainer: Trainer, x: f32, weights: &[f32; 2]) -> Option<(Vec<f32>, Vec<f32>)> {
    let device = device()?;
    let mut net = Network::input([1]);
    net.linear(2);
    let data = Dataset::regression([1], vec![x], [2], vec![0.0; 2]).unwrap();
    let mut model = net.build(device, 0).unwrap();
    model.set_parameter("linear1.weight", weights).unwrap();
    model.freeze("linear1.bias").unwrap();
    let trainer = trainer.loss(MeanSquaredError::default()).batch_size(1);
    let mut training = trainer.start(&mut model, &data).unwrap();
    training.step().unwrap();
    let norms = training.gradient_norms().unwrap();
    Some((model.parameter("linear1.weight").unwrap(), norms))
}

fn sgd() -> Trainer {
    Trainer::new(Sgd::new(1.0))
}

/// The gradient is the weights themselves.
#[test]
fn by_hand() {
    let Some((left, norms)) = step(sgd().clip_value(0.5), 1.0, &[3.0, -0.25]) else {
        return;
    };
    assert_eq!((left, norms), (vec![2.5, 0.0], vec![]));
    // 3-4-5, to a length of 1: the millionth in the divisor is lost in single precision.
    let (left, norms) = step(sgd().clip_norm(1.0), 1.0, &[3.0, 4.0]).unwrap();
    let close = |found: &[f32], expected: [f32; 2]| {
        let errors = found.iter().zip(expected).map(|(f, e)| (f - e).abs());
        assert!(errors.clone().all(|e| e <= 2e-6), "{found:?}");
    };
    close(&left, [2.4, 3.2]);
    assert_eq!(norms, [5.0]);
    // Nothing to clip.
    let (left, norms) = step(sgd().clip_norm(6.0), 1.0, &[3.0, 4.0]).unwrap();
    assert_eq!((left, norms), (vec![0.0, 0.0], vec![5.0]));
    // By value first: (0.3, 0.4) has the norm 0.5.
    let both = sgd().clip_value(0.4).clip_norm(0.25);
    let (left, norms) = step(both, 1.0, &[0.3, 0.9]).unwrap();
    close(&left, [0.15, 0.7]);
    assert!((norms[0] - 0.5).abs() <= 1e-6, "{norms:?}");
}

/// The squares of these gradients do not fit into single precision; the loss does.
#[test]
fn large_gradients_have_a_norm() {
    let Some((left, norms)) = step(sgd().clip_norm(1e5), 1e10, &[3e5, 4e5]) else {
        return;
    };
    assert!((norms[0] / 5e25 - 1.0).abs() <= 1e-6, "{norms:?}");
    let close = |(found, expected): (&f32, f32)| (found / expected - 1.0).abs() <= 1e-6;
    assert!(left.iter().zip([2.4e5, 3.2e5]).all(close), "{left:?}");
}

/// With no limit, norms are measured and the training is the same in every bit.
#[test]
fn measuring_changes_nothing() {
    let Some(device) = device() else { return };
    let data = digits(48);
    let train = |trainer: Trainer| {
        let mut model = varied().build(device, 1).unwrap();
        let trainer = trainer.batch_size(12);
        let mut training = trainer.start(&mut model, &data).unwrap();
        for _ in 0..600 {
            training.step().unwrap();
        }
        let norms = training.gradient_norms().unwrap();
        let losses = training.losses().unwrap();
        (parameters(&model), bits(&losses), norms)
    };
    let rule = Sgd::new(0.02).momentum(0.9);
    let (plain, losses, none) = train(Trainer::new(rule));
    let (measured, same_losses, norms) = train(Trainer::new(rule).clip_norm(f64::INFINITY));
    assert_same(&measured, &plain);
    assert_eq!(losses, same_losses);
    assert!(none.is_empty());
    assert_eq!(norms.len(), 600);
    assert!(norms.iter().all(|n| n.is_finite() && *n > 0.0));
    // Clipped trainings repeat in every bit too, and differ.
    let clipped = || train(Trainer::new(rule).clip_norm(0.5));
    let (first, second) = (clipped(), clipped());
    assert_same(&first.0, &second.0);
    assert_eq!(bits(&first.2), bits(&second.2));
    assert_ne!(first.1, losses);
}

#[test]
fn limits_that_make_no_sense_are_refused() {
    let Some(device) = device() else { return };
    let data = digits(4);
    let mut model = varied().build(device, 1).unwrap();
    let mut refusal = |trainer: Trainer| trainer.start(&mut model, &data).unwrap_err().to_string();
    assert_eq!(
        refusal(sgd().clip_value(0.0)),
        "gradients cannot be clipped to the value 0"
    );
    assert_eq!(
        refusal(sgd().clip_norm(f64::NAN)),
        "gradients cannot be clipped to the norm NaN"
    );
}
