//! The loop of `fit`: how long it runs, what it records, whom it tells, and what an end before its
//! time leaves behind.

use std::collections::BTreeMap;

use wgrad::report::Epoch;
use wgrad::train::{
    Callback, End, Every, FitState, Model, Run, Sgd, Stop, Trainer, every_steps, on_epoch_end,
};
use wgrad::{Error, Result};

use super::setup::{assert_same, bits, digits, parameters, varied};
use crate::support::gpu::device;

/// Five steps an epoch of 50 digits.
fn trainer() -> Trainer {
    Trainer::new(Sgd::new(0.02).momentum(0.9))
        .batch_size(10)
        .epochs(3)
        .progress(false)
}

fn build() -> Option<Model> {
    Some(varied().build(device()?, 1).unwrap())
}

/// The history without what a clock says.
fn figures(run: &Run) -> Vec<Epoch> {
    let epochs = run.history.epochs().iter();
    epochs
        .map(|&epoch| Epoch {
            seconds: 0.0,
            images_per_second: 0.0,
            ..epoch
        })
        .collect()
}

/// Losses and parameters after so many steps of a loop by hand.
fn by_hand(trainer: &Trainer, steps: u64) -> (Vec<f32>, BTreeMap<String, Vec<f32>>) {
    let mut model = build().unwrap();
    let data = digits(50);
    let mut training = trainer.start(&mut model, &data).unwrap();
    while training.steps() < steps {
        training.step().unwrap();
    }
    let losses = training.losses().unwrap();
    (losses, parameters(&model))
}

fn mean(losses: &[f32]) -> f64 {
    losses.iter().map(|&l| f64::from(l)).sum::<f64>() / losses.len() as f64
}

/// Writes down what it is told, under a name.
struct Log<'a>(&'a str, &'a std::cell::RefCell<Vec<String>>);

impl Log<'_> {
    fn note(&self, what: &str, fit: &FitState<'_>) {
        let line = format!("{} {what} {}/{}", self.0, fit.steps(), fit.epoch());
        self.1.borrow_mut().push(line);
    }
}

impl Callback for Log<'_> {
    fn on_start(&mut self, fit: &mut FitState<'_>) -> Result<()> {
        self.note("start", fit);
        Ok(())
    }

    fn on_step(&mut self, fit: &mut FitState<'_>) -> Result<()> {
        self.note("step", fit);
        Ok(())
    }

    fn on_validation(&mut self, fit: &mut FitState<'_>) -> Result<()> {
        assert!(fit.evaluation().is_some());
        self.note("validation", fit);
        Ok(())
    }

    fn on_epoch_end(&mut self, fit: &mut FitState<'_>) -> Result<()> {
        assert_eq!(fit.history().last().map(|e| e.step), Some(fit.steps()));
        self.note("epoch", fit);
        Ok(())
    }

    fn on_end(&mut self, fit: &mut FitState<'_>) -> Result<()> {
        self.note("end", fit);
        Ok(())
    }
}

#[test]
fn callbacks_are_told_in_order() {
    let Some(mut model) = build() else { return };
    let log = std::cell::RefCell::default();
    let data = digits(20);
    let trainer = trainer().steps(5).validate(Every::Steps(3));
    let second: Vec<Box<dyn Callback>> = vec![Box::new(Log("b", &log))];
    let callbacks = (Log("a", &log), second);
    trainer
        .fit_with(&mut model, &data, &data, callbacks)
        .unwrap();
    let expected = [
        "start 0/0",
        "step 1/1",
        "step 2/1",
        "epoch 2/1",
        "step 3/2",
        "validation 3/2",
        "step 4/2",
        "epoch 4/2",
        "step 5/3",
        "validation 5/3",
        "end 5/3",
    ];
    let told = |event: &str| ["a", "b"].map(|name| format!("{name} {event}"));
    let expected: Vec<String> = expected.into_iter().flat_map(told).collect();
    assert_eq!(log.into_inner(), expected);
}

