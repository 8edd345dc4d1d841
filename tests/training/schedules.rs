//! Schedules against PyTorch's, from `tests/golden/schedules.safetensors`, and by hand.

use std::collections::{BTreeMap, BTreeSet};

use safetensors::SafeTensors;
use wgrad::train::schedule::{self, OneCycle, Plateau};
use wgrad::train::{Sgd, Trainer};

use super::golden::read;
use super::setup::{classified, varied};
use crate::support::gpu::device;

/// Both sides compute in f64; PyTorch's chains multiply step by step.
const TOLERANCE: f64 = 1e-12;

static FILE: &[u8] = include_bytes!("../golden/schedules.safetensors");

type Schedule = Box<dyn Fn(u64) -> f64>;

/// The schedule of each case, whose settings `make_rules.py` has too.
fn schedules() -> BTreeMap<&'static str, Schedule> {
    fn boxed(schedule: impl Fn(u64) -> f64 + 'static) -> Schedule {
        Box::new(schedule)
    }
    let linear = OneCycle {
        rise: 0.4,
        start: 0.1,
        end: 1e-3,
        linear: true,
    };
    BTreeMap::from([
        ("step", boxed(schedule::step(30, 0.5))),
        ("multi_step", boxed(schedule::multi_step([20, 50, 51], 0.3))),
        ("exponential", boxed(schedule::exponential(0.97))),
        ("polynomial", boxed(schedule::polynomial(80, 2.5))),
        ("cosine", boxed(schedule::cosine(100, 0.05))),
        (
            "cosine_restarts",
            boxed(schedule::cosine_restarts(7, 2, 0.1)),
        ),
        (
            "cosine_repeats",
            boxed(schedule::cosine_restarts(9, 1, 0.0)),
        ),
        (
            "warm_up",
            boxed(schedule::warm_up(10, 0.2, schedule::constant(1.0))),
        ),
        (
            "warm_up_then_step",
            boxed(schedule::warm_up(10, 0.2, schedule::step(30, 0.5))),
        ),
        (
            "one_cycle",
            boxed(schedule::one_cycle(100, OneCycle::default())),
        ),
        ("one_cycle_linear", boxed(schedule::one_cycle(90, linear))),
    ])
}

#[test]
fn schedules_are_pytorchs() {
    let file = SafeTensors::deserialize(FILE).unwrap();
    let schedules = schedules();
    let cases: BTreeSet<&str> = file.names().into_iter().collect();
    let cases = cases.into_iter().filter(|case| !case.contains('.'));
    assert!(cases.eq(schedules.keys().copied()));
    for (case, schedule) in schedules {
        let expected = read(&file, case).data;
        assert!(expected.len() >= 90);
        for (step, expected) in expected.iter().enumerate() {
            let found = schedule(step as u64);
            let close = (found - expected).abs() <= TOLERANCE;
            assert!(close, "{case}: step {step}: {found}, by PyTorch {expected}");
        }
    }
}

#[test]
fn constant_and_inverse_by_hand() {
    assert_eq!(schedule::constant(0.25)(1_000_000), 0.25);
    let inverse = schedule::inverse(0.5, 2.0);
    assert_eq!([0, 2, 6].map(inverse), [1.0, 0.25, 0.0625]);
}

/// Nothing is divided by zero, and what ends stays at its end.
#[test]
fn edges() {
    assert_eq!(schedule::step(0, 0.5)(2), 0.25);
    assert_eq!(schedule::polynomial(0, 1.0)(0), 0.0);
    assert_eq!(schedule::polynomial(10, 2.0)(11), 0.0);
    assert_eq!(schedule::cosine(0, 0.5)(3), 0.5);
    assert_eq!(schedule::cosine(10, 0.5)(u64::MAX), 0.5);
    assert_eq!(schedule::cosine_restarts(0, 0, 0.0)(5), 1.0);
    assert!(schedule::cosine_restarts(1, 3, 0.0)(u64::MAX).is_finite());
    assert_eq!(schedule::warm_up(0, 0.1, schedule::step(1, 0.5))(1), 0.5);
    let cycle = |steps| schedule::one_cycle(steps, OneCycle::default());
    assert_eq!(cycle(100)(1000), 4e-6);
    assert!([0, 1, 2, 3].iter().all(|&s| cycle(s)(0).is_finite()));
}

