//! `fit` with checkpoints: stopped wherever and started again, it ends where it would have ended.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use wgrad::checkpoint::Checkpoints;
use wgrad::report::Epoch;
use wgrad::train::schedule::Plateau;
use wgrad::train::{
    EarlyStopping, End, Every, FitState, Model, Run, Sgd, Stop, Trainer, every_steps,
};

use super::setup::{Folder, assert_same, bits, digits, varied};
use crate::gpu::device;

/// Eight steps an epoch of 100 digits. Everything that is kept or drawn takes part.
fn trainer() -> Trainer {
    Trainer::new(Sgd::new(0.02).momentum(0.9).nesterov(true))
        .batch_size(12)
        .seed(7)
        .epochs(9)
        .progress(false)
        .reduce_on_plateau(Plateau::new().patience(0).threshold(0.2).factor(0.5))
        .early_stopping(EarlyStopping::new().patience(4))
        .average(0.8)
}

const STEPS: u64 = 72;

fn build(device: &wgrad::Device, seed: u64) -> Model {
    varied().build(device, seed).unwrap()
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

/// Requests to stop after so many steps of the training.
fn fit_to(step: u64, trainer: Trainer, model: &mut Model) -> Run {
    let data = digits(100);
    let stop = Stop::new();
    let request = every_steps(1, |fit: &mut FitState<'_>| {
        if fit.steps() == step {
            stop.request();
        }
        Ok(())
    });
    trainer
        .stop_on(&stop)
        .fit_with(model, &data, &data, request)
        .unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn step_file(step: u64) -> String {
    format!("step-{step:010}.safetensors")
}

#[test]
fn a_training_stopped_anywhere_goes_on_bit_by_bit() {
    let Some(device) = device() else { return };
    let data = digits(100);
    let mut whole = build(device, 1);
    let expected = trainer().fit(&mut whole, &data, &data).unwrap();
    let rates: Vec<f64> = figures(&expected).iter().map(|e| e.learning_rate).collect();
    assert!(
        rates.last() < rates.first(),
        "the plateau is not reached: {rates:?}"
    );
    // At the end of an epoch, in the first one, and anywhere.
    let random = 1 + RandomState::new().hash_one("step") % (expected.steps - 1);
    for step in [24, 3, random] {
        let folder = Folder::new(&format!("fit-{step}"));
        let trainer = || trainer().checkpoints(folder.path(), Every::Epochs(1));
        let mut first = build(device, 1);
        let run = fit_to(step, trainer(), &mut first);
        assert_eq!((run.end, run.steps), (End::Stopped, step));
        assert_eq!(run.checkpoint, Some(folder.file(&step_file(step))));
        // Another seed: nothing of these weights may be left.
        let mut second = build(device, 99);
        let run = trainer().fit(&mut second, &data, &data).unwrap();
        assert_eq!(run.resumed, Some(step));
        assert_eq!((run.end, run.steps), (expected.end, expected.steps));
        assert_eq!(figures(&run), figures(&expected), "after step {step}");
        let restored = |run: &Run| run.restored.map(|best| best.step);
        assert_eq!(restored(&run), restored(&expected));
        assert_same(&second, &whole);
        let loss = |run: &Run| run.evaluation.as_ref().map(|e| e.loss);
        assert_eq!(loss(&run), loss(&expected));

        // A training that has come to its end stays there.
        let mut third = build(device, 5);
        let run = trainer().fit(&mut third, &data, &data).unwrap();
        assert_eq!(
            (run.resumed, run.steps),
            (Some(expected.steps), expected.steps)
        );
        assert_eq!(figures(&run), figures(&expected));
        assert_same(&third, &whole);
        assert_eq!(loss(&run), loss(&expected));
    }
}

#[test]
fn the_last_and_the_best_are_kept() {
    let Some(device) = device() else { return };
    let data = digits(100);
    let folder = Folder::new("fit-kept");
    let rising = Trainer::new(Sgd::new(0.05))
        .batch_size(12)
        .epochs(5)
        .progress(false)
        .schedule(|step| if step < 16 { 1.0 } else { -1.0 });
    let checkpoints = Checkpoints::new(folder.path()).keep_last(2);
    let trainer = rising.checkpoints(checkpoints.clone(), Every::Steps(7));
    let run = trainer.fit(&mut build(device, 1), &data, &data).unwrap();
    let best = run.history.epochs().iter().copied();
    let best = best.min_by(|a, b| a.test_loss.unwrap().total_cmp(&b.test_loss.unwrap()));
    let best = best.unwrap();
    assert!((16..32).contains(&best.step), "{run}");
    let last = ["best.safetensors".to_owned(), step_file(35), step_file(40)];
    assert_eq!(names(folder.path()), last);
    let mut model = build(device, 2);
    model.load(checkpoints.best().unwrap()).unwrap();
    assert_eq!(Some(model.evaluate(&data).unwrap().loss), best.test_loss);
}

#[test]
fn a_damaged_checkpoint_is_put_aside_for_the_one_before_it() {
    let Some(device) = device() else { return };
    let data = digits(100);
    let folder = Folder::new("fit-damaged");
    let checkpoints = Checkpoints::new(folder.path()).keep_last(2);
    let trainer = || trainer().checkpoints(checkpoints.clone(), Every::Epochs(1));
    fit_to(19, trainer(), &mut build(device, 1));
    let newest = folder.file(&step_file(19));
    let mut bytes = std::fs::read(&newest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&newest, &bytes).unwrap();

    let mut model = build(device, 3);
    let run = trainer().fit(&mut model, &data, &data).unwrap();
    assert_eq!(run.resumed, Some(16));
    let mut whole = build(device, 1);
    let expected = self::trainer().fit(&mut whole, &data, &data).unwrap();
    assert_eq!(figures(&run), figures(&expected));
    assert_same(&model, &whole);
    assert!(names(folder.path()).contains(&"step-0000000019.damaged".to_owned()));

    // None is good any more.
    for path in names(folder.path()) {
        std::fs::write(folder.file(&path), &bytes[..middle]).unwrap();
    }
    let error = trainer().fit(&mut model, &data, &data).unwrap_err();
    let newest = folder.file(&step_file(run.steps));
    let begins = format!("{} is truncated: ", newest.display());
    assert!(error.to_string().starts_with(&begins), "{error}");
}

#[test]
fn another_training_does_not_go_on_there() {
    let Some(device) = device() else { return };
    let data = digits(100);
    let folder = Folder::new("fit-other");
    let trainer = |seed: u64| {
        trainer()
            .seed(seed)
            .checkpoints(folder.path(), Every::Steps(5))
    };
    fit_to(5, trainer(1), &mut build(device, 1));
    let before = names(folder.path());
    let error = trainer(2)
        .fit(&mut build(device, 1), &data, &data)
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("the seed differs: 1 there, 2 here"), "{text}");
    assert_eq!(names(folder.path()), before);
}

