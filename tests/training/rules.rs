//! Update rules, parameter groups and schedules against the f64 references, step by step.

use wgrad::data::Dataset;
use wgrad::graph::{Network, Parameter};
use wgrad::ops::MeanSquaredError;
use wgrad::train::{Adam, AdamW, Lars, Sgd, Trainer, UpdateRule};

use super::setup::bits;
use crate::reference::small_network::{Named, Update, gradients, update};
use crate::reference::{Factors, Tensor, adam, adamw, lars, sgd};
use crate::support::compare::{Tolerance, compare};
use crate::support::gpu::device;

/// Fifty steps of single precision; Adam divides small gradients by their own size.
const TOLERANCE: Tolerance = Tolerance::relative(2e-5);
pub const SAMPLES: usize = 7;

/// `linear1 prelu1 linear2`: weights, which are decayed, biases and slopes, which are not.
pub fn network() -> Network {
    let mut net = Network::input([6]);
    net.linear(5).prelu().linear(3);
    net
}

pub fn initial() -> Named {
    let shapes: [(&str, &[usize]); 5] = [
        ("linear1.weight", &[5, 6]),
        ("linear1.bias", &[5]),
        ("prelu1.weight", &[5]),
        ("linear2.weight", &[3, 5]),
        ("linear2.bias", &[3]),
    ];
    let tensor = |(i, (name, shape)): (usize, &(&str, &[usize]))| {
        // What the device is given is rounded to single precision.
        let values = Tensor::normal(shape, 20 + i as u64)
            .map(|v| 0.5 * v)
            .to_f32();
        (name.to_string(), Tensor::from_f32(shape, &values))
    };
    shapes.iter().enumerate().map(tensor).collect()
}

/// Inputs and targets, for the device and for the reference.
pub fn problem() -> (Dataset, Tensor, Tensor) {
    let x = Tensor::normal(&[SAMPLES, 6], 1);
    let targets = Tensor::normal(&[SAMPLES, 3], 2);
    let [values, answers] = [&x, &targets].map(Tensor::to_f32);
    let x = Tensor::from_f32(&x.shape, &values);
    let targets = Tensor::from_f32(&targets.shape, &answers);
    let data = Dataset::regression([6], values, [3], answers).unwrap();
    (data, x, targets)
}

/// A prefix of parameter names, and what is changed below it.
pub type Group = (&'static str, fn(&mut Parameter));

/// A training to be followed by the reference.
pub struct Case {
    pub steps: u64,
    /// Applied to the model, below these prefixes.
    pub groups: Vec<Group>,
    pub schedule: fn(u64) -> f64,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            steps: 50,
            groups: Vec::new(),
            schedule: |_| 1.0,
        }
    }
}

impl Case {
    /// Trains on the device and by `update`, which gets a parameter's name, the parameter, its
    /// gradient and its factors; compares all losses and the parameters after the last step.
    pub fn follow(&self, rule: impl UpdateRule, mut update: Update) {
        let Some(device) = device() else { return };
        let (data, x, targets) = problem();

        let mut model = network().build(device, 3).unwrap();
        let mut state = initial();
        for (name, tensor) in &state {
            model.set_parameter(name, &tensor.to_f32()).unwrap();
        }
        for (prefix, change) in &self.groups {
            model.configure(prefix, change).unwrap();
        }
        let trainer = Trainer::new(rule)
            .loss(MeanSquaredError::new())
            .batch_size(SAMPLES)
            .shuffle(false)
            .schedule(self.schedule);
        let mut training = trainer.start(&mut model, &data).unwrap();
        for _ in 0..self.steps {
            training.step().unwrap();
        }
        let found_losses = training.losses().unwrap();

        let mut losses = Vec::new();
        for step in 0..self.steps {
            let (loss, gradients) = gradients(&state, &x, &targets);
            losses.push(loss);
            for p in model.parameters().iter().filter(|p| !p.frozen) {
                let own = Factors {
                    learning_rate: f64::from(p.learning_rate_factor) * (self.schedule)(step),
                    weight_decay: f64::from(p.decay_factor),
                };
                let weight = state.get_mut(&p.name).unwrap();
                update(&p.name, weight, &gradients[&p.name], own);
            }
        }
        check("losses", &found_losses, &losses);
        for p in model.parameters() {
            let found = model.parameter(&p.name).unwrap();
            match p.frozen {
                true => assert_eq!(
                    bits(&found),
                    bits(&initial()[&p.name].to_f32()),
                    "{}",
                    p.name
                ),
                false => check(&p.name, &found, &state[&p.name].data),
            }
        }
    }
}

