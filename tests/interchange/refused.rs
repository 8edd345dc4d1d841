//! A checkpoint goes on with nothing but its own training.

use wgrad::checkpoint::CheckpointError;
use wgrad::data::Augment;
use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::ops::SoftmaxCrossEntropy;
use wgrad::train::{Adam, Model, Sgd, Trainer};
use wgrad::{Device, Error};

use super::setup::{Folder, digits, numbers};
use crate::gpu::device;

fn network() -> Network {
    let mut net = Network::input([1, 8, 8]);
    net.conv(4, 3).leaky_relu(0.1).linear(10);
    net
}

fn trainer() -> Trainer {
    Trainer::new(Sgd::new(0.1).momentum(0.9))
        .batch_size(10)
        .seed(3)
}

/// The checkpoint after three steps.
fn saved(device: &Device) -> Vec<u8> {
    let (trainer, data) = (trainer(), digits(40));
    let mut model = network().build(device, 1).unwrap();
    let mut training = trainer.start(&mut model, &data).unwrap();
    for _ in 0..3 {
        training.step().unwrap();
    }
    pollster::block_on(training.to_checkpoint_async()).unwrap()
}

/// The refusal's text, after a check that nothing was changed.
fn refusal(bytes: &[u8], trainer: &Trainer, mut model: Model, data: &Dataset) -> String {
    let name = model.parameters()[0].name.clone();
    let before = model.parameter(&name).unwrap();
    let error = pollster::block_on(trainer.resume_async(&mut model, data, bytes)).unwrap_err();
    let kind = |error: &Error| match error {
        Error::Checkpoint(CheckpointError::Different { what, .. }) => Some(*what),
        Error::Checkpoint(CheckpointError::Misfit { .. }) => Some("parameters"),
        Error::Checkpoint(CheckpointError::NoTraining { .. }) => Some("weights"),
        _ => None,
    };
    assert!(kind(&error).is_some(), "{error:?}");
    assert_eq!(model.parameter(&name).unwrap(), before, "{error}");
    error.to_string()
}

const BEGIN: &str = "the buffer is a checkpoint of another training, the ";

#[test]
fn another_network_is_refused() {
    let Some(device) = device() else { return };
    let (bytes, data) = (saved(device), digits(40));
    let mut other = Network::input([1, 8, 8]);
    other.conv(5, 3).leaky_relu(0.1).linear(10);
    let text = refusal(&bytes, &trainer(), other.build(device, 1).unwrap(), &data);
    assert_eq!(
        text,
        "the buffer does not fit the network: misshapen: \
         conv1.bias ([4] in place of [5]), \
         conv1.weight ([4, 1, 3, 3] in place of [5, 1, 3, 3]), \
         linear1.weight ([10, 144] in place of [10, 180])"
    );
    // The same parameters, another computation.
    let mut other = Network::input([1, 8, 8]);
    other.conv(4, 3).leaky_relu(0.2).linear(10);
    let text = refusal(&bytes, &trainer(), other.build(device, 1).unwrap(), &data);
    let begin = format!("{BEGIN}network differs: 4 layers with 4 parameters, ");
    assert!(text.starts_with(&begin), "{text}");
}

#[test]
fn other_data_are_refused() {
    let Some(device) = device() else { return };
    let bytes = saved(device);
    let build = || network().build(device, 1).unwrap();
    let text = refusal(&bytes, &trainer(), build(), &digits(41));
    let begin = format!("{BEGIN}data set differs: 40 samples, ");
    assert!(
        text.starts_with(&begin) && text.contains("there, 41 samples, "),
        "{text}"
    );
    // As many samples, of which one differs in one pixel.
    let labels = digits(40).labels().unwrap().to_vec();
    let same = Dataset::from_f32([1, 8, 8], numbers(40 * 64, 1), labels, 10).unwrap();
    let text = refusal(&bytes, &trainer(), build(), &same);
    assert!(
        text.starts_with(&begin) && text.contains("there, 40 samples, "),
        "{text}"
    );
    let text = refusal(&bytes, &trainer(), build(), &digits(40).normalised());
    assert!(text.starts_with(&begin), "{text}");
}

