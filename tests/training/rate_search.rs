//! The search for a learning rate.

use wgrad::Error;
use wgrad::data::Dataset;
use wgrad::random::Seed;
use wgrad::report::RateSearch;
use wgrad::train::{Adam, Model, RateSearchOptions, Sgd, Trainer};

use super::setup::{assert_same, digits, parameters, trainers, varied};
use crate::support::gpu::device;

fn build() -> Option<Model> {
    Some(varied().build(device()?, 1).unwrap())
}

/// After five epochs at this rate.
fn accuracy(rate: f64) -> f64 {
    let mut model = build().unwrap();
    let (train, test) = wgrad::data::digits().split(0.8, Seed(7));
    let trainer = Trainer::new(Sgd::new(rate).momentum(0.9)).epochs(5);
    let run = trainer.progress(false).fit(&mut model, &train, &test);
    run.unwrap().evaluation.unwrap().accuracy.unwrap()
}

#[test]
fn the_suggested_rate_trains() {
    let Some(model) = build() else { return };
    let (train, _) = wgrad::data::digits().split(0.8, Seed(7));
    let trainer = Trainer::new(Sgd::new(0.1).momentum(0.9));
    let search = trainer.find_rate(&model, &train, RateSearchOptions::new());
    let search = search.unwrap();
    let valley = search.valley().unwrap();
    let [found, lower] = [valley, valley / 10.0].map(accuracy);
    println!("{search}: {found}, {lower}");
    assert!(found > 0.9 && found > lower, "{search}: {found}, {lower}");
    let range = search.smallest().unwrap().rate / 1000.0..search.smallest().unwrap().rate;
    assert!(range.contains(&search.steepest().unwrap()), "{search}");
}

/// The steps are those of a training by hand at these rates.
#[test]
fn steps_are_those_of_a_training() {
    let Some(model) = build() else { return };
    let data = digits(45);
    for trainer in trainers() {
        let trainer = trainer.batch_size(10);
        let before = parameters(&model);
        let options = RateSearchOptions::new().range(1e-5, 1e-2).steps(7);
        let search = trainer.find_rate(&model, &data, options).unwrap();
        assert_same(&parameters(&model), &before);
        assert_eq!(trainer.find_rate(&model, &data, options).unwrap(), search);
        assert_eq!(search.points().len(), 7);
        assert!(!search.diverged());

        let base = rate_of_rule(&trainer, &data);
        let by_hand = trainer.schedule(move |step| 1e-5 * 1e3_f64.powf(step as f64 / 6.0) / base);
        let mut copy = build().unwrap();
        let mut training = by_hand.start(&mut copy, &data).unwrap();
        for _ in 0..7 {
            training.step().unwrap();
        }
        let losses: Vec<f32> = search.points().iter().map(|point| point.loss).collect();
        assert_eq!(losses, training.losses().unwrap());
    }
}

/// The rate at the first step, which has no schedule.
fn rate_of_rule(trainer: &Trainer, data: &Dataset) -> f64 {
    let mut model = build().unwrap();
    trainer.start(&mut model, data).unwrap().learning_rate(0)
}

/// Nothing after the step at which the limit is passed, however many were computed.
#[test]
fn a_search_ends_where_it_diverges() {
    let Some(model) = build() else { return };
    let data = digits(100);
    let trainer = Trainer::new(Sgd::new(0.1)).batch_size(20);
    let options = RateSearchOptions::new().range(1e-3, 1e9).steps(25);
    let search = |options| trainer.find_rate(&model, &data, options).unwrap();
    let ends = |search: &RateSearch| {
        let points = search.points();
        assert!(search.diverged() && points.len() < 25, "{search}");
        assert!(points.iter().all(|point| point.loss.is_finite()));
        points.len()
    };
    let whole = search(options.smoothing(0.0).stop_at(f64::INFINITY));
    let long = ends(&whole);
    let cut = search(options.smoothing(0.0).stop_at(1.5));
    let short = ends(&cut);
    assert!(short < long, "{short} {long}");
    assert_eq!(cut.points(), &whole.points()[..short]);
    let losses = |upto: usize| cut.points()[..upto].iter().map(|point| point.loss);
    let above = |upto: usize| {
        let smallest = losses(upto).fold(f32::INFINITY, f32::min);
        losses(upto).next_back().unwrap() > 1.5 * smallest
    };
    assert!(above(short) && !above(short - 1), "{cut}");
}

#[test]
fn searches_that_cannot_be() {
    let Some(mut model) = build() else { return };
    let data = digits(20);
    let options = RateSearchOptions::new();
    let refuse = |trainer: Trainer, model: &Model, options| {
        let error = trainer.find_rate(model, &data, options).unwrap_err();
        match error {
            Error::Invalid(reason) => reason,
            other => panic!("{other:?}"),
        }
    };
    let reason = refuse(Trainer::new(Adam::new(0.0)), &model, options);
    assert!(reason.ends_with("learning rate, which is 0"), "{reason}");
    let trainer = || Trainer::new(Adam::new(0.1));
    let reason = refuse(trainer(), &model, options.range(1.0, 0.5));
    assert!(reason.ends_with("cannot go from 1 to 0.5"), "{reason}");
    let reason = refuse(trainer().batch_size(0), &model, options);
    assert!(reason.contains("a batch of size zero"), "{reason}");

    let name = model.parameters()[0].name.clone();
    let len = model.parameter(&name).unwrap().len();
    model.set_parameter(&name, &vec![f32::NAN; len]).unwrap();
    let error = trainer().find_rate(&model, &data, options).unwrap_err();
    assert!(
        matches!(error, Error::NonFinite { step: 0, .. }),
        "{error:?}"
    );
}
