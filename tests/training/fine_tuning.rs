//! Trained weights in a network with a new head: what is taken over, what is frozen, how fast the
//! rest learns.

use wgrad::checkpoint::LoadOptions;
use wgrad::graph::Network;
use wgrad::train::{Model, Sgd, Trainer};

use super::setup::{assert_same, bits, classified, digits, parameters, varied};
use crate::support::gpu::device;

#[test]
fn all_but_the_head_is_taken_over() {
    let Some(device) = device() else { return };
    let trained = varied().build(device, 1).unwrap();
    let mut model = varied().with_classes(3).unwrap().build(device, 2).unwrap();
    let before = parameters(&model);
    let error = model.load_from(&trained, &LoadOptions::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the other model does not fit the network: misshapen: linear1.bias ([10] in place of \
         [3]), linear1.weight ([10, 28] in place of [3, 28])"
    );
    let typo = LoadOptions::new().except("linear1").except("*.wieght");
    let error = model.load_from(&trained, &typo).unwrap_err();
    assert_eq!(
        error.to_string(),
        "neither the other model nor the network has a parameter `*.wieght` to be left out"
    );
    assert_same(&parameters(&model), &before);

    let options = LoadOptions::new().except("linear1");
    let report = model.load_from(&trained, &options).unwrap();
    assert_eq!(report.left_out, ["linear1.bias", "linear1.weight"]);
    assert_eq!(
        report.to_string(),
        format!(
            "{} loaded; left out: linear1.bias, linear1.weight",
            before.len() - 2
        )
    );
    let (from, now) = (parameters(&trained), parameters(&model));
    for (name, values) in &now {
        let source = match name.starts_with("linear1.") {
            true => &before[name],
            false => &from[name],
        };
        assert_eq!(bits(values), bits(source), "{name}");
    }
}

#[test]
fn patterns_choose_what_learns_and_how_fast() {
    let Some(device) = device() else { return };
    let data = digits(40);
    // One step of plain gradient descent moves a parameter by its factor times its gradient.
    let step = |change: &dyn Fn(&mut Model)| {
        let mut model = varied().build(device, 1).unwrap();
        change(&mut model);
        let before = parameters(&model);
        let trainer = Trainer::new(Sgd::new(0.5)).batch_size(40);
        trainer.start(&mut model, &data).unwrap().step().unwrap();
        let after = parameters(&model);
        let moved = |name: &String| {
            let (a, b) = (&after[name], &before[name]);
            let squares = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2));
            (name.clone(), squares.sum::<f64>().sqrt())
        };
        let learned = before.keys().filter(|name| !name.contains("running"));
        learned.map(moved).collect::<Vec<_>>()
    };
    let plain = step(&|_| {});
    let factors = step(&|model| {
        model.set_learning_rate_factor("*", 0.5).unwrap();
        model
            .set_learning_rate_factor("conv?.weight", 0.25)
            .unwrap();
        model.freeze("*.bias").unwrap();
        model.unfreeze("linear1").unwrap();
    });
    for ((name, plain), (_, moved)) in plain.iter().zip(&factors) {
        let factor = match name.as_str() {
            "conv1.weight" | "conv2.weight" => 0.25,
            "linear1.bias" => 0.5,
            bias if bias.ends_with(".bias") => 0.0,
            _ => 0.5,
        };
        // A difference of rounded numbers; a bias before normalisation moves by rounding alone.
        let error = (moved - factor * plain).abs();
        assert!(error <= 1e-3 * plain + 1e-6, "{name}: {moved} of {plain}");
    }
}

#[test]
fn what_a_pattern_cannot_mean_is_an_error() {
    let Some(device) = device() else { return };
    let mut model = varied().build(device, 1).unwrap();
    let text = model.freeze("conv?.wieght").unwrap_err().to_string();
    assert!(
        text.starts_with("no parameter is named `conv?.wieght`; there are: conv1.weight"),
        "{text}"
    );
    assert!(model.set_learning_rate_factor("conv3*", 0.1).is_err());
    for factor in [-0.5, f32::NAN, f32::INFINITY] {
        let error = model.set_learning_rate_factor("conv1", factor).unwrap_err();
        let expected = format!("must be 0 or more, it is {factor}");
        assert!(error.to_string().ends_with(&expected), "{error}");
    }
    assert!(
        model
            .parameters()
            .iter()
            .all(|p| p.learning_rate_factor == 1.0 && !p.frozen)
    );
}

/// Frozen running averages are what both training and evaluation go by.
#[test]
fn a_frozen_normalisation_trains_as_it_answers() {
    let Some(device) = device() else { return };
    let data = classified(12, &[1, 8, 8], 10);
    let mut net = Network::input([1, 8, 8]);
    net.conv(6, 3).batch_norm().relu().max_pool(2).linear(10);
    let mut model = net.build(device, 1).unwrap();
    model.set_parameter("bn1.running_mean", &[0.3; 6]).unwrap();
    model.set_parameter("bn1.running_var", &[2.5; 6]).unwrap();
    let mut losses = |pattern: Option<&str>| {
        if let Some(pattern) = pattern {
            model.freeze(pattern).unwrap();
        }
        let before = parameters(&model);
        let evaluated = model.evaluate(&data).unwrap().loss;
        let trainer = Trainer::new(Sgd::new(1e-3)).batch_size(12);
        let mut training = trainer.start(&mut model, &data).unwrap();
        training.step().unwrap();
        let trained = f64::from(training.losses().unwrap()[0]);
        (evaluated, trained, before, parameters(training.model()))
    };
    let (evaluated, trained, before, after) = losses(None);
    assert!((evaluated - trained).abs() > 1e-2, "{evaluated} {trained}");
    assert_ne!(before["bn1.running_mean"], after["bn1.running_mean"]);
    // The averages alone: γ and β still learn. Then the layer, then all that lies before the head.
    for (pattern, learning) in [
        (
            "bn1.running_*",
            &["bn1.bias", "bn1.weight", "conv1.weight", "linear1.weight"][..],
        ),
        ("bn1", &["conv1.weight", "linear1.weight"]),
        ("conv1", &["linear1.weight"]),
    ] {
        let (evaluated, trained, before, after) = losses(Some(pattern));
        assert!(
            (evaluated - trained).abs() <= 1e-5,
            "{pattern}: {evaluated} {trained}"
        );
        for (name, values) in &before {
            let learns = learning.contains(&name.as_str());
            if !name.ends_with("1.bias") || name.starts_with("bn1") {
                assert_eq!(
                    bits(values) != bits(&after[name]),
                    learns,
                    "{name} with {pattern}"
                );
            }
        }
    }
}
