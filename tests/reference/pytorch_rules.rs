//! Fifty steps by every update rule that PyTorch has, against
//! `tests/golden/rules.safetensors`, whose script says the settings.

use super::pytorch::{assert_close, read};
use super::small_network::{Named, Update, gradients, update};
use super::{Factors, Tensor, adadelta, adagrad, adam, adamw, rmsprop, sgd};
use safetensors::SafeTensors;
use std::collections::BTreeMap;

fn sgd(a: sgd::Attributes) -> Update {
    update(|_| None, move |_, w, g, v, f| sgd::step(w, g, v, f, &a))
}

fn rmsprop(a: rmsprop::Attributes) -> Update {
    update(rmsprop::State::new, move |_, w, g, s, f| {
        rmsprop::step(w, g, s, f, &a)
    })
}

fn adagrad(a: adagrad::Attributes) -> Update {
    update(
        move |shape| adagrad::State::new(shape, &a),
        move |_, w, g, s, f| adagrad::step(w, g, s, f, &a),
    )
}

fn adadelta(a: adadelta::Attributes) -> Update {
    update(adadelta::State::new, move |_, w, g, s, f| {
        adadelta::step(w, g, s, f, &a)
    })
}

type AdamStep = fn(&mut Tensor, &Tensor, &mut adam::State, Factors, &adam::Attributes);

fn adam(step: AdamStep, a: adam::Attributes) -> Update {
    update(adam::State::new, move |_, w, g, s, f| step(w, g, s, f, &a))
}

/// The cases of the file; those that clip gradients are the device's.
fn rules() -> BTreeMap<&'static str, Update> {
    let momentum = |learning_rate, momentum, weight_decay| sgd::Attributes {
        momentum,
        weight_decay,
        ..sgd::Attributes::new(learning_rate)
    };
    let dampened = sgd::Attributes {
        dampening: 0.3,
        ..momentum(0.1, 0.8, 0.01)
    };
    let nesterov = sgd::Attributes {
        nesterov: true,
        ..momentum(0.05, 0.9, 0.02)
    };
    let adams = |learning_rate, epsilon, weight_decay| adam::Attributes {
        betas: [0.8, 0.98],
        epsilon,
        weight_decay,
        ..adam::Attributes::new(learning_rate)
    };
    let adamw_default = adam::Attributes {
        weight_decay: 0.01,
        ..adam::Attributes::new(0.01)
    };
    let rms = |learning_rate, alpha, epsilon, momentum, weight_decay, centered| {
        rmsprop(rmsprop::Attributes {
            learning_rate,
            alpha,
            epsilon,
            momentum,
            weight_decay,
            centered,
        })
    };
    let adagrad_decay = adagrad::Attributes {
        learning_rate_decay: 0.05,
        initial_accumulator: 0.2,
        epsilon: 1e-5,
        weight_decay: 0.05,
        ..adagrad::Attributes::new(0.1)
    };
    let adadelta_decay = adadelta::Attributes {
        rho: 0.8,
        epsilon: 1e-3,
        weight_decay: 0.1,
        ..adadelta::Attributes::new(0.5)
    };
    BTreeMap::from([
        ("sgd", sgd(sgd::Attributes::new(0.1))),
        ("sgd_momentum_decay", sgd(momentum(0.05, 0.9, 0.02))),
        ("sgd_dampened", sgd(dampened)),
        ("sgd_nesterov", sgd(nesterov)),
        ("adam", adam(adam::step, adam::Attributes::new(0.01))),
        ("adam_decay", adam(adam::step, adams(0.02, 1e-6, 0.05))),
        ("adamw", adam(adamw::step, adamw_default)),
        ("adamw_decay", adam(adamw::step, adams(0.02, 1e-8, 0.3))),
        ("rmsprop", rmsprop(rmsprop::Attributes::new(0.01))),
        ("rmsprop_momentum", rms(0.005, 0.9, 1e-5, 0.8, 0.05, false)),
        ("rmsprop_centered", rms(0.005, 0.9, 1e-3, 0.0, 0.0, true)),
        (
            "rmsprop_centered_momentum",
            rms(0.002, 0.95, 1e-2, 0.7, 0.1, true),
        ),
        ("adagrad", adagrad(adagrad::Attributes::new(0.05))),
        ("adagrad_decay", adagrad(adagrad_decay)),
        ("adadelta", adadelta(adadelta::Attributes::new(1.0))),
        ("adadelta_decay", adadelta(adadelta_decay)),
    ])
}

#[test]
fn fifty_steps_by_every_rule() {
    let file = include_bytes!("../golden/rules.safetensors");
    let file = SafeTensors::deserialize(file).expect("a safetensors file");
    let [inputs, targets] = ["inputs", "targets"].map(|name| read(&file, name));
    let names = file.names();
    let initial = names
        .iter()
        .filter_map(|name| name.strip_prefix("initial."));
    let initial: Named = initial
        .map(|name| (name.to_owned(), read(&file, &format!("initial.{name}"))))
        .collect();
    let mut rules = rules();
    let cases = names.iter().filter_map(|name| name.strip_suffix(".losses"));
    let mut cases: Vec<&str> = cases.filter(|case| !case.starts_with("clip_")).collect();
    cases.sort_unstable();
    assert!(cases.iter().eq(rules.keys()), "{cases:?}");

    for (case, update) in &mut rules {
        let mut state = initial.clone();
        let mut losses = Vec::new();
        for _ in 0..50 {
            let (loss, gradients) = gradients(&state, &inputs, &targets);
            losses.push(loss);
            for (name, weight) in &mut state {
                let factors = Factors {
                    learning_rate: if name == "linear1.bias" { 3.0 } else { 1.0 },
                    weight_decay: f64::from(u8::from(weight.shape.len() == 2)),
                };
                update(name, weight, &gradients[name], factors);
            }
        }
        let expected = read(&file, &format!("{case}.losses"));
        assert_close(case, &Tensor::new(&expected.shape, losses), &expected);
        for (name, found) in &state {
            let name = format!("{case}.final.{name}");
            assert_close(&name, found, &read(&file, &name));
        }
    }
}
