//! Mixup and cutmix against a computation in f64 that mixes by the same draws.

use wgrad::data::{Dataset, Targets};
use wgrad::graph::Network;
use wgrad::ops::{MeanSquaredError, SoftmaxCrossEntropy};
use wgrad::random::Seed;
use wgrad::train::{BatchMix, Loss, Sgd, Trainer};

use super::setup::{classified, normal};
use crate::reference::softmax_cross_entropy::Options;
use crate::reference::{Reduction, Tensor, linear, mse, philox};
use crate::support::compare::{Tolerance, compare};
use crate::support::gpu::device;

const BATCH: usize = 7;
const SEED: u64 = 0x0123_4567_89ab_cdef;
const MEAN: Reduction = Reduction::Mean;

/// The rank of each sample's draw among those of the batch.
fn partners(step: u32) -> Vec<usize> {
    let stream = "wgrad.mix".bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(16_777_619)
    });
    let draws: Vec<u32> = (0..BATCH)
        .map(|n| philox::element_word(SEED, step, stream, n))
        .collect();
    let rank = |mine: &u32| draws.iter().filter(|other| *other < mine).count();
    draws.iter().map(rank).collect()
}

/// Rows and columns of a sample; a vector has one of each.
fn extent(shape: &[usize]) -> [usize; 2] {
    match shape {
        [_, height, width] => [*height, *width],
        _ => [1, 1],
    }
}

/// The batch, mixed.
fn mixed(x: &Tensor, partners: &[usize], mix: &BatchMix) -> Tensor {
    let [height, width] = extent(&x.shape[1..]);
    let len = x.data.len() / BATCH;
    let share = f64::from(mix.sample_share);
    let data = (0..x.data.len()).map(|i| {
        let (sample, within) = (i / len, i % len);
        let (row, column) = (within / width % height, within % width);
        let inside =
            |at: usize, [first, end]: [u32; 2]| (first as usize..end as usize).contains(&at);
        let other = x.data[partners[sample] * len + within];
        match inside(row, mix.rows) && inside(column, mix.columns) {
            true => other,
            false => share * x.data[i] + (1.0 - share) * other,
        }
    });
    Tensor::new(&[BATCH, len], data.collect())
}

/// The loss of responses to the batch that begins with sample `first`, and δ of the responses.
fn loss_of(y: &Tensor, data: &Dataset, samples: &[usize], options: &Options) -> (f64, Tensor) {
    match data.targets() {
        Targets::Labels { labels, .. } => {
            let labels: Vec<u32> = samples.iter().map(|&n| labels[n]).collect();
            let loss = options.forward(y, &labels, MEAN);
            (loss, options.grad_logits(y, &labels, MEAN))
        }
        Targets::Values { shape, values } => {
            let len: usize = shape.iter().product();
            let rows = samples.iter().flat_map(|n| &values[n * len..(n + 1) * len]);
            let targets: Vec<f32> = rows.copied().collect();
            let targets = Tensor::from_f32(&y.shape, &targets);
            let loss = mse::forward(y, &targets, MEAN);
            (loss, mse::grad_prediction(y, &targets, MEAN))
        }
        other => panic!("{other:?}"),
    }
}

/// Four steps of a linear network, in the order of the data.
fn check(
    trainer: Trainer,
    loss: impl Into<Loss>,
    options: &Options,
    data: &Dataset,
    outputs: usize,
) {
    check_steps(4, 1, trainer, loss, options, data, outputs);
}

