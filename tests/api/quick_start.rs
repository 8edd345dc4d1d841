//! The first example of the documentation, with fewer epochs.

use wgrad::prelude::*;

use super::gpu;

#[test]
fn a_network_learns_the_digits() {
    let Some(device) = gpu::device() else { return };
    let (train, test) = wgrad::data::digits().split(0.8, Seed(7));
    let mut net = Network::input([1, 8, 8]);
    net.conv(8, 3)
        .padding(1)
        .prelu()
        .max_pool(2)
        .conv(16, 3)
        .padding(1)
        .prelu()
        .max_pool(2)
        .linear(10);
    let mut model = net.build(device, Seed(42)).unwrap();
    let run = Trainer::new(Sgd::new(0.05).momentum(0.9))
        .epochs(4)
        .batch_size(32)
        .progress(false)
        .fit(&mut model, &train, &test)
        .unwrap();

    let epochs = run.history.epochs();
    assert_eq!(epochs.len(), 4);
    let loss = |i: usize| epochs[i].train_loss;
    assert!(loss(3) < 0.3 * loss(0), "{} to {}", loss(0), loss(3));
    let table = run.to_string();
    assert!(table.contains(&device.description().name), "{table}");
    assert!(table.contains("ms per step"), "{table}");

    let evaluation = model.evaluate(&test).unwrap();
    assert_eq!(run.evaluation.unwrap().accuracy, evaluation.accuracy);
    let accuracy = evaluation.accuracy.unwrap();
    assert!(accuracy > 0.93, "{accuracy}");

    let right = (0..test.len()).filter(|&i| {
        let image = test.image(i).unwrap();
        let answer = model.predict(&image).unwrap();
        let probability: f32 = answer.probabilities().iter().sum();
        assert!((probability - 1.0).abs() < 1e-5);
        let best = answer.top(3)[0].0;
        assert_eq!(best, answer.top1());
        image.label() == Some(best as u32)
    });
    let share = right.count() as f64 / test.len() as f64;
    assert!((share - accuracy).abs() < 1e-9, "{share} and {accuracy}");
}

/// Two runs of one seed end with the same bits; another seed ends elsewhere.
#[test]
fn a_training_repeats_bit_for_bit() {
    let Some(device) = gpu::device() else { return };
    let (train, test) = wgrad::data::digits().split(0.2, Seed(7));
    let mut net = Network::input([1, 8, 8]);
    net.conv(5, 3).prelu().dropout(0.3).linear(10);
    let outcome = |seed: u64| {
        let mut model = net.build(device, Seed(1)).unwrap();
        Trainer::new(Adam::new(1e-2))
            .epochs(2)
            .batch_size(30)
            .seed(seed)
            .progress(false)
            .fit(&mut model, &train, &test)
            .unwrap();
        model.parameter("linear1.weight").unwrap()
    };
    let first = outcome(3);
    assert_eq!(first, outcome(3));
    assert_ne!(first, outcome(4));
}
