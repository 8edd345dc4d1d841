//! `Trainer::profile` measures a copy: model and training stay as they are.

use wgrad::train::{Model, Sgd, Trainer};

use super::setup::{assert_same, bits, digits, parameters, varied};
use crate::support::gpu::device;

#[test]
fn a_profile_changes_neither_model_nor_training() {
    let Some(device) = device() else { return };
    let data = digits(30);
    let train = |profiled: bool| {
        let mut model = varied().build(device, 1).unwrap();
        let trainer = Trainer::new(Sgd::new(0.02).momentum(0.9)).batch_size(10);
        let profile = |model: &Model| {
            if profiled {
                let before = parameters(model);
                trainer.profile(model, &data).unwrap();
                assert_same(&parameters(model), &before);
            }
        };
        profile(&model);
        let mut training = trainer.start(&mut model, &data).unwrap();
        (0..5).for_each(|_| training.step().unwrap());
        profile(training.model());
        (0..5).for_each(|_| training.step().unwrap());
        let losses = training.losses().unwrap();
        (bits(&losses), parameters(&model))
    };
    let (losses, model) = train(true);
    let (expected_losses, expected) = train(false);
    assert_eq!(losses, expected_losses);
    assert_same(&model, &expected);
}

#[test]
fn a_profile_tells_of_every_dispatch_and_adds_up_by_layer() {
    let Some(device) = device() else { return };
    let data = digits(20);
    let mut model = varied().build(device, 1).unwrap();
    let trainer = Trainer::new(Sgd::new(0.02)).batch_size(10);
    let profile = trainer.profile(&model, &data).unwrap();
    let training = trainer.start(&mut model, &data).unwrap();
    let commands = &training.recording().commands;
    assert_eq!(profile.dispatches.len(), commands.len());
    assert!(profile.steps >= 1 && profile.step_seconds > 0.0);

    let layers = profile.layers();
    let conv1 = layers.iter().find(|l| l.layer == "conv1").unwrap();
    assert!(conv1.dispatches >= 2, "forward pass and gradient");
    let dispatches: usize = layers.iter().map(|l| l.dispatches).sum();
    assert_eq!(dispatches, commands.len());
    let flops: u64 = layers.iter().map(|l| l.flops).sum();
    assert_eq!(flops, profile.flops());
    assert!(flops > conv1.flops && conv1.flops > 0);

    let text = profile.to_string();
    assert!(text.contains("conv1 conv2d register tile="), "{text}");
    let Some(seconds) = profile.seconds() else {
        assert!(text.contains("no timestamps"), "{text}");
        return;
    };
    assert!(seconds > 0.0 && seconds.is_finite());
    let of_layers: f64 = layers.iter().filter_map(|l| l.seconds).sum();
    assert!((of_layers - seconds).abs() <= 1e-9 * seconds);
    let shares = text.lines().skip(1).take(commands.len());
    let shares = shares.map(|line| line.split_whitespace().nth(1).unwrap());
    let shares: Vec<f64> = shares.map(|share| share.parse().unwrap()).collect();
    assert!(shares.is_sorted_by(|a, b| a >= b), "{text}");
}
