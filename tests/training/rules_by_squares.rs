//! RMSProp, Adagrad and Adadelta, which divide by the root of squares they have seen, against the
//! f64 references.

use wgrad::train::{Adadelta, Adagrad, RmsProp};

use super::rules::{Case, groups};
use crate::reference::small_network::{Update, update};
use crate::reference::{adadelta, adagrad, rmsprop};

fn by_rmsprop(a: rmsprop::Attributes) -> Update {
    update(rmsprop::State::new, move |_, w, g, s, f| {
        rmsprop::step(w, g, s, f, &a)
    })
}

fn by_adagrad(a: adagrad::Attributes) -> Update {
    update(
        move |shape| adagrad::State::new(shape, &a),
        move |_, w, g, s, f| adagrad::step(w, g, s, f, &a),
    )
}

fn by_adadelta(a: adadelta::Attributes) -> Update {
    update(adadelta::State::new, move |_, w, g, s, f| {
        adadelta::step(w, g, s, f, &a)
    })
}

/// Groups of every kind, and a rate that halves every ten steps.
fn case() -> Case {
    Case {
        groups: groups(),
        schedule: |step| 0.5_f64.powi(step as i32 / 10),
        ..Case::default()
    }
}

#[test]
fn by_default() {
    let case = Case::default();
    let reference = by_rmsprop(rmsprop::Attributes::new(0.005));
    case.follow(RmsProp::new(0.005), reference);
    let reference = by_adagrad(adagrad::Attributes::new(0.05));
    case.follow(Adagrad::new(0.05), reference);
    let reference = by_adadelta(adadelta::Attributes::new(1.0));
    case.follow(Adadelta::new(1.0), reference);
}

#[test]
fn rmsprop_with_groups_and_schedule() {
    for centered in [false, true] {
        let a = rmsprop::Attributes {
            alpha: 0.9,
            epsilon: 1e-2,
            momentum: 0.7,
            weight_decay: 0.05,
            centered,
            ..rmsprop::Attributes::new(0.004)
        };
        let rule = RmsProp::new(0.004)
            .alpha(0.9)
            .epsilon(1e-2)
            .momentum(0.7)
            .weight_decay(0.05)
            .centered(centered);
        case().follow(rule, by_rmsprop(a));
    }
}

#[test]
fn adagrad_with_groups_and_schedule() {
    let a = adagrad::Attributes {
        learning_rate_decay: 0.02,
        initial_accumulator: 0.3,
        epsilon: 1e-4,
        weight_decay: 0.05,
        ..adagrad::Attributes::new(0.1)
    };
    let rule = Adagrad::new(0.1)
        .learning_rate_decay(0.02)
        .initial_accumulator(0.3)
        .epsilon(1e-4)
        .weight_decay(0.05);
    case().follow(rule, by_adagrad(a));
}

#[test]
fn adadelta_with_groups_and_schedule() {
    let a = adadelta::Attributes {
        rho: 0.8,
        epsilon: 1e-3,
        weight_decay: 0.05,
        ..adadelta::Attributes::new(0.5)
    };
    let rule = Adadelta::new(0.5).rho(0.8).epsilon(1e-3).weight_decay(0.05);
    case().follow(rule, by_adadelta(a));
}
