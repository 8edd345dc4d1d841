//! A training that no longer gets better ends, with the weights it was best with.

use std::collections::BTreeMap;

use wgrad::data::Dataset;
use wgrad::ops::MeanSquaredError;
use wgrad::report::Epoch;
use wgrad::train::{EarlyStopping, End, Every, Model, Monitor, Run, Sgd, Trainer, on_epoch_end};

use super::setup::{assert_same, digits, normal, parameters, varied};
use crate::support::gpu::device;

type Parameters = BTreeMap<String, Vec<f32>>;

fn build() -> Option<Model> {
    Some(varied().build(device()?, 1).unwrap())
}

/// Five steps an epoch of 50 digits; from step `after` on the rate undoes what was learned.
fn trainer(after: u64) -> Trainer {
    Trainer::new(Sgd::new(0.05))
        .batch_size(10)
        .epochs(12)
        .progress(false)
        .schedule(move |step| if step < after { 1.0 } else { -1.0 })
}

/// Trains, and gives what was learned after each epoch, in the model that is evaluated.
fn fit(trainer: &Trainer, model: &mut Model) -> (Run, Vec<Parameters>) {
    let mut learned = Vec::new();
    let data = digits(50);
    let keep = on_epoch_end(|fit| {
        learned.push(parameters(fit.model()));
        Ok(())
    });
    let run = trainer.fit_with(model, &data, &data, keep).unwrap();
    (run, learned)
}

fn losses(run: &Run) -> Vec<f64> {
    let epochs = run.history.epochs().iter();
    epochs.map(|e| e.test_loss.unwrap()).collect()
}

fn index_of_least(figures: &[f64]) -> usize {
    let found = figures.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1));
    found.unwrap().0
}

#[test]
fn the_best_weights_and_running_statistics_come_back() {
    let Some(mut model) = build() else { return };
    let trainer = trainer(20).early_stopping(EarlyStopping::new().patience(3));
    let (run, learned) = fit(&trainer, &mut model);
    let losses = losses(&run);
    let best = index_of_least(&losses);
    assert_eq!(run.end, End::NoImprovement);
    // Three validations without improvement, and no more.
    assert_eq!(losses.len(), best + 1 + 3, "{losses:?}");
    assert!((2..=5).contains(&best), "{losses:?}");
    assert_same(&parameters(&model), &learned[best]);
    let last = learned.last().unwrap();
    for name in ["conv1.weight", "bn1.running_mean", "bn2.running_var"] {
        assert_ne!(last[name], learned[best][name], "{name}");
    }
    assert_eq!(run.restored, Some(run.history.epochs()[best]));
    // The evaluation is of the weights that are there.
    let evaluation = run.evaluation.as_ref().unwrap();
    assert_eq!(evaluation.loss, losses[best]);
    assert_eq!(model.evaluate(&digits(50)).unwrap().loss, losses[best]);
    let text = run.to_string();
    let told = format!(
        "stopped without further improvement after step {}\n\
         the best weights were restored: epoch {}, step {}\n",
        5 * losses.len(),
        best + 1,
        5 * (best + 1)
    );
    assert!(text.contains(&told), "{text}");
}

#[test]
fn a_training_that_runs_to_its_end_ends_with_its_best_weights_too() {
    let Some(mut model) = build() else { return };
    let settings = EarlyStopping::new().patience(u32::MAX);
    let (run, learned) = fit(&trainer(20).early_stopping(settings), &mut model);
    assert_eq!((run.end, learned.len()), (End::Finished, 12));
    let best = index_of_least(&losses(&run));
    assert!(best < 8);
    assert_same(&parameters(&model), &learned[best]);
}