/// Reads whatever can be read, at every step.
fn busy(fit: &mut FitState<'_>) -> Result<()> {
    let seen = (fit.steps() - 1) % 5 + 1;
    assert_eq!(fit.losses()?.len() as u64, seen);
    assert_eq!(fit.gradient_norms()?.len(), 1);
    assert_eq!(fit.total_steps(), 15);
    fit.model().evaluate(&digits(7))?;
    let weights = fit.training().model().parameter("conv1.weight")?;
    assert!(weights.iter().all(|w| w.is_finite()));
    let path = std::env::temp_dir().join(format!("wgrad-busy-{}", std::process::id()));
    fit.save(&path)?;
    std::fs::remove_file(path).map_err(|error| Error::Callback(error.into()))
}

#[test]
fn callbacks_change_nothing() {
    let Some(mut model) = build() else { return };
    let data = digits(50);
    let trainer = trainer().clip_norm(1.0).average(0.9);
    let alone = trainer.fit(&mut model, &data, &data).unwrap();
    let mut watched = build().unwrap();
    let mut calls = 0;
    let callback = every_steps(1, |fit| {
        calls += 1;
        busy(fit)
    });
    let run = trainer
        .fit_with(&mut watched, &data, &data, callback)
        .unwrap();
    assert_eq!(calls, 15);
    assert_same(&parameters(&watched), &parameters(&model));
    assert_eq!(figures(&run), figures(&alone));
    assert_eq!(run.end, End::Finished);
}

/// With and without the loop of `fit`, and with a last epoch that is not complete.
#[test]
fn a_number_of_steps_is_what_a_loop_by_hand_takes() {
    let Some(mut model) = build() else { return };
    let data = digits(50);
    let trainer = trainer().steps(12).validate(Every::Steps(4));
    let run = trainer.fit(&mut model, &data, &data).unwrap();
    let (losses, expected) = by_hand(&trainer, 12);
    assert_same(&parameters(&model), &expected);
    let found = run.history.epochs().iter();
    let found: Vec<_> = found
        .map(|e| (e.epoch, e.step, e.test_loss.is_some(), e.train_loss))
        .collect();
    let expected = [
        (1, 4, true, mean(&losses[..4])),
        (1, 5, false, mean(&losses[4..5])),
        (2, 8, true, mean(&losses[5..8])),
        (2, 10, false, mean(&losses[8..10])),
        (3, 12, true, mean(&losses[10..])),
    ];
    assert_eq!(found, expected);
    let evaluation = model.evaluate(&data).unwrap();
    assert_eq!(run.evaluation.map(|e| e.loss), Some(evaluation.loss));
    assert_eq!((run.steps, run.unrecorded), (12, vec![]));
}

#[test]
fn validation_every_few_epochs_includes_the_last() {
    let Some(mut model) = build() else { return };
    let data = digits(50);
    let trainer = trainer().epochs(5).validate(Every::Epochs(2));
    let run = trainer.fit(&mut model, &data, &data).unwrap();
    let epochs = run.history.epochs().iter();
    let validated: Vec<u32> = epochs
        .filter(|e| e.test_loss.is_some())
        .map(|e| e.epoch)
        .collect();
    assert_eq!(validated, [2, 4, 5]);
    assert_eq!(run.history.epochs().len(), 5);
}

#[test]
fn a_callback_ends_the_training_after_its_step() {
    let Some(mut model) = build() else { return };
    let data = digits(50);
    let stop = every_steps(7, |fit| {
        fit.stop();
        Ok(())
    });
    let run = trainer().fit_with(&mut model, &data, &data, stop).unwrap();
    let (losses, expected) = by_hand(&trainer(), 7);
    assert_eq!((run.end, run.steps), (End::Callback, 7));
    assert_same(&parameters(&model), &expected);
    assert_eq!(figures(&run).len(), 1);
    assert_eq!(bits(&run.unrecorded), bits(&losses[5..]));
    let text = run.to_string();
    assert!(
        text.contains("stopped by a callback after step 7"),
        "{text}"
    );
}

