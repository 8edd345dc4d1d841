//! What a run remembers: the loss of every step, PReLU slopes, the first filters, its settings.

use wgrad::graph::Network;
use wgrad::random::Seed;
use wgrad::train::{Sgd, Trainer};

use super::gpu;

#[test]
fn a_run_remembers_steps_slopes_and_filters() {
    let Some(device) = gpu::device() else { return };
    let (train, test) = wgrad::data::digits().split(0.1, Seed(1));
    let mut net = Network::input([1, 8, 8]);
    net.conv(4, 3).prelu().conv(6, 3).shared_prelu().linear(10);
    let mut model = net.build(device, Seed(2)).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).epochs(2).batch_size(50);
    let run = trainer
        .progress(false)
        .fit(&mut model, &train, &test)
        .unwrap();

    let steps: Vec<u64> = run.history.losses().iter().map(|s| s.step).collect();
    assert_eq!(steps, (1..=6).collect::<Vec<u64>>());
    let first: f64 = run.history.losses()[..3]
        .iter()
        .map(|s| f64::from(s.loss))
        .sum();
    assert_eq!(run.history.epochs()[0].train_loss, first / 3.0);

    let slopes = run.history.slopes();
    let seen: Vec<_> = slopes
        .iter()
        .map(|of| (of.epoch, of.step, of.slopes.len()))
        .collect();
    // Four slopes, and one that is shared: before the first epoch and after each.
    let expected = [0, 1, 2].map(|epoch| {
        [
            (epoch, 3 * u64::from(epoch), 4),
            (epoch, 3 * u64::from(epoch), 1),
        ]
    });
    assert_eq!(seen, expected.concat());
    assert_eq!(slopes[0].slopes, [0.25; 4]);
    assert_ne!(slopes[2].slopes, slopes[0].slopes);
    assert_eq!(slopes[4].layer, "prelu1");
    assert_eq!(slopes[4].slopes, model.parameter("prelu1.weight").unwrap());

    let page = run.report("digits").html().unwrap();
    if let Some(path) = std::env::var_os("WGRAD_TEST_REPORT") {
        std::fs::write(path, &page).unwrap();
    }
    // Curves, rates, slopes, confusions, filters.
    assert_eq!(page.matches("<svg").count(), 5);

    let filters = run.filters.unwrap();
    assert_eq!((filters.layer(), filters.shape()), ("conv1", [4, 1, 3, 3]));
    let weights = model.parameter("conv1.weight").unwrap();
    assert_eq!(filters.filter(3), &weights[27..]);
    assert!(run.network.contains("prelu2"));
    let batch = ("batch size".to_owned(), "50".to_owned());
    assert!(run.settings.contains(&batch), "{:?}", run.settings);
}