/// More epochs than the first time: it goes on behind them.
#[test]
fn a_finished_training_is_prolonged() {
    let Some(device) = device() else { return };
    let data = digits(100);
    let folder = Folder::new("fit-prolonged");
    let plain = || {
        Trainer::new(Sgd::new(0.02).momentum(0.9))
            .batch_size(12)
            .progress(false)
    };
    let kept = |steps: u64| {
        plain()
            .steps(steps)
            .checkpoints(folder.path(), Every::Epochs(1))
    };
    kept(16).fit(&mut build(device, 1), &data, &data).unwrap();
    let mut model = build(device, 2);
    let run = kept(STEPS / 2).fit(&mut model, &data, &data).unwrap();
    assert_eq!((run.resumed, run.steps), (Some(16), STEPS / 2));
    let mut whole = build(device, 1);
    let expected = plain()
        .steps(STEPS / 2)
        .fit(&mut whole, &data, &data)
        .unwrap();
    assert_eq!(figures(&run), figures(&expected));
    assert_same(&model, &whole);
}

/// A file of the training alone, written by hand, will do too.
#[test]
fn a_checkpoint_of_a_loop_by_hand_goes_on_in_fit() {
    let Some(device) = device() else { return };
    let data = digits(100);
    let folder = Folder::new("fit-by-hand");
    let checkpoints = Checkpoints::new(folder.path());
    let trainer = Trainer::new(Sgd::new(0.02))
        .batch_size(12)
        .steps(20)
        .progress(false)
        .checkpoints(checkpoints.clone(), Every::Epochs(1));
    let mut model = build(device, 1);
    let mut training = trainer.start(&mut model, &data).unwrap();
    for _ in 0..11 {
        training.step().unwrap();
    }
    checkpoints.save(&mut training, None).unwrap();
    let mut rest = Vec::new();
    while training.steps() < 20 {
        training.step().unwrap();
        rest.extend(training.losses().unwrap());
    }
    let mut other = build(device, 2);
    let run = trainer.fit(&mut other, &data, &data).unwrap();
    assert_eq!(run.resumed, Some(11));
    assert_same(&other, &model);
    let steps: Vec<u64> = figures(&run).iter().map(|e| e.step).collect();
    assert_eq!(steps, [16, 20]);
    let losses: Vec<f64> = rest[16..].iter().map(|&l| f64::from(l)).collect();
    let last = figures(&run)[1].train_loss;
    assert_eq!(last, losses.iter().sum::<f64>() / losses.len() as f64);
    assert_eq!(bits(&run.unrecorded), Vec::<u32>::new());
}

