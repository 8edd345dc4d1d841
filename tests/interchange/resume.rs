//! A training that was interrupted ends where it would have ended.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use safetensors::SafeTensors;
use wgrad::checkpoint::Checkpoints;
use wgrad::graph::Network;
use wgrad::ops::SoftmaxCrossEntropy;
use wgrad::train::schedule::Plateau;
use wgrad::train::{
    Adadelta, Adagrad, Adam, AdamW, Lars, Model, Quickprop, RmsProp, Sgd, Trainer, Training,
    UpdateRule,
};

use super::setup::{Folder, assert_same, bits, child, digits, is_child, varied};
use crate::gpu::device;

const STEPS: u64 = 300;
/// Of a hundred digits in batches of twelve.
const STEPS_PER_EPOCH: u64 = 8;

fn trainer(rule: impl UpdateRule) -> Trainer {
    Trainer::new(rule)
        .batch_size(12)
        .seed(7)
        .schedule(|step| 0.995_f64.powi(step as i32))
}

/// Everything that is kept or drawn takes part: momentum, running averages, dropout, shuffling.
fn momentum() -> Trainer {
    trainer(Sgd::new(0.02).momentum(0.9).nesterov(true))
}

/// The child's part: 300 steps, or those that are left of them.
fn finish(folder: &Path) {
    let device = device().unwrap();
    let data = digits(100);
    // Another seed: nothing of these weights may be left.
    let mut model = varied().build(device, 99).unwrap();
    let trainer = momentum();
    let file = folder.join("training.safetensors");
    let mut training = trainer.resume(&mut model, &data, file).unwrap();
    let losses = train_to(&mut training, STEPS);
    model.save(folder.join("model.safetensors")).unwrap();
    std::fs::write(folder.join("losses"), bytemuck::cast_slice(&losses)).unwrap();
}

fn train_to(training: &mut wgrad::train::Training<'_>, steps: u64) -> Vec<f32> {
    while training.steps() < steps {
        training.step().unwrap();
    }
    training.losses().unwrap()
}

#[test]
fn a_training_goes_on_in_another_process_bit_by_bit() {
    if let Some(folder) = is_child() {
        return finish(&folder);
    }
    let Some(device) = device() else { return };
    let data = digits(100);
    let trainer = momentum();
    let build = || varied().build(device, 1).unwrap();
    let mut whole = build();
    let mut training = trainer.start(&mut whole, &data).unwrap();
    let expected = train_to(&mut training, STEPS);
    // One that begins an epoch, and one anywhere.
    let random = 1 + RandomState::new().hash_one("step") % (STEPS - 1);
    for stop in [9 * STEPS_PER_EPOCH, random] {
        let folder = Folder::new(&format!("resume-{stop}"));
        let mut model = build();
        let mut training = trainer.start(&mut model, &data).unwrap();
        let mut losses = train_to(&mut training, stop);
        training.save(folder.file("training.safetensors")).unwrap();
        let output = child("a_training_goes_on", folder.path()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "after {stop} steps: {told}");
        let mut ended = varied().build(device, 5).unwrap();
        ended.load(folder.file("model.safetensors")).unwrap();
        assert_same(&ended, &whole);
        let rest = std::fs::read(folder.file("losses")).unwrap();
        losses.extend(bytemuck::pod_collect_to_vec::<u8, f32>(&rest));
        assert_eq!(bits(&losses), bits(&expected), "after {stop} steps");
    }
}

/// A step of this costs next to nothing.
fn tiny(device: &wgrad::Device) -> Model {
    let mut net = Network::input([1, 8, 8]);
    net.linear(10);
    net.build(device, 3).unwrap()
}

/// Where the rings of learning rates and losses have begun anew.
#[test]
fn a_long_training_goes_on() {
    let Some(device) = device() else { return };
    let data = digits(40);
    let trainer = trainer(AdamW::new(0.01));
    let mut whole = tiny(device);
    let mut training = trainer.start(&mut whole, &data).unwrap();
    let expected = train_to(&mut training, 1600);
    for stop in [700, 1024, 1437] {
        let mut model = tiny(device);
        let mut training = trainer.start(&mut model, &data).unwrap();
        train_to(&mut training, stop);
        let bytes = pollster::block_on(training.to_checkpoint_async()).unwrap();
        let mut other = tiny(device);
        let resumed = trainer.resume_async(&mut other, &data, &bytes);
        let mut training = pollster::block_on(resumed).unwrap();
        assert_eq!(training.steps(), stop);
        let losses = train_to(&mut training, 1600);
        assert_eq!(
            bits(&losses),
            bits(&expected[stop as usize..]),
            "after {stop} steps"
        );
        assert_same(&other, &whole);
    }
}

