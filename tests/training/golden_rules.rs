//! Fifty steps by every update rule that PyTorch has, from `tests/golden/rules.safetensors`.

use std::collections::{BTreeMap, BTreeSet};

use safetensors::SafeTensors;
use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::ops::MeanSquaredError;
use wgrad::train::{Adadelta, Adagrad, Adam, AdamW, RmsProp, Sgd, Trainer};

use super::golden::read;
use crate::support::compare::{Tolerance, compare};
use crate::support::gpu::device;

/// What is asked of these rules; measured are some 1e-6.
const TOLERANCE: Tolerance = Tolerance::relative(1e-4);
const STEPS: usize = 50;

/// The trainer of each case, whose settings `make_rules.py` has too.
fn trainers() -> BTreeMap<&'static str, Trainer> {
    let sgd = Sgd::new;
    let momentum = |rate| Sgd::new(rate).momentum(0.9);
    let adam = Adam::new(0.02).betas([0.8, 0.98]).epsilon(1e-6);
    let centered = |rate| RmsProp::new(rate).centered(true);
    let adagrad = Adagrad::new(0.1).learning_rate_decay(0.05);
    BTreeMap::from([
        ("sgd", Trainer::new(sgd(0.1))),
        (
            "sgd_momentum_decay",
            Trainer::new(momentum(0.05).weight_decay(0.02)),
        ),
        (
            "sgd_dampened",
            Trainer::new(sgd(0.1).momentum(0.8).dampening(0.3).weight_decay(0.01)),
        ),
        (
            "sgd_nesterov",
            Trainer::new(momentum(0.05).nesterov(true).weight_decay(0.02)),
        ),
        ("adam", Trainer::new(Adam::new(0.01))),
        ("adam_decay", Trainer::new(adam.weight_decay(0.05))),
        ("adamw", Trainer::new(AdamW::new(0.01))),
        (
            "adamw_decay",
            Trainer::new(AdamW::new(0.02).betas([0.8, 0.98]).weight_decay(0.3)),
        ),
        ("rmsprop", Trainer::new(RmsProp::new(0.01))),
        (
            "rmsprop_momentum",
            Trainer::new(
                RmsProp::new(0.005)
                    .alpha(0.9)
                    .epsilon(1e-5)
                    .momentum(0.8)
                    .weight_decay(0.05),
            ),
        ),
        (
            "rmsprop_centered",
            Trainer::new(centered(0.005).alpha(0.9).epsilon(1e-3)),
        ),
        (
            "rmsprop_centered_momentum",
            Trainer::new(
                centered(0.002)
                    .alpha(0.95)
                    .epsilon(1e-2)
                    .momentum(0.7)
                    .weight_decay(0.1),
            ),
        ),
        ("adagrad", Trainer::new(Adagrad::new(0.05))),
        (
            "adagrad_decay",
            Trainer::new(
                adagrad
                    .initial_accumulator(0.2)
                    .epsilon(1e-5)
                    .weight_decay(0.05),
            ),
        ),
        ("adadelta", Trainer::new(Adadelta::new(1.0))),
        (
            "adadelta_decay",
            Trainer::new(Adadelta::new(0.5).rho(0.8).epsilon(1e-3).weight_decay(0.1)),
        ),
        ("clip_value", Trainer::new(momentum(0.1)).clip_value(0.02)),
        ("clip_norm", Trainer::new(momentum(0.1)).clip_norm(0.4)),
        (
            "clip_both",
            Trainer::new(Adam::new(0.02).weight_decay(0.05))
                .clip_value(0.1)
                .clip_norm(0.25),
        ),
    ])
}

#[test]
fn fifty_steps_by_every_rule() {
    let Some(device) = device() else { return };
    let bytes = include_bytes!("../golden/rules.safetensors");
    let file = SafeTensors::deserialize(bytes).unwrap();
    let [inputs, targets] = ["inputs", "targets"].map(|name| read(&file, name).to_f32());
    let data = Dataset::regression([6], inputs, [3], targets).unwrap();
    let mut net = Network::input([6]);
    net.linear(5).prelu().linear(3);

    let trainers = trainers();
    let names = file.names();
    let cases = names.iter().filter_map(|name| name.strip_suffix(".losses"));
    let cases: BTreeSet<&str> = cases.collect();
    assert!(cases.iter().eq(trainers.keys()), "{cases:?}");
    for (case, trainer) in trainers {
        let mut model = net.build(device, 0).unwrap();
        let parameters: Vec<String> = model.parameters().iter().map(|p| p.name.clone()).collect();
        for name in &parameters {
            let values = read(&file, &format!("initial.{name}")).to_f32();
            model.set_parameter(name, &values).unwrap();
        }
        let faster = |p: &mut wgrad::graph::Parameter| p.learning_rate_factor = 3.0;
        model.configure("linear1.bias", faster).unwrap();
        let trainer = trainer
            .loss(MeanSquaredError::default())
            .batch_size(7)
            .shuffle(false);
        let mut training = trainer.start(&mut model, &data).unwrap();
        for _ in 0..STEPS {
            training.step().unwrap();
        }
        let check = |name: &str, found: &[f32]| {
            let name = format!("{case}.{name}");
            if let Err(mismatch) = compare(found, &read(&file, &name).data, TOLERANCE) {
                panic!("{name}: {mismatch}");
            }
        };
        check("losses", &training.losses().unwrap());
        let norms = training.gradient_norms().unwrap();
        if names.contains(&format!("{case}.norms").as_str()) {
            check("norms", &norms);
        } else {
            assert!(norms.is_empty());
        }
        for name in &parameters {
            check(&format!("final.{name}"), &model.parameter(name).unwrap());
        }
    }
}
