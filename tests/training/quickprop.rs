//! Quickprop against the f64 reference of Fahlman's program.

use std::collections::BTreeMap;

use wgrad::ops::MeanSquaredError;
use wgrad::train::{Quickprop, Trainer};

use super::rules::{Case, SAMPLES, check, groups, initial, network, problem};
use crate::reference::small_network::{gradients, update};
use crate::reference::{Factors, Tensor, quickprop};
use crate::support::gpu::device;

/// Follows the whole run.
fn follow(case: &Case, rule: Quickprop, a: quickprop::Attributes) {
    let step = update(quickprop::State::new, move |_, w, g, s, f| {
        quickprop::step(w, g, s, f, &a)
    });
    case.follow(rule, step);
}

/// Fahlman's settings. From the whole run the reference departs after some ten steps: with a growth
/// factor above 1 the rule magnifies the rounding of its slopes, in single and double precision
/// alike. So each of fifty steps is computed from where the device stood before it.
#[test]
fn quickprop_by_default_step_by_step() {
    let Some(device) = device() else { return };
    let a = quickprop::Attributes {
        learning_rate: 0.05,
        growth: 1.75,
        weight_decay: 0.0,
    };
    let (data, x, targets) = problem();
    let mut model = network().build(device, 3).unwrap();
    let mut before = initial();
    for (name, tensor) in &before {
        model.set_parameter(name, &tensor.to_f32()).unwrap();
    }
    let trainer = Trainer::new(Quickprop::new(0.05))
        .loss(MeanSquaredError::new())
        .batch_size(SAMPLES)
        .shuffle(false);
    let mut states: BTreeMap<String, quickprop::State> = BTreeMap::new();
    let mut training = trainer.start(&mut model, &data).unwrap();
    for step in 0..50 {
        training.step().unwrap();
        let (_, gradients) = gradients(&before, &x, &targets);
        for (name, old) in &mut before {
            let gradient = &gradients[name];
            let fresh = || quickprop::State::new(&gradient.shape);
            let state = states.entry(name.clone()).or_insert_with(fresh);
            let mut expected = old.clone();
            quickprop::step(&mut expected, gradient, state, Factors::default(), &a);
            let found = training.model().parameter(name).unwrap();
            check(&format!("{name} after step {step}"), &found, &expected.data);
            let found = Tensor::from_f32(&old.shape, &found);
            for (change, (new, old)) in state
                .change
                .data
                .iter_mut()
                .zip(found.data.iter().zip(&old.data))
            {
                *change = new - old;
            }
            *old = found;
        }
    }
}

/// With a growth factor below 1 rounding dies out, and the whole run is followed.
#[test]
fn quickprop_with_little_growth() {
    let a = quickprop::Attributes {
        learning_rate: 0.05,
        growth: 0.7,
        weight_decay: 0.0,
    };
    follow(&Case::default(), Quickprop::new(0.05).growth(0.7), a);
}

#[test]
fn quickprop_with_decay_groups_and_schedule() {
    let a = quickprop::Attributes {
        learning_rate: 0.05,
        growth: 0.75,
        weight_decay: 0.01,
    };
    let case = Case {
        groups: groups(),
        schedule: |step| 1.0 - step as f64 / 60.0,
        ..Case::default()
    };
    let rule = Quickprop::new(0.05).growth(0.75).weight_decay(0.01);
    follow(&case, rule, a);
}