/// Asserts that twenty steps by this rule are the same with an interruption after seven.
fn interrupt(rule: impl UpdateRule) {
    let Some(device) = device() else { return };
    let data = digits(40);
    let name = rule.name();
    let trainer = trainer(rule);
    let mut whole = tiny(device);
    let mut training = trainer.start(&mut whole, &data).unwrap();
    train_to(&mut training, 7);
    let bytes = pollster::block_on(training.to_checkpoint_async()).unwrap();
    let expected = train_to(&mut training, 20);
    let mut other = tiny(device);
    let resumed = trainer.resume_async(&mut other, &data, &bytes);
    let losses = train_to(&mut pollster::block_on(resumed).unwrap(), 20);
    assert_eq!(
        bits(&losses),
        bits(&expected[expected.len() - 13..]),
        "{name}"
    );
    assert_same(&other, &whole);
}

#[test]
fn the_state_of_every_rule_is_kept() {
    interrupt(Sgd::new(0.1).momentum(0.9).dampening(0.1));
    interrupt(Adam::new(0.01));
    interrupt(AdamW::new(0.01).weight_decay(0.1));
    interrupt(RmsProp::new(0.01));
    interrupt(Adagrad::new(0.1));
    interrupt(Adadelta::new(1.0));
    interrupt(Lars::new(0.1));
    interrupt(Quickprop::new(0.01));
}

/// A learning rate that has fallen stays where it is, and falls on when it would have.
#[test]
fn the_state_of_a_plateau_is_kept() {
    let Some(device) = device() else { return };
    let data = digits(40);
    let plateau = Plateau::new().patience(1).factor(0.5).cooldown(1);
    let trainer = trainer(Sgd::new(0.1)).reduce_on_plateau(plateau);
    let mut model = tiny(device);
    let mut training = trainer.start(&mut model, &data).unwrap();
    let go_on = |training: &mut Training<'_>, steps: u64| {
        let rates = (0..steps).map(|_| {
            training.step().unwrap();
            training.observe(1.0).unwrap();
            training.learning_rate(0)
        });
        let rates: Vec<f64> = rates.collect();
        (rates, bits(&training.losses().unwrap()))
    };
    let (rates, _) = go_on(&mut training, 5);
    assert!(rates[4] < rates[0], "{rates:?}");
    let bytes = pollster::block_on(training.to_checkpoint_async()).unwrap();
    let expected = go_on(&mut training, 7);
    assert!(expected.0[6] < rates[4], "{expected:?}");
    let mut other = tiny(device);
    let resumed = trainer.resume_async(&mut other, &data, &bytes);
    let found = go_on(&mut pollster::block_on(resumed).unwrap(), 7);
    assert_eq!(found, expected);
}

/// The loss of a checkpoint is that of the trainer, with its numbers.
#[test]
fn constants_of_operators_are_not_saved() {
    let Some(device) = device() else { return };
    let data = digits(40);
    let loss = SoftmaxCrossEntropy::new().class_weights([1.0, 2.0, 3.0, 4.0, 5.0].repeat(2));
    let trainer = trainer(Sgd::new(0.1)).loss(loss);
    let mut model = tiny(device);
    let mut training = trainer.start(&mut model, &data).unwrap();
    train_to(&mut training, 1);
    let bytes = pollster::block_on(training.to_checkpoint_async()).unwrap();
    let saved = SafeTensors::deserialize(&bytes).unwrap();
    let constants = &training.recording().data;
    let is_weights = |name: &String| name.ends_with(".class_weights");
    assert_eq!(constants.keys().filter(|name| is_weights(name)).count(), 1);
    for name in constants.keys() {
        assert!(saved.tensor(&format!("training/{name}")).is_err(), "{name}");
    }
    let expected = train_to(&mut training, 9);
    let mut other = tiny(device);
    let resumed = trainer.resume_async(&mut other, &data, &bytes);
    let found = train_to(&mut pollster::block_on(resumed).unwrap(), 9);
    assert_eq!(bits(&found), bits(&expected));
}

