//! A network made ready for answering: what is in its plan, and what it answers.

use std::collections::BTreeSet;

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::ops::{BatchNorm, Conv2d, Linear, Rrelu, StochasticDepth};
use wgrad::random::Seed;
use wgrad::train::{Sgd, Trainer};

use super::{gpu, numbers};

const SHAPE: [usize; 3] = [3, 9, 7];
const LEN: usize = 3 * 9 * 7;

/// Everything that training does and answering does not.
fn network() -> Network {
    Network::from_graph(SHAPE, |g, x| {
        let x = g.conv2d(x, Conv2d::new(8, 3).padding(1));
        let x = g.batch_norm(x, BatchNorm::new());
        let x = g.rrelu(x, Rrelu::new(0.1, 0.3));
        let y = g.conv2d(x, Conv2d::new(8, 3).padding(1).bias(false));
        let y = g.batch_norm(y, BatchNorm::new());
        let y = g.stochastic_depth(y, StochasticDepth::new(0.3));
        let x = g.add(x, y);
        let x = g.channel_dropout(x, 0.4);
        let x = g.flatten(x);
        let x = g.linear(x, Linear::new(12));
        let x = g.dropout(x, 0.5);
        g.linear(x, Linear::new(5))
    })
}

fn data(count: usize) -> Dataset {
    let labels = (0..count as u32).map(|i| i % 5).collect();
    Dataset::from_f32(SHAPE, numbers(LEN * count, 1), labels, 5).unwrap()
}

fn shaders(recording: &wgrad::record::Recording) -> BTreeSet<&'static str> {
    recording.commands.iter().map(|c| c.shader.name).collect()
}

#[test]
fn nothing_of_training_is_left_in_the_plan() {
    let Some(device) = gpu::device() else { return };
    let mut model = network().build(device, Seed(2)).unwrap();
    const TRAINING: [&str; 4] = ["dropout", "rrelu", "batch_norm", "batch_norm_partials"];
    let data = data(8);
    let trainer = Trainer::new(Sgd::new(0.1)).batch_size(8);
    let training = trainer.start(&mut model, &data).unwrap();
    let trained = shaders(training.recording());
    for shader in TRAINING {
        assert!(trained.contains(shader), "{shader} is not in {trained:?}");
    }
    drop(training);

    let predictor = model.predictor(&[1, 8]).unwrap();
    for size in [1, 8] {
        let recording = predictor.recording(size).unwrap();
        let found = shaders(recording);
        for shader in &found {
            let word = TRAINING.iter().find(|word| shader.contains(**word));
            assert_eq!(word, None, "{shader} in a batch of {size}");
        }
        assert!(found.contains("leaky_relu"), "{found:?}");
        // Beside the sizes that kernels read.
        let buffers = recording.named.keys().map(String::as_str);
        let buffers = buffers.filter(|name| !recording.data.contains_key(*name));
        let buffers: Vec<&str> = buffers.collect();
        assert_eq!(buffers, ["input", "parameters", "response"]);
    }
    assert!(predictor.recording(2).is_none());
    let left: Vec<&str> = predictor
        .parameters()
        .iter()
        .map(|p| p.name.as_str())
        .filter(|name| name.starts_with("bn"))
        .collect();
    assert_eq!(left, [""; 0]);
}