/// Ctrl-C in another process: it finishes the step, saves, says so, and goes on when started
/// again.
#[cfg(all(unix, feature = "ctrlc"))]
mod signals {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::super::setup::{child, is_child};
    use super::*;

    fn endless(folder: &Path) -> Trainer {
        trainer()
            .epochs(u32::MAX)
            .early_stopping(EarlyStopping::new().patience(u32::MAX))
            .checkpoints(folder, Every::Epochs(1))
    }

    fn train_until_signalled(folder: &Path) {
        let data = digits(100);
        let trainer = endless(folder).stop_on(&Stop::on_ctrl_c().unwrap());
        assert!(Stop::on_ctrl_c().is_ok(), "a second call is harmless");
        let mut model = build(device().unwrap(), 1);
        let run = trainer.fit(&mut model, &data, &data).unwrap();
        assert_eq!(run.end, End::Stopped);
        assert_eq!(run.checkpoint, Checkpoints::new(folder).latest().unwrap());
        std::fs::write(folder.join("steps"), run.steps.to_string()).unwrap();
    }

    #[test]
    fn a_signal_stops_the_training_with_a_checkpoint() {
        if let Some(folder) = is_child() {
            return train_until_signalled(&folder);
        }
        let Some(device) = device() else { return };
        let folder = Folder::new("fit-signal");
        let mut before = 0;
        for round in 1..=2 {
            let mut training = child("a_signal_stops_the_training", folder.path())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            let checkpoints = Checkpoints::new(folder.path());
            let latest = checkpoints.latest().unwrap();
            let start = Instant::now();
            while checkpoints.latest().unwrap() == latest {
                assert!(
                    start.elapsed() < Duration::from_secs(120),
                    "nothing is saved"
                );
                std::thread::sleep(Duration::from_millis(5));
            }
            let pid = training.id().to_string();
            let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
            assert!(sent.success());
            assert!(training.wait().unwrap().success(), "round {round}");
            let steps = std::fs::read_to_string(folder.file("steps")).unwrap();
            let steps: u64 = steps.parse().unwrap();
            assert!(steps > before, "round {round}: {steps} after {before}");
            before = steps;
        }
        let (mut found, mut expected) = (build(device, 2), build(device, 1));
        let file = folder.file(&step_file(before));
        found.load(file).unwrap();
        let data = digits(100);
        let whole = trainer();
        let mut undisturbed = whole.start(&mut expected, &data).unwrap();
        // What `fit` tells the plateau, at the end of each epoch.
        while undisturbed.steps() < before {
            undisturbed.step().unwrap();
            if undisturbed.steps().is_multiple_of(8) {
                let loss = undisturbed
                    .averaged()
                    .unwrap()
                    .evaluate(&data)
                    .unwrap()
                    .loss;
                undisturbed.observe(loss).unwrap();
            }
        }
        undisturbed.losses().unwrap();
        assert_same(&found, undisturbed.model());
    }
}