#[test]
fn the_last_weights_stay_if_the_best_are_not_wanted() {
    let Some(mut model) = build() else { return };
    let settings = EarlyStopping::new().patience(2).restore_best(false);
    let (run, learned) = fit(&trainer(20).early_stopping(settings), &mut model);
    assert_eq!((run.end, run.restored), (End::NoImprovement, None));
    assert_same(&parameters(&model), learned.last().unwrap());
    let last = losses(&run).pop();
    assert_eq!(run.evaluation.map(|e| e.loss), last);
}

#[test]
fn it_changes_nothing_before_the_end() {
    let Some(mut model) = build() else { return };
    let settings = EarlyStopping::new().patience(u32::MAX);
    let (_, watched) = fit(&trainer(20).early_stopping(settings), &mut model);
    let mut model = build().unwrap();
    let (_, alone) = fit(&trainer(20), &mut model);
    assert_eq!(watched.len(), alone.len());
    for (watched, alone) in watched.iter().zip(&alone) {
        assert_same(watched, alone);
    }
}

/// Where the weights are averaged, the averages are what is evaluated, kept and restored.
#[test]
fn averages_are_restored() {
    let Some(mut model) = build() else { return };
    let trainer = trainer(20).average(0.5);
    let trainer = trainer.early_stopping(EarlyStopping::new().patience(2));
    let (run, learned) = fit(&trainer, &mut model);
    assert_eq!(run.end, End::NoImprovement);
    let best = index_of_least(&losses(&run));
    assert_same(&parameters(&model), &learned[best]);
}

/// The rate of nothing leaves the loss where it is: equal is not better.
#[test]
fn patience_counts_validations() {
    let Some(device) = device() else { return };
    let mut net = wgrad::graph::Network::input([1, 8, 8]);
    net.linear(10);
    let data = digits(50);
    for (settings, validations) in [
        (EarlyStopping::new(), 6),
        (EarlyStopping::new().patience(1), 2),
        (EarlyStopping::new().patience(0), 2),
        (
            EarlyStopping::new().monitor(Monitor::Accuracy).patience(2),
            3,
        ),
    ] {
        let mut model = net.build(device, 1).unwrap();
        let trainer = Trainer::new(Sgd::new(0.0))
            .batch_size(10)
            .validate(Every::Steps(2))
            .progress(false)
            .early_stopping(settings);
        let run = trainer.fit(&mut model, &data, &data).unwrap();
        let validated = |e: &&Epoch| e.test_loss.is_some();
        let found = run.history.epochs().iter().filter(validated).count();
        assert_eq!(found, validations, "{settings:?}");
        assert_eq!(run.restored.map(|best| best.step), Some(2));
    }
}

/// Every epoch improves by something, none by as much as is asked for.
#[test]
fn too_small_an_improvement_does_not_count_but_is_kept() {
    let Some(mut model) = build() else { return };
    let settings = EarlyStopping::new().patience(3).min_delta(100.0);
    let (run, learned) = fit(&trainer(100).early_stopping(settings), &mut model);
    assert_eq!((run.end, learned.len()), (End::NoImprovement, 4));
    let best = index_of_least(&losses(&run));
    assert!(best > 0, "{run}");
    assert_same(&parameters(&model), &learned[best]);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let Some(device) = device() else { return };
    let mut net = wgrad::graph::Network::input([3]);
    net.linear(2);
    let mut model = net.build(device, 1).unwrap();
    let data = Dataset::regression([3], normal(&[4, 3], 1), [2], normal(&[4, 2], 2)).unwrap();
    let mut refusal = |settings: EarlyStopping| {
        let trainer = Trainer::new(Sgd::new(0.1)).loss(MeanSquaredError::new());
        let trainer = trainer.early_stopping(settings);
        trainer
            .fit(&mut model, &data, &data)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refusal(EarlyStopping::new().monitor(Monitor::Accuracy)),
        "early stopping cannot watch the accuracy: mean squared error has none",
    );
    assert_eq!(
        refusal(EarlyStopping::new().min_delta(-0.1)),
        "an improvement cannot be less than -0.1",
    );
}