#[test]
fn micro_batches_clipping_averages_and_mixing_go_on() {
    let Some(device) = device() else { return };
    let data = digits(100);
    let trainer = momentum().accumulate(3).clip_norm(0.5).average(0.9);
    let trainer = trainer.mixup(0.4).cutmix(1.0);
    let build = || varied().build(device, 1).unwrap();
    let mut whole = build();
    let mut training = trainer.start(&mut whole, &data).unwrap();
    // Two steps an epoch: one in the midst of the fourth.
    train_to(&mut training, 7);
    let bytes = pollster::block_on(training.to_checkpoint_async()).unwrap();
    training.gradient_norms().unwrap();
    let expected = (
        train_to(&mut training, 20),
        training.gradient_norms().unwrap(),
    );
    let mut other = varied().build(device, 2).unwrap();
    let resumed = trainer.resume_async(&mut other, &data, &bytes);
    let mut resumed = pollster::block_on(resumed).unwrap();
    let found = (
        train_to(&mut resumed, 20),
        resumed.gradient_norms().unwrap(),
    );
    assert_eq!(bits(&found.0), bits(&expected.0));
    assert_eq!(bits(&found.1), bits(&expected.1));
    assert_eq!(found.1.len(), 13);
    assert_same(resumed.averaged().unwrap(), training.averaged().unwrap());
    assert_same(resumed.model(), training.model());
}

#[test]
fn saving_does_not_change_the_training() {
    let Some(device) = device() else { return };
    let data = digits(100);
    let trainer = momentum();
    let train = |save: bool| {
        let mut model = varied().build(device, 1).unwrap();
        let mut training = trainer.start(&mut model, &data).unwrap();
        for _ in 0..20 {
            training.step().unwrap();
            if save {
                pollster::block_on(training.to_checkpoint_async()).unwrap();
            }
        }
        (training.losses().unwrap(), model)
    };
    let ((losses, model), (expected, undisturbed)) = (train(true), train(false));
    assert_eq!(losses.len(), 20);
    assert_eq!(bits(&losses), bits(&expected));
    assert_same(&model, &undisturbed);
}

#[test]
fn a_training_without_a_step_can_be_saved() {
    let Some(device) = device() else { return };
    let data = digits(40);
    let trainer = trainer(Sgd::new(0.1));
    let mut model = tiny(device);
    let mut training = trainer.start(&mut model, &data).unwrap();
    let bytes = pollster::block_on(training.to_checkpoint_async()).unwrap();
    let expected = train_to(&mut training, 5);
    let mut other = tiny(device);
    let resumed = trainer.resume_async(&mut other, &data, &bytes);
    let losses = train_to(&mut pollster::block_on(resumed).unwrap(), 5);
    assert_eq!(bits(&losses), bits(&expected));
}

#[test]
fn a_folder_keeps_the_last_and_the_best() {
    let Some(device) = device() else { return };
    let folder = Folder::new("folder");
    let checkpoints = Checkpoints::new(folder.file("run")).keep_last(2);
    assert_eq!(checkpoints.latest().unwrap(), None);
    assert_eq!(checkpoints.best(), None);
    let data = digits(40);
    let trainer = trainer(Sgd::new(0.1).momentum(0.9));
    let mut model = tiny(device);
    let mut training = trainer.start(&mut model, &data).unwrap();
    let mut best = Vec::new();
    for figure in [
        Some(f64::NAN),
        Some(3.0),
        Some(1.0),
        Some(2.0),
        None,
        Some(f64::NAN),
    ] {
        training.step().unwrap();
        let path = checkpoints.save(&mut training, figure).unwrap();
        if figure == Some(1.0) {
            best = std::fs::read(&path).unwrap();
        }
        assert_eq!(checkpoints.latest().unwrap(), Some(path));
    }
    let mut names: Vec<_> = std::fs::read_dir(folder.file("run"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let last = ["step-0000000005.safetensors", "step-0000000006.safetensors"];
    assert_eq!(names, [&["best.safetensors"][..], &last].concat());
    assert_eq!(std::fs::read(checkpoints.best().unwrap()).unwrap(), best);
    let latest = checkpoints.latest().unwrap().unwrap();
    let mut other = tiny(device);
    assert_eq!(
        trainer.resume(&mut other, &data, latest).unwrap().steps(),
        6
    );
    let best = checkpoints.best().unwrap();
    assert_eq!(trainer.resume(&mut other, &data, best).unwrap().steps(), 3);
}