pub fn check(what: &str, found: &[f32], expected: &[f64]) {
    if let Err(mismatch) = compare(found, expected, TOLERANCE) {
        panic!("{what}: {mismatch}");
    }
}

fn by_sgd(a: sgd::Attributes) -> Update {
    update(|_| None, move |_, w, g, v, f| sgd::step(w, g, v, f, &a))
}

fn by_adam(a: adam::Attributes) -> Update {
    update(adam::State::new, move |_, w, g, s, f| {
        adam::step(w, g, s, f, &a)
    })
}

fn by_adamw(a: adam::Attributes) -> Update {
    update(adam::State::new, move |_, w, g, s, f| {
        adamw::step(w, g, s, f, &a)
    })
}

/// `adapted` says whether a parameter of this name is.
fn by_lars(a: lars::Attributes, adapted: fn(&str) -> bool) -> Update {
    update(Tensor::zeros, move |name, w, g, v, f| {
        lars::step(w, g, v, f, adapted(name), &a)
    })
}

/// One group slower, one without decay, one with more of it, one that stays as it is.
pub fn groups() -> Vec<Group> {
    vec![
        ("linear1.weight", |p| p.learning_rate_factor = 0.25),
        ("linear1.bias", |p| p.decay_factor = 2.0),
        ("prelu1", |p| p.frozen = true),
        ("linear2", |p| p.decay_factor = 0.0),
        ("linear2.bias", |p| p.learning_rate_factor = 3.0),
    ]
}

#[test]
fn default_groups_decay_weights_only() {
    let Some(device) = device() else { return };
    let mut net = Network::input([2, 4, 4]);
    net.conv(3, 3).batch_norm().prelu().linear(2);
    let model = net.build(device, 0).unwrap();
    let decayed = model.parameters().iter().filter(|p| p.decay_factor != 0.0);
    let decayed: Vec<(&str, f32)> = decayed.map(|p| (p.name.as_str(), p.decay_factor)).collect();
    assert_eq!(decayed, [("conv1.weight", 1.0), ("linear1.weight", 1.0)]);
    assert!(
        model
            .parameters()
            .iter()
            .all(|p| p.learning_rate_factor == 1.0)
    );
}

#[test]
fn sgd_alone() {
    Case::default().follow(Sgd::new(0.1), by_sgd(sgd::Attributes::new(0.1)));
}

#[test]
fn sgd_without_momentum_has_nothing_to_dampen() {
    let a = sgd::Attributes {
        dampening: 0.5,
        weight_decay: 0.01,
        ..sgd::Attributes::new(0.1)
    };
    let rule = Sgd::new(0.1).dampening(0.5).weight_decay(0.01);
    Case::default().follow(rule, by_sgd(a));
}

#[test]
fn sgd_with_momentum_dampening_and_decay() {
    let a = sgd::Attributes {
        momentum: 0.8,
        dampening: 0.3,
        weight_decay: 0.02,
        ..sgd::Attributes::new(0.1)
    };
    let rule = Sgd::new(0.1)
        .momentum(0.8)
        .dampening(0.3)
        .weight_decay(0.02);
    Case::default().follow(rule, by_sgd(a));
}