/// What is left of the rate after each epoch, through a training that is told the losses.
#[test]
fn reductions_on_a_plateau_are_pytorchs() {
    let Some(device) = device() else { return };
    let file = SafeTensors::deserialize(FILE).unwrap();
    let losses = read(&file, "plateau.losses").data;
    let patient = Plateau::new().factor(0.5).patience(3).threshold(0.05);
    let absolute = Plateau::new().factor(0.3).patience(1);
    let plateaus = [
        ("default", Plateau::new()),
        ("patient", patient.cooldown(2)),
        ("absolute", absolute.absolute_threshold(0.02)),
        ("floored", Plateau::new().patience(0).floor(0.02)),
    ];
    let data = classified(6, &[1, 8, 8], 10);
    for (case, plateau) in plateaus {
        let mut model = varied().build(device, 1).unwrap();
        let trainer = Trainer::new(Sgd::new(0.5)).reduce_on_plateau(plateau);
        let mut training = trainer.start(&mut model, &data).unwrap();
        let expected = read(&file, &format!("plateau.{case}")).data;
        assert!(expected.last() < expected.first(), "{case} never reduces");
        for (epoch, (&loss, expected)) in losses.iter().zip(&expected).enumerate() {
            training.observe(loss).unwrap();
            let found = training.learning_rate(7);
            let close = (found - 0.5 * expected).abs() <= TOLERANCE;
            assert!(
                close,
                "{case}: epoch {epoch}: {found}, by PyTorch {expected}"
            );
        }
    }
}

/// The rates of steps that were already handed to the device change too.
#[test]
fn a_reduction_reaches_the_next_step() {
    let Some(device) = device() else { return };
    let data = classified(6, &[1, 8, 8], 10);
    let plateau = Plateau::new().factor(0.0).patience(0);
    let trainer = Trainer::new(Sgd::new(0.1))
        .reduce_on_plateau(plateau)
        .batch_size(6);
    let mut model = varied().build(device, 1).unwrap();
    let initial = model.parameter("linear1.weight").unwrap();
    let mut training = trainer.start(&mut model, &data).unwrap();
    training.step().unwrap();
    training.observe(1.0).unwrap();
    let first = training.model().parameter("linear1.weight").unwrap();
    assert_ne!(first, initial);
    training.observe(1.0).unwrap();
    training.step().unwrap();
    let second = training.model().parameter("linear1.weight").unwrap();
    assert_eq!(second, first, "the rate is 0 by now");
}

#[test]
fn a_rate_that_is_no_number_is_refused_when_its_step_comes() {
    let Some(device) = device() else { return };
    let data = classified(6, &[1, 8, 8], 10);
    let trainer = Trainer::new(Sgd::new(0.1)).schedule(|step| 1.0 / (2.0 - step as f64));
    let mut model = varied().build(device, 1).unwrap();
    let mut training = trainer.start(&mut model, &data).unwrap();
    training.step().unwrap();
    training.step().unwrap();
    let error = training.step().unwrap_err().to_string();
    assert_eq!(error, "the learning rate of step 2 is inf");
}

/// No epoch after the first falls by so much: the rate falls after the second and the third.
#[test]
fn fit_watches_for_a_plateau() {
    let Some(device) = device() else { return };
    let data = classified(12, &[1, 8, 8], 10);
    let plateau = Plateau::new().factor(0.5).patience(0).threshold(0.9999);
    let trainer = Trainer::new(Sgd::new(0.01))
        .schedule(schedule::constant(0.5))
        .reduce_on_plateau(plateau)
        .epochs(4)
        .progress(false);
    let mut model = varied().build(device, 1).unwrap();
    let run = trainer.fit(&mut model, &data, &data).unwrap();
    let epochs = run.history.epochs().iter();
    let rates: Vec<f64> = epochs.map(|epoch| epoch.learning_rate).collect();
    assert_eq!(rates, [0.005, 0.005, 0.0025, 0.00125]);
}
