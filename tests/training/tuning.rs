//! Measured choices of kernels in a training: taken, kept on disk, kept in checkpoints.

use std::path::PathBuf;
use std::time::Duration;

use wgrad::Device;
use wgrad::graph::Network;
use wgrad::ops::choice::{Choice, Choices};
use wgrad::train::{Model, Sgd, Trainer, Training};
use wgrad::tune::{Source, Tuner};

use super::setup::{assert_same, bits, digits, parameters};
use crate::support::gpu::device;

/// A file that is deleted in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("wgrad-tuning-{}-{name}.json", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn trainer() -> Trainer {
    Trainer::new(Sgd::new(0.02).momentum(0.9)).batch_size(10)
}

/// Few kernels, so that all candidates are measured soon.
fn model(device: &Device) -> Model {
    let mut net = Network::input([1, 8, 8]);
    net.conv(4, 3).relu().linear(10);
    net.build(device, 1).unwrap()
}

fn losses(training: &mut Training<'_>, steps: usize) -> Vec<u32> {
    (0..steps).for_each(|_| training.step().unwrap());
    bits(&training.losses().unwrap())
}

fn choices_on(device: &Device) -> Choices {
    let (mut model, data, trainer) = (model(device), digits(30), trainer());
    let training = trainer.start(&mut model, &data).unwrap();
    training.choices().clone()
}

/// Every sum that may be cut into twice as many parts as usual is.
fn unusual(device: &Device) -> Choices {
    let recut = |choice: Choice| -> Choice {
        let text = choice.to_string();
        let (head, parts) = text.split_once("parts=").unwrap();
        let (parts, tail) = parts.split_once(' ').unwrap_or((parts, ""));
        let parts = 2 * parts.parse::<usize>().unwrap();
        format!("{head}parts={parts} {tail}").parse().unwrap()
    };
    let usual = choices_on(device);
    let recut = usual
        .iter()
        .map(|(problem, choice)| (problem, recut(choice)));
    // Those that are no candidates are passed over.
    let chosen = choices_on(&device.with_choices(recut.collect()));
    assert_ne!(chosen, usual);
    chosen
}

#[test]
fn a_tuned_training_takes_what_was_measured_and_its_cache_makes_it_reproducible() {
    let Some(device) = device() else { return };
    let file = Scratch::new("cache");
    let tuner = Tuner::new().budget(Duration::from_secs(120)).cache(&file.0);
    let trainer = trainer().tune(tuner);
    let data = digits(30);
    let run = || {
        let mut model = model(device);
        let mut training = trainer.start(&mut model, &data).unwrap();
        let tuning = training.tuning().unwrap().clone();
        assert_eq!(training.choices(), &tuning.choices(), "the step uses them");
        let losses = losses(&mut training, 9);
        (tuning, losses, parameters(&model))
    };
    let (first, first_losses, first_model) = run();
    assert_eq!(first.notes, [""; 0]);
    assert_eq!(first.problems.len(), 5, "{first}");
    for tuned in &first.problems {
        match &tuned.source {
            Source::Measured {
                refused, seconds, ..
            } => assert!(refused.is_empty() && *seconds > 0.0, "{first}"),
            other => assert_eq!(*other, Source::Only, "{first}"),
        }
    }
    let (second, second_losses, second_model) = run();
    let known = |source: &Source| matches!(source, Source::Cache | Source::Only);
    assert!(
        second.problems.iter().all(|t| known(&t.source)),
        "{first}\n{second}"
    );
    assert_eq!(second_losses, first_losses);
    assert_same(&second_model, &first_model);
}

#[test]
fn a_device_with_choices_computes_by_them_and_passes_over_others() {
    let Some(device) = device() else { return };
    let usual = choices_on(device);
    let chosen = unusual(device);
    assert_eq!(choices_on(&device.with_choices(chosen.clone())), chosen);
    let odd: Choice = "register tile=64x64x64 parts=1".parse().unwrap();
    let odd = usual.iter().map(|(problem, _)| (problem, odd)).collect();
    assert_eq!(choices_on(&device.with_choices(odd)), usual);
    assert_eq!(choices_on(device), usual, "the device itself is as it was");
}

#[test]
fn a_training_goes_on_with_the_choices_of_its_checkpoint() {
    let Some(device) = device() else { return };
    let chosen = unusual(device);
    let (data, trainer) = (digits(30), trainer());
    let mut first = model(&device.with_choices(chosen.clone()));
    let mut training = trainer.start(&mut first, &data).unwrap();
    losses(&mut training, 4);
    let bytes = pollster::block_on(training.to_checkpoint_async()).unwrap();
    let expected = losses(&mut training, 5);

    let mut other = model(device);
    let resumed = trainer.resume_async(&mut other, &data, &bytes);
    let mut resumed = pollster::block_on(resumed).unwrap();
    assert_eq!(*resumed.choices(), chosen);
    assert_eq!(losses(&mut resumed, 5), expected);
    assert_same(&parameters(&other), &parameters(&first));
}