/// So many steps of so many micro-batches each; every batch of the data belongs to a step.
fn check_steps(
    steps: u32,
    group: u32,
    trainer: Trainer,
    loss: impl Into<Loss>,
    options: &Options,
    data: &Dataset,
    outputs: usize,
) {
    let Some(device) = device() else { return };
    let mut net = Network::input(data.shape());
    net.linear(outputs);
    let mut model = net.build(device, 1).unwrap();
    let trainer = trainer
        .loss(loss)
        .seed(Seed(SEED))
        .shuffle(false)
        .batch_size(BATCH)
        .accumulate(group as usize);
    let mut weight = Tensor::from_f32(
        &[outputs, data.sample_len()],
        &model.parameter("linear1.weight").unwrap(),
    );
    let mut bias = Tensor::zeros(&[outputs]);
    model
        .set_parameter("linear1.bias", &vec![0.0; outputs])
        .unwrap();
    let mut training = trainer.start(&mut model, data).unwrap();
    let mut losses = Vec::new();
    let batches = (data.len() / BATCH) as u32;
    for step in 0..steps {
        training.step().unwrap();
        let (mut loss, mut gradients) = (0.0, Vec::new());
        for batch in step * group..(step + 1) * group {
            let first = (batch % batches) as usize * BATCH;
            let samples: Vec<usize> = (first..first + BATCH).collect();
            let indices: Vec<u32> = samples.iter().map(|&n| n as u32).collect();
            let shape = [&[BATCH], data.shape()].concat();
            let x = Tensor::from_f32(&shape, &data.batch(&indices).unwrap());
            let partners = partners(batch);
            let mix = trainer.mix_of_batch(batch.into(), data.shape()).unwrap();
            let x = mixed(&x, &partners, &mix);
            let y = linear::forward(&x, &weight, Some(&bias));
            let others: Vec<usize> = partners.iter().map(|n| first + n).collect();
            let (own, own_delta) = loss_of(&y, data, &samples, options);
            let (other, other_delta) = loss_of(&y, data, &others, options);
            let share = f64::from(mix.label_share);
            loss += (share * own + (1.0 - share) * other) / f64::from(group);
            let delta = own_delta.zip(&other_delta, |a, b| share * a + (1.0 - share) * b);
            gradients.push((linear::grad_weight(&x, &delta), linear::grad_bias(&delta)));
        }
        losses.push(loss);
        let rate = 0.1 / f64::from(group);
        for (of_weight, of_bias) in &gradients {
            weight = weight.zip(of_weight, |w, g| w - rate * g);
            bias = bias.zip(of_bias, |b, g| b - rate * g);
        }
    }
    compare(&training.losses().unwrap(), &losses, Tolerance::F32).unwrap();
    let found = model.parameter("linear1.weight").unwrap();
    compare(&found, &weight.data, Tolerance::F32).unwrap();
    let found = model.parameter("linear1.bias").unwrap();
    compare(&found, &bias.data, Tolerance::F32).unwrap();
}

fn trainer() -> Trainer {
    Trainer::new(Sgd::new(0.1))
}

#[test]
fn mixup_of_images_and_features() {
    let options = Options::default();
    for shape in [&[3, 5, 6][..], &[13]] {
        let data = classified(2 * BATCH, shape, 4);
        let loss = SoftmaxCrossEntropy::new();
        check(trainer().mixup(0.4), loss, &options, &data, 4);
    }
}

#[test]
fn cutmix() {
    let options = Options::default();
    let data = classified(2 * BATCH, &[5, 7, 6], 4);
    check(
        trainer().cutmix(1.0),
        SoftmaxCrossEntropy::new(),
        &options,
        &data,
        4,
    );
}

#[test]
fn both_in_turn_with_a_weighted_loss() {
    let options = Options {
        label_smoothing: 0.25,
        class_weights: Some(vec![0.5, 1.0, 2.0, 4.0]),
        ignored: None,
    };
    let loss = SoftmaxCrossEntropy::new()
        .label_smoothing(0.25)
        .class_weights([0.5, 1.0, 2.0, 4.0]);
    let data = classified(2 * BATCH, &[3, 5, 6], 4);
    check(trainer().mixup(0.4).cutmix(1.0), loss, &options, &data, 4);
}

/// Every micro-batch is mixed in its own way.
#[test]
fn micro_batches() {
    let (loss, options) = (SoftmaxCrossEntropy::new(), Options::default());
    let data = classified(6 * BATCH, &[3, 5, 6], 4);
    let trainer = trainer().mixup(0.4).cutmix(1.0);
    check_steps(4, 3, trainer, loss, &options, &data, 4);
}

/// More steps than the ring of the numbers holds.
#[test]
fn ring_goes_round() {
    let (loss, options) = (SoftmaxCrossEntropy::new(), Options::default());
    let data = classified(3 * BATCH, &[3], 2);
    check_steps(1030, 3, trainer().mixup(0.4), loss, &options, &data, 2);
}

#[test]
fn targets_that_are_numbers() {
    let samples = 2 * BATCH;
    let (values, targets) = (normal(&[samples, 30], 1), normal(&[samples, 3], 2));
    let data = Dataset::regression([5, 2, 3], values, [3], targets).unwrap();
    let loss = MeanSquaredError::new();
    check(trainer().mixup(1.0), loss, &Options::default(), &data, 3);
}

#[test]
fn partners_are_a_permutation() {
    for step in 0..50 {
        let mut found = partners(step);
        found.sort_unstable();
        assert_eq!(found, (0..BATCH).collect::<Vec<_>>());
    }
    assert_ne!(partners(0), partners(1));
}

#[test]
fn what_cannot_be_mixed_is_refused() {
    let Some(device) = device() else { return };
    let error = |trainer: Trainer| {
        let mut net = Network::input([4]);
        net.linear(3);
        let mut model = net.build(device, 1).unwrap();
        let data = classified(6, &[4], 3);
        trainer.start(&mut model, &data).unwrap_err().to_string()
    };
    assert_eq!(
        error(trainer().cutmix(1.0)),
        "cutmix needs images of shape [channels, height, width], the samples have shape [4]"
    );
    for alpha in [0.0, -1.0, f64::NAN] {
        assert_eq!(
            error(trainer().mixup(alpha)),
            format!("the alpha of mixup must be greater than 0, it is {alpha}")
        );
    }
}