#[test]
fn sgd_with_nesterovs_momentum_groups_and_schedule() {
    let a = sgd::Attributes {
        momentum: 0.9,
        nesterov: true,
        weight_decay: 0.02,
        ..sgd::Attributes::new(0.03)
    };
    let case = Case {
        groups: groups(),
        schedule: |step| 0.5_f64.powi(step as i32 / 10),
        ..Case::default()
    };
    let rule = Sgd::new(0.03)
        .momentum(0.9)
        .nesterov(true)
        .weight_decay(0.02);
    case.follow(rule, by_sgd(a));
}

/// Learning rates and losses go through rings of 1,024 steps; this goes round, with a rate that
/// tells an entry from the one before it in its place.
#[test]
fn schedules_longer_than_their_ring() {
    let case = Case {
        steps: 1500,
        schedule: |step| 1.0 / (1.0 + step as f64 / 100.0),
        ..Case::default()
    };
    case.follow(Sgd::new(0.05), by_sgd(sgd::Attributes::new(0.05)));
}

#[test]
fn adam_with_decay_groups_and_schedule() {
    let a = adam::Attributes {
        betas: [0.8, 0.98],
        epsilon: 1e-6,
        weight_decay: 0.05,
        ..adam::Attributes::new(0.02)
    };
    let rule = Adam::new(0.02)
        .betas([0.8, 0.98])
        .epsilon(1e-6)
        .weight_decay(0.05);
    let case = Case {
        groups: groups(),
        schedule: |step| 1.0 - step as f64 / 40.0,
        ..Case::default()
    };
    case.follow(rule, by_adam(a));
}

#[test]
fn adam_by_default() {
    Case::default().follow(Adam::new(0.01), by_adam(adam::Attributes::new(0.01)));
}

#[test]
fn adamw_by_default_decays() {
    let a = adam::Attributes {
        weight_decay: 0.01,
        ..adam::Attributes::new(0.01)
    };
    Case::default().follow(AdamW::new(0.01), by_adamw(a));
}

#[test]
fn adamw_with_groups_and_schedule() {
    let a = adam::Attributes {
        betas: [0.8, 0.98],
        weight_decay: 0.3,
        ..adam::Attributes::new(0.02)
    };
    let rule = AdamW::new(0.02).betas([0.8, 0.98]).weight_decay(0.3);
    let case = Case {
        groups: groups(),
        schedule: |step| if step < 12 { 1.0 } else { 0.1 },
        ..Case::default()
    };
    case.follow(rule, by_adamw(a));
}

#[test]
fn lars_adapts_weights_only() {
    let a = lars::Attributes {
        learning_rate: 2.0,
        trust_coefficient: 0.02,
        momentum: 0.9,
        weight_decay: 0.05,
    };
    let rule = Lars::new(2.0).trust_coefficient(0.02).weight_decay(0.05);
    let is_weight = |name: &str| name.starts_with("linear") && name.ends_with("weight");
    // The rate is too high for what is not adapted.
    let case = Case {
        groups: vec![
            ("linear1.bias", |p| p.learning_rate_factor = 0.05),
            ("linear2.bias", |p| p.learning_rate_factor = 0.05),
            ("prelu1", |p| p.learning_rate_factor = 0.05),
        ],
        ..Case::default()
    };
    case.follow(rule, by_lars(a, is_weight));
}

#[test]
fn lars_with_groups_and_schedule_adapts_all_if_asked() {
    let a = lars::Attributes {
        learning_rate: 1.0,
        trust_coefficient: 0.02,
        momentum: 0.7,
        weight_decay: 0.05,
    };
    let rule = Lars::new(1.0)
        .trust_coefficient(0.02)
        .momentum(0.7)
        .weight_decay(0.05)
        .adapt_all(true);
    let case = Case {
        groups: groups(),
        schedule: |step| 0.5_f64.powi(step as i32 / 10),
        ..Case::default()
    };
    case.follow(rule, by_lars(a, |_| true));
}