#[test]
fn another_way_of_training_is_refused() {
    let Some(device) = device() else { return };
    let (bytes, data) = (saved(device), digits(40));
    let build = || network().build(device, 1).unwrap();
    let smooth = SoftmaxCrossEntropy::new().label_smoothing(0.1);
    let plain = SoftmaxCrossEntropy::new();
    let losses = format!("loss differs: {plain:?} there, {smooth:?} here");
    let (still, flipped) = (Augment::new(), Augment::new().flip());
    let images = format!("augmentation of images differs: {still:?} there, {flipped:?} here");
    let cases = [
        (
            trainer().mixup(0.5),
            "mixing of samples differs: Mixing { mixup: None, cutmix: None } there, \
             Mixing { mixup: Some(0.5), cutmix: None } here",
        ),
        (trainer().augment(flipped), images.as_str()),
        (trainer().loss(smooth), losses.as_str()),
        (
            trainer().batch_size(20),
            "batch size differs: 10 there, 20 here",
        ),
        (trainer().seed(4), "seed differs: 3 there, 4 here"),
        (
            trainer().shuffle(false),
            "shuffling differs: on there, off here",
        ),
        (
            Trainer::new(Adam::new(0.1)).batch_size(10).seed(3),
            "update rule differs: sgd there, adam here",
        ),
    ];
    for (trainer, expected) in cases {
        let text = refusal(&bytes, &trainer, build(), &data);
        assert_eq!(text, format!("{BEGIN}{expected}"));
    }
    let mut frozen = build();
    frozen.freeze("conv1").unwrap();
    let text = refusal(&bytes, &trainer(), frozen, &data);
    let what = "set of learning-rate factors and frozen parameters differs: 0 frozen, ";
    assert!(text.starts_with(&format!("{BEGIN}{what}")), "{text}");
    // Another learning rate and schedule are the trainer's to choose.
    let slower = Trainer::new(Sgd::new(0.01).momentum(0.8)).schedule(|_| 0.5);
    let slower = slower
        .batch_size(10)
        .seed(3)
        .loss(SoftmaxCrossEntropy::new());
    let mut model = build();
    let resumed = pollster::block_on(slower.resume_async(&mut model, &data, &bytes));
    assert_eq!(resumed.unwrap().steps(), 3);
}

#[test]
fn weights_alone_are_no_training() {
    let Some(device) = device() else { return };
    let folder = Folder::new("alone");
    let path = folder.file("model.safetensors");
    let data = digits(40);
    let mut model = network().build(device, 1).unwrap();
    model.save(&path).unwrap();
    let trainer = trainer();
    let error = trainer.resume(&mut model, &data, &path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} holds weights only, no training to resume; `Model::load` reads those",
            path.display()
        )
    );
    // The other way round the weights are taken from the training.
    let bytes = saved(device);
    let mut other = network().build(device, 2).unwrap();
    let report = other.load_safetensors(&bytes, &Default::default()).unwrap();
    assert!(report.is_complete(), "{report}");
}

#[test]
fn a_training_that_failed_is_not_saved() {
    let Some(device) = device() else { return };
    let folder = Folder::new("failed");
    let path = folder.file("training.safetensors");
    let data = Dataset::from_f32([2], vec![1e30; 8], vec![0, 1, 0, 1], 2).unwrap();
    let mut net = Network::input(2);
    net.linear(2).linear(2);
    let mut model = net.build(device, 1).unwrap();
    let trainer = Trainer::new(Sgd::new(1e30)).batch_size(4);
    let mut training = trainer.start(&mut model, &data).unwrap();
    for _ in 0..3 {
        training.step().unwrap();
    }
    let error = training.save(&path).unwrap_err();
    assert!(matches!(error, Error::NonFinite { .. }), "{error}");
    assert!(!path.exists());
}
