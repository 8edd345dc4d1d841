//! Several threads ask one model: each gets what it would get alone, to the bit.

use std::thread;

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::random::Seed;
use wgrad::train::{Model, Predictor};

use super::{gpu, numbers};

const SHAPE: [usize; 3] = [1, 8, 8];
const LEN: usize = 64;
const THREADS: usize = 8;
const ROUNDS: usize = 12;

fn model(device: &wgrad::Device) -> Model {
    let mut net = Network::input(SHAPE);
    net.conv(8, 3).batch_norm().relu().linear(6);
    net.build(device, Seed(5)).unwrap()
}

/// Samples of one thread, and how many: one, some, more than a batch.
fn samples(thread: usize) -> Vec<f32> {
    numbers(LEN * [1, 3, 70][thread % 3], thread as u32)
}

/// What `ask` answers every thread alone and all of them at the same time.
fn check<T: PartialEq + std::fmt::Debug + Send>(ask: impl Fn(usize) -> T + Sync) {
    let alone: Vec<T> = (0..THREADS).map(&ask).collect();
    assert!(alone[0] != alone[3], "the threads ask different things");
    thread::scope(|scope| {
        let ask = &ask;
        let rounds = |number| move || (0..ROUNDS).map(|_| ask(number)).collect::<Vec<T>>();
        let threads: Vec<_> = (0..THREADS)
            .map(|number| scope.spawn(rounds(number)))
            .collect();
        for (thread, expected) in threads.into_iter().zip(&alone) {
            for answer in thread.join().unwrap() {
                assert_eq!(&answer, expected);
            }
        }
    });
}

#[test]
fn a_predictor_answers_many_threads() {
    let Some(device) = gpu::device() else { return };
    let predictor = model(device).predictor(&[1, 16]).unwrap();
    check(|thread| predictor.predict_batch(&samples(thread)).unwrap());
}

#[test]
fn a_model_answers_many_threads() {
    let Some(device) = gpu::device() else { return };
    let model = model(device);
    check(|thread| model.predict_batch(&samples(thread)).unwrap());
}

/// With 300 samples each, which is more than one batch of an evaluation.
#[test]
fn a_model_is_evaluated_by_many_threads() {
    let Some(device) = gpu::device() else { return };
    let model = model(device);
    let data: Vec<Dataset> = (0..THREADS)
        .map(|thread| {
            let labels = (0..300).map(|i| (i * i + thread as u32) % 6).collect();
            Dataset::from_f32(SHAPE, numbers(LEN * 300, thread as u32), labels, 6).unwrap()
        })
        .collect();
    check(|thread| {
        let evaluation = model.evaluate(&data[thread]).unwrap();
        let confusion = evaluation.confusion.clone();
        (evaluation.loss.to_bits(), evaluation.top_k(2), confusion)
    });
}

/// The plans do not exist yet when all threads ask for them.
#[test]
fn threads_may_be_the_first_to_ask() {
    let Some(device) = gpu::device() else { return };
    let (first, second) = (model(device), model(device));
    let expected = first.predict_batch(&samples(1)).unwrap();
    let found: Vec<_> = thread::scope(|scope| {
        let ask = || second.predict_batch(&samples(1)).unwrap();
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(found, vec![expected; THREADS]);
}

/// Checked by the compiler: what may go to another thread, and futures that an executor with
/// several threads may move.
#[test]
fn models_predictors_and_their_futures_may_move_between_threads() {
    fn shared<T: Send + Sync>() {}
    fn movable<T: Send>(_: &T) {}
    shared::<Model>();
    shared::<Predictor>();
    let Some(device) = gpu::device() else { return };
    let model = model(device);
    let asked = samples(0);
    let predictor = model.predictor(&[1]).unwrap();
    let answer = predictor.predict_batch_async(&asked);
    movable(&answer);
    assert_eq!(pollster::block_on(answer).unwrap().len(), 1);
}
