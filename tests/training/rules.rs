//! Update rules, parameter groups and schedules against the f64 references, step by step.

use std::collections::BTreeMap;

use wgrad::data::Dataset;
use wgrad::graph::{Network, Parameter};
use wgrad::ops::MeanSquaredError;
use wgrad::train::{Adam, AdamW, Lars, Sgd, Trainer, UpdateRule};

use super::setup::bits;
use crate::reference::{Factors, Reduction, Tensor, adam, adamw, lars, linear, mse, prelu, sgd};
use crate::support::compare::{Tolerance, compare};
use crate::support::gpu::device;

pub type Named = BTreeMap<String, Tensor>;

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

/// Loss and gradients of the network over all samples.
pub fn gradients(p: &Named, x: &Tensor, targets: &Tensor) -> (f64, Named) {
    let a = linear::forward(x, &p["linear1.weight"], Some(&p["linear1.bias"]));
    let b = prelu::forward(&a, &p["prelu1.weight"]);
    let y = linear::forward(&b, &p["linear2.weight"], Some(&p["linear2.bias"]));
    let delta = mse::grad_prediction(&y, targets, Reduction::Mean);
    let mut g = Named::new();
    g.insert("linear2.weight".into(), linear::grad_weight(&b, &delta));
    g.insert("linear2.bias".into(), linear::grad_bias(&delta));
    let delta = linear::grad_input(&delta, &p["linear2.weight"]);
    let slope = prelu::grad_slope(&a, &p["prelu1.weight"], &delta);
    g.insert("prelu1.weight".into(), slope);
    let delta = prelu::grad_input(&a, &p["prelu1.weight"], &delta);
    g.insert("linear1.weight".into(), linear::grad_weight(x, &delta));
    g.insert("linear1.bias".into(), linear::grad_bias(&delta));
    (mse::forward(&y, targets, Reduction::Mean), g)
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
    pub fn follow(
        &self,
        rule: impl UpdateRule,
        mut update: impl FnMut(&str, &mut Tensor, &Tensor, Factors),
    ) {
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

    fn follow_sgd(&self, rule: Sgd, attributes: &sgd::Attributes) {
        let mut velocities: BTreeMap<String, Option<Tensor>> = BTreeMap::new();
        self.follow(rule, |name, weight, gradient, factors| {
            let velocity = velocities.entry(name.to_owned()).or_default();
            sgd::step(weight, gradient, velocity, factors, attributes);
        });
    }

    fn follow_adam(&self, rule: Adam, attributes: &adam::Attributes) {
        let mut states: BTreeMap<String, adam::State> = BTreeMap::new();
        self.follow(rule, |name, weight, gradient, factors| {
            let fresh = || adam::State::new(&gradient.shape);
            let state = states.entry(name.to_owned()).or_insert_with(fresh);
            adam::step(weight, gradient, state, factors, attributes);
        });
    }

    fn follow_adamw(&self, rule: AdamW, attributes: &adam::Attributes) {
        let mut states: BTreeMap<String, adam::State> = BTreeMap::new();
        self.follow(rule, |name, weight, gradient, factors| {
            let fresh = || adam::State::new(&gradient.shape);
            let state = states.entry(name.to_owned()).or_insert_with(fresh);
            adamw::step(weight, gradient, state, factors, attributes);
        });
    }

    /// `adapted` says whether a parameter of this name is.
    fn follow_lars(&self, rule: Lars, attributes: &lars::Attributes, adapted: fn(&str) -> bool) {
        let mut velocities: BTreeMap<String, Tensor> = BTreeMap::new();
        self.follow(rule, |name, weight, gradient, factors| {
            let fresh = || Tensor::zeros(&gradient.shape);
            let velocity = velocities.entry(name.to_owned()).or_insert_with(fresh);
            let adapted = adapted(name);
            lars::step(weight, gradient, velocity, factors, adapted, attributes);
        });
    }
}

pub fn check(what: &str, found: &[f32], expected: &[f64]) {
    if let Err(mismatch) = compare(found, expected, TOLERANCE) {
        panic!("{what}: {mismatch}");
    }
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
    Case::default().follow_sgd(Sgd::new(0.1), &sgd::Attributes::new(0.1));
}

#[test]
fn sgd_without_momentum_has_nothing_to_dampen() {
    let a = sgd::Attributes {
        dampening: 0.5,
        weight_decay: 0.01,
        ..sgd::Attributes::new(0.1)
    };
    let rule = Sgd::new(0.1).dampening(0.5).weight_decay(0.01);
    Case::default().follow_sgd(rule, &a);
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
    Case::default().follow_sgd(rule, &a);
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
    case.follow_sgd(rule, &a);
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
    case.follow_sgd(Sgd::new(0.05), &sgd::Attributes::new(0.05));
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
    case.follow_adam(rule, &a);
}

#[test]
fn adam_by_default() {
    Case::default().follow_adam(Adam::new(0.01), &adam::Attributes::new(0.01));
}

#[test]
fn adamw_by_default_decays() {
    let a = adam::Attributes {
        weight_decay: 0.01,
        ..adam::Attributes::new(0.01)
    };
    Case::default().follow_adamw(AdamW::new(0.01), &a);
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
    case.follow_adamw(rule, &a);
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
    case.follow_lars(rule, &a, is_weight);
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
    case.follow_lars(rule, &a, |_| true);
}