#[test]
fn a_request_from_elsewhere_ends_the_training_after_its_step() {
    let Some(mut model) = build() else { return };
    let data = digits(50);
    let stop = Stop::new();
    let trainer = trainer().stop_on(&stop);
    let other_thread = every_steps(3, |_| {
        let stop = stop.clone();
        std::thread::spawn(move || stop.request()).join().unwrap();
        Ok(())
    });
    let run = trainer
        .fit_with(&mut model, &data, &data, other_thread)
        .unwrap();
    assert_eq!((run.end, run.steps), (End::Stopped, 3));
    assert_same(&parameters(&model), &by_hand(&trainer, 3).1);
    // It holds for those that begin later, until it is taken back.
    let run = trainer.fit(&mut model, &data, &data).unwrap();
    assert_eq!((run.end, run.steps), (End::Stopped, 0));
    stop.clear();
    let run = trainer.fit(&mut model, &data, &data).unwrap();
    assert_eq!((run.end, run.steps), (End::Finished, 15));
}

#[test]
fn an_error_of_a_callback_is_what_fit_returns() {
    let Some(mut model) = build() else { return };
    let data = digits(50);
    let fail = on_epoch_end(|fit| match fit.epoch() {
        2 => Err(Error::Callback("the disk of the log is full".into())),
        _ => Ok(()),
    });
    let failure = trainer()
        .fit_with(&mut model, &data, &data, fail)
        .unwrap_err();
    assert_eq!(
        failure.to_string(),
        "a callback failed: the disk of the log is full"
    );
    assert_eq!((failure.run.end, failure.run.steps), (End::Failed, 10));
    assert_eq!(figures(&failure.run).len(), 2);
    assert_same(&parameters(&model), &by_hand(&trainer(), 10).1);
}

/// In the third epoch the rate is more than single precision can hold of the weights.
#[test]
fn a_training_that_diverges_keeps_its_history() {
    let Some(mut model) = build() else { return };
    let data = digits(50);
    let trainer = trainer().schedule(|step| if step < 12 { 1.0 } else { 1e30 });
    let failure = trainer.fit(&mut model, &data, &data).unwrap_err();
    let Error::NonFinite { step, .. } = *failure.error else {
        panic!("{failure}");
    };
    assert_eq!(step, 13);
    let (losses, expected) = by_hand(&trainer, 13);
    assert_same(&parameters(&model), &expected);
    assert_eq!(failure.run.steps, 13);
    let means: Vec<f64> = figures(&failure.run).iter().map(|e| e.train_loss).collect();
    assert_eq!(means, [mean(&losses[..5]), mean(&losses[5..10])]);
    assert_eq!(bits(&failure.run.unrecorded), bits(&losses[10..]));
    // What a program with one error type sees.
    assert!(matches!(
        Error::from(failure),
        Error::NonFinite { step: 13, .. }
    ));
}

/// What is known without waiting is right, and asking for it changes nothing.
#[test]
fn the_running_loss_is_a_mean_of_the_first_steps() {
    let Some(mut model) = build() else { return };
    let (data, epochs) = (digits(125), 2);
    for trainer in [trainer(), trainer().accumulate(2)] {
        let mut seen = Vec::new();
        let look = every_steps(1, |fit: &mut FitState<'_>| {
            let news = fit.running_loss()?;
            seen.extend(news.map(|loss| (fit.steps(), loss)));
            Ok(())
        });
        let nothing = on_epoch_end(|fit| {
            assert_eq!(fit.running_loss()?, None);
            Ok(())
        });
        let trainer = trainer.epochs(epochs).batch_size(2);
        let run = trainer.fit_with(&mut model, &data, &data, (look, nothing));
        let run = run.unwrap();
        let losses: Vec<f32> = run.history.losses().iter().map(|step| step.loss).collect();
        let steps = losses.len() / epochs as usize;
        assert!(seen.len() >= 4, "{seen:?}");
        for (step, loss) in seen {
            let first = (step as usize - 1) / steps * steps;
            let mut means = (first + 1..step as usize).map(|end| mean(&losses[first..end]));
            assert!(means.any(|mean| mean == loss), "{loss} at step {step}");
        }
        let with_looks = parameters(&model);
        model = build().unwrap();
        let plain = trainer.fit(&mut model, &data, &data).unwrap();
        assert_same(&with_looks, &parameters(&model));
        assert_eq!(figures(&plain), figures(&run));
        let speeds = plain
            .history
            .epochs()
            .iter()
            .map(|epoch| epoch.images_per_second);
        assert!(speeds.min_by(f64::total_cmp).unwrap() > 0.0);
        model = build().unwrap();
    }
}
