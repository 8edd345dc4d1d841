//! One seed gives one training, in every bit.

use std::collections::BTreeMap;

use wgrad::random::Seed;
use wgrad::train::{Model, Sgd, Trainer};
use wgrad::{Device, DeviceOptions};

use super::setup::{assert_same, bits, digits, parameters, trainers, varied};
use crate::support::gpu::device;

/// Losses of 200 steps over a hundred digits, and everything that was learned.
fn train(device: &Device, build: u64, seed: u64) -> (Vec<f32>, BTreeMap<String, Vec<f32>>) {
    let data = digits(100);
    let mut model = varied().build(device, Seed(build)).unwrap();
    let trainer = Trainer::new(Sgd::new(0.02).momentum(0.9))
        .batch_size(12)
        .seed(Seed(seed));
    let mut training = trainer.start(&mut model, &data).unwrap();
    for _ in 0..200 {
        training.step().unwrap();
    }
    let losses = training.losses().unwrap();
    (losses, parameters(&model))
}

#[test]
fn the_same_seeds_give_the_same_training() {
    let Some(device) = device() else { return };
    let (losses, learned) = train(device, 1, 2);
    assert_eq!(losses.len(), 200);
    let (again, learned_again) = train(device, 1, 2);
    assert_eq!(bits(&losses), bits(&again));
    assert_same(&learned_again, &learned);

    let (others, _) = train(device, 1, 3);
    assert_ne!(
        bits(&losses),
        bits(&others),
        "the trainer's seed is not used"
    );
    let (others, _) = train(device, 2, 2);
    assert_ne!(bits(&losses), bits(&others), "the model's seed is not used");
}

#[test]
fn every_rule_repeats_itself() {
    let Some(device) = device() else { return };
    let data = digits(36);
    for trainer in trainers() {
        let trainer = trainer.batch_size(12);
        let run = || {
            let mut model = varied().build(device, 1).unwrap();
            let mut training = trainer.start(&mut model, &data).unwrap();
            for _ in 0..20 {
                training.step().unwrap();
            }
            let losses = bits(&training.losses().unwrap());
            (losses, parameters(&model))
        };
        let ((losses, learned), (again, learned_again)) = (run(), run());
        assert_eq!(losses, again, "{trainer:?}");
        assert_same(&learned_again, &learned);
        assert_ne!(losses[0], losses[19], "{trainer:?} does not move");
    }
}

/// FNV-1a over names and bits.
fn fingerprint(model: &Model) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut eat = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    for (name, values) in parameters(model) {
        name.bytes().for_each(&mut eat);
        values
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .for_each(&mut eat);
    }
    hash
}

/// The fingerprint of the weights of seed 42, found on a CPU driver; every adapter must give it.
const FINGERPRINT: u64 = 16_444_453_698_041_573_603;

#[test]
fn a_seed_gives_the_same_weights_on_every_device() {
    if device().is_none() {
        return;
    }
    for adapter in Device::adapters(&DeviceOptions::from_env()).unwrap() {
        let options = DeviceOptions::default().name(&adapter.name);
        let device = Device::open_with(&options).unwrap();
        let model = varied().build(&device, Seed(42)).unwrap();
        assert_eq!(fingerprint(&model), FINGERPRINT, "{adapter}");
        let model = varied().build(&device, Seed(43)).unwrap();
        assert_ne!(fingerprint(&model), FINGERPRINT, "{adapter}");
    }
}

/// A profiled step is a step like the others; where there are no timestamps, none is taken, and
/// the samples come in the same order as if it had not been asked for.
#[test]
fn profiling_does_not_change_the_training() {
    let Some(device) = device() else { return };
    let data = digits(30);
    let losses = |profiled: bool| {
        let mut model = varied().build(device, 1).unwrap();
        let trainer = Trainer::new(Sgd::new(0.02)).batch_size(10);
        let mut training = trainer.start(&mut model, &data).unwrap();
        while training.steps() < 10 {
            if !profiled || training.profile().unwrap().is_none() {
                training.step().unwrap();
            }
        }
        bits(&training.losses().unwrap())
    };
    assert_eq!(losses(true), losses(false));
}