/// One at a time, in batches that are full or not, and from a data set.
#[test]
fn a_sample_is_answered_alike_in_every_batch() {
    let Some(device) = gpu::device() else { return };
    let model = network().build(device, Seed(2)).unwrap();
    let predictor = model.predictor(&[1, 4, 16]).unwrap();
    let data = data(23);
    let expected: Vec<Vec<f32>> = data
        .iter()
        .map(|sample| model.predict(&sample.unwrap()).unwrap().values().to_vec())
        .collect();
    assert!(expected.iter().flatten().any(|value| value.abs() > 0.1));
    let check = |what: &str, found: &[wgrad::train::Prediction], start: usize| {
        for (i, answer) in found.iter().enumerate() {
            for (a, b) in answer.values().iter().zip(&expected[start + i]) {
                assert!((a - b).abs() <= 1e-5, "{what}, sample {i}: {a}, not {b}");
            }
            assert_eq!(answer.values().len(), 5);
        }
    };
    let samples = numbers(LEN * 23, 1);
    for (start, count) in [(0, 1), (1, 3), (2, 16), (0, 17), (0, 23)] {
        let part = &samples[LEN * start..LEN * (start + count)];
        let found = predictor.predict_batch(part).unwrap();
        assert_eq!(found.len(), count);
        check(&format!("{count} from {start}"), &found, start);
    }
    let found = predictor.predict_dataset(&data).unwrap();
    assert_eq!(found.len(), 23);
    check("the data set", &found, 0);
    let single = predictor.predict(&data.image(9).unwrap()).unwrap();
    check("one sample", &[single], 9);
}

/// The weights are those of the moment.
#[test]
fn training_on_does_not_move_a_predictor() {
    let Some(device) = gpu::device() else { return };
    let mut model = network().build(device, Seed(2)).unwrap();
    let data = data(16);
    let predictor = model.predictor(&[16]).unwrap();
    let before = predictor.predict_dataset(&data).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).batch_size(8).epochs(2);
    trainer.fit(&mut model, &data, &data).unwrap();
    assert_eq!(predictor.predict_dataset(&data).unwrap(), before);
    let after = model.predictor(&[16]).unwrap().predict_dataset(&data);
    assert_ne!(after.unwrap(), before);
}

#[test]
fn answers_have_names() {
    let Some(device) = gpu::device() else { return };
    let model = network().build(device, Seed(2)).unwrap();
    let names = ["ash", "beech", "elm", "lime", "oak"];
    let predictor = model.predictor(&[1]).unwrap().classes(names).unwrap();
    let data = data(3);
    for answer in predictor.predict_dataset(&data).unwrap() {
        let (top, named) = (answer.top(3), answer.top_named(3));
        assert_eq!((top.len(), named.len()), (3, 3));
        for ((class, p), (name, q)) in top.iter().zip(&named) {
            assert_eq!((names[*class], p), (*name, q));
            assert_eq!(answer.name(*class), Some(*name));
        }
        assert!(top[0].1 >= top[1].1 && top[1].1 >= top[2].1);
        assert_eq!(answer.name(5), None);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let Some(device) = gpu::device() else { return };
    let model = network().build(device, Seed(2)).unwrap();
    let text = |error: wgrad::Error| error.to_string();
    for (sizes, found) in [(&[][..], "[]"), (&[4, 0][..], "[4, 0]")] {
        let expected = format!("a predictor needs batch sizes of at least 1, not {found}");
        assert_eq!(text(model.predictor(sizes).unwrap_err()), expected);
    }
    let predictor = model.predictor(&[1]).unwrap();
    let expected = "`sample` holds 189 elements [3, 9, 7], but 190 were given";
    let samples = numbers(LEN + 1, 1);
    assert_eq!(
        text(predictor.predict_batch(&samples).unwrap_err()),
        expected
    );
    // Two samples' worth of numbers are not one sample.
    let wide = Dataset::from_f32([6, 9, 7], numbers(2 * LEN, 1), vec![0], 5).unwrap();
    let expected = "`sample` holds 189 elements [3, 9, 7], but 378 were given";
    assert_eq!(
        text(predictor.predict(&wide.image(0).unwrap()).unwrap_err()),
        expected
    );
    assert_eq!(
        text(model.predict(&wide.image(0).unwrap()).unwrap_err()),
        expected
    );
    assert_eq!(
        text(predictor.predict_dataset(&wide).unwrap_err()),
        "the network's input has shape [3, 9, 7], the data set's [6, 9, 7]"
    );
    assert_eq!(
        text(predictor.classes(["a", "b"]).unwrap_err()),
        "2 names of classes were given for a network of 5 outputs"
    );
}
