//! Data sets that come to the device window by window train as those that lie there.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use wgrad::data::{Augment, Classes, DataError, Dataset, Loading, Source, Target};
use wgrad::graph::Network;
use wgrad::ops::MeanSquaredError;
use wgrad::train::{Adam, End, Every, Sgd, Trainer};
use wgrad::{Device, Error};

use super::setup::{assert_same, bits, digits, normal, parameters, varied};
use crate::support::gpu::device;

type Learned = (BTreeMap<String, Vec<f32>>, Vec<u32>);

/// What is learned in so many steps, and the losses.
fn train(device: &Device, net: &Network, trainer: &Trainer, data: &Dataset, steps: u64) -> Learned {
    let mut model = net.build(device, 3).unwrap();
    let mut training = trainer.start(&mut model, data).unwrap();
    for _ in 0..steps {
        training.step().unwrap();
    }
    let losses = bits(&training.losses().unwrap());
    (parameters(&model), losses)
}

/// Limits with which 5 steps of 24 digits (68 bytes with their label) make an epoch of 5, 3, 2 and
/// 1 windows, whose last has fewer steps than the others.
const LIMITS: [u64; 4] = [0, 2 * 24 * 68, 4 * 24 * 68 - 1, 5 * 24 * 68];

/// Shuffled or not, augmented, mixed, several micro-batches a step, samples left over: three epochs
/// and a step.
#[test]
fn streaming_changes_no_bit() {
    let Some(device) = device() else { return };
    let data = digits(130).normalised();
    for shuffle in [true, false] {
        let trainer = || {
            Trainer::new(Adam::new(1e-3))
                .batch_size(8)
                .accumulate(3)
                .augment(Augment::new().crop(2).brightness(0.3))
                .mixup(0.3)
                .shuffle(shuffle)
                .seed(5)
        };
        let resident = train(device, &varied(), &trainer(), &data, 16);
        for limit in LIMITS {
            let trainer = trainer().resident_limit(limit);
            let streamed = train(device, &varied(), &trainer, &data, 16);
            assert_eq!(streamed.1, resident.1, "losses with {limit} bytes");
            assert_same(&streamed.0, &resident.0);
        }
    }
}

/// Floats as samples, and as answers.
#[test]
fn streamed_targets_belong_to_their_samples() {
    let Some(device) = device() else { return };
    let data = Dataset::regression([3], normal(&[30, 3], 1), [2], normal(&[30, 2], 2)).unwrap();
    let mut net = Network::input(3);
    net.linear(5).relu().linear(2);
    let trainer = || {
        Trainer::new(Sgd::new(0.1))
            .batch_size(4)
            .loss(MeanSquaredError::new())
    };
    let resident = train(device, &net, &trainer(), &data, 20);
    let streamed = train(device, &net, &trainer().resident_limit(100), &data, 20);
    assert_eq!(streamed.1, resident.1);
    assert_same(&streamed.0, &resident.0);
}

/// Every step may be the last before a checkpoint, and either way of holding the samples goes on
/// with what the other saved.
#[test]
fn checkpoints_go_on_either_way() {
    let Some(device) = device() else { return };
    let data = digits(50);
    let mut net = Network::input([1, 8, 8]);
    net.linear(6).prelu().dropout(0.2).linear(10);
    let trainer = |limit: u64| {
        let trainer = Trainer::new(Sgd::new(0.1).momentum(0.9)).batch_size(6);
        trainer.accumulate(2).resident_limit(limit).seed(3)
    };
    let (resident, streamed) = (trainer(u64::MAX), trainer(2 * 12 * 68));
    let expected = train(device, &net, &resident, &data, 9);
    for stop in 0..9 {
        let [before, after] = match stop % 3 {
            0 => [&streamed, &streamed],
            1 => [&streamed, &resident],
            _ => [&resident, &streamed],
        };
        let mut model = net.build(device, 3).unwrap();
        let mut training = before.start(&mut model, &data).unwrap();
        (0..stop).for_each(|_| training.step().unwrap());
        let bytes = pollster::block_on(training.to_checkpoint_async()).unwrap();
        let mut model = net.build(device, 4).unwrap();
        let resumed = after.resume_async(&mut model, &data, &bytes);
        let mut training = pollster::block_on(resumed).unwrap();
        (stop..9).for_each(|_| training.step().unwrap());
        let losses = bits(&training.losses().unwrap());
        assert_eq!(losses, expected.1[stop..], "after {stop} steps");
        assert_same(&parameters(&model), &expected.0);
    }
}

/// A step that is not finite lies behind windows that the device no longer holds.
#[test]
fn the_failed_step_is_found_again() {
    let Some(device) = device() else { return };
    let mut values = normal(&[40, 4], 1);
    values[4 * 13] = 3e38;
    let labels = (0..40).map(|i| i % 2).collect();
    let data = Dataset::from_f32([4], values, labels, 2).unwrap();
    let mut net = Network::input(4);
    net.linear(3).linear(2);
    let trainer = Trainer::new(Sgd::new(1.0)).batch_size(4).shuffle(false);
    let text = |trainer: &Trainer| {
        let mut model = net.build(device, 1).unwrap();
        let mut training = trainer.start(&mut model, &data).unwrap();
        (0..9).for_each(|_| training.step().unwrap());
        let error = training.losses().unwrap_err();
        assert!(matches!(error, Error::NonFinite { step: 3, .. }), "{error}");
        error.to_string()
    };
    let resident = text(&trainer);
    assert_eq!(text(&trainer.resident_limit(0)), resident);
}

/// The digits, read one by one as from a slow disk, until one is gone.
struct Disk {
    data: Dataset,
    gone: Arc<AtomicBool>,
    read: Arc<AtomicUsize>,
}

impl Source for Disk {
    type Element = u8;

    fn len(&self) -> usize {
        self.data.len()
    }
    fn shape(&self) -> Vec<usize> {
        self.data.shape().to_vec()
    }
    fn classes(&self) -> Option<Classes> {
        self.data.classes().cloned()
    }
    fn read(&self, index: usize, out: &mut [u8]) -> Result<Target, DataError> {
        self.read.fetch_add(1, Ordering::Relaxed);
        if index == 17 && self.gone.load(Ordering::Relaxed) {
            return Err(DataError::in_sample(index, "gone"));
        }
        let sample = self.data.image(index)?;
        let bytes = sample.values().iter().map(|value| (255.0 * value) as u8);
        out.iter_mut()
            .zip(bytes)
            .for_each(|(place, byte)| *place = byte);
        Ok(Target::Label(sample.label().unwrap()))
    }
}

fn disk(count: usize) -> (Disk, Arc<AtomicBool>, Arc<AtomicUsize>) {
    let disk = Disk {
        data: digits(count),
        gone: Arc::default(),
        read: Arc::default(),
    };
    let (gone, read) = (disk.gone.clone(), disk.read.clone());
    (disk, gone, read)
}

/// Whatever the number of workers.
#[test]
fn samples_that_stay_on_disk_train_to_the_same_bits() {
    let Some(device) = device() else { return };
    let loaded = Loading::new().load(&disk(130).0).unwrap().data.normalised();
    let (train_set, test_set) = loaded.split(0.8, 1.into());
    let trainer = || {
        Trainer::new(Adam::new(1e-3))
            .batch_size(8)
            .epochs(2)
            .seed(5)
    };
    let fit = |trainer: Trainer, train: &Dataset, test: &Dataset| {
        let mut model = varied().build(device, 3).unwrap();
        let run = trainer
            .progress(false)
            .fit(&mut model, train, test)
            .unwrap();
        let figures = run
            .history
            .epochs()
            .iter()
            .map(|e| (e.train_loss, e.test_loss));
        (figures.collect::<Vec<_>>(), parameters(&model))
    };
    let expected = fit(trainer(), &train_set, &test_set);
    for workers in [1, 3] {
        let (disk, _, read) = disk(130);
        let streamed = Loading::new()
            .workers(workers)
            .stream(disk)
            .unwrap()
            .data
            .normalised();
        assert_eq!(streamed.normalisation(), loaded.normalisation());
        let (train_set, test_set) = streamed.split(0.8, 1.into());
        assert_eq!(read.load(Ordering::Relaxed), 130, "only once so far");
        let found = fit(trainer().resident_limit(2000), &train_set, &test_set);
        assert_eq!(found.0, expected.0);
        assert_same(&found.1, &expected.1);
    }
}

/// A folder that is deleted with the value.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The error is typed, what came before it is in a checkpoint, and the training goes on from there to
/// the same end once the sample is back.
#[test]
fn a_sample_that_vanishes_loses_nothing() {
    let Some(device) = device() else { return };
    let test = digits(20).with_scale(1.0 / 255.0).unwrap();
    let folder =
        Folder(std::env::temp_dir().join(format!("wgrad-vanishes-{}", std::process::id())));
    let trainer = Trainer::new(Sgd::new(0.1))
        .batch_size(8)
        .epochs(3)
        .progress(false);
    let trainer = trainer.resident_limit(0).shuffle(false);
    let (disk, gone, _) = disk(60);
    let data = Loading::new().stream(disk).unwrap().data;
    let mut model = varied().build(device, 3).unwrap();
    trainer.fit(&mut model, &data, &test).unwrap();
    let expected = parameters(&model);

    let trainer = trainer.checkpoints(folder.0.as_path(), Every::Epochs(100));
    let mut model = varied().build(device, 3).unwrap();
    gone.store(true, Ordering::Relaxed);
    // Sample 17 is of the third step.
    let failure = trainer.fit(&mut model, &data, &test).unwrap_err();
    assert!(
        matches!(
            *failure.error,
            Error::Data(DataError::Source { index: 17, .. })
        ),
        "{failure}"
    );
    assert_eq!(failure.error.to_string(), "sample 17: gone");
    assert_eq!((failure.run.steps, failure.run.unrecorded.len()), (2, 2));
    assert!(failure.run.checkpoint.is_some());

    gone.store(false, Ordering::Relaxed);
    let run = trainer.fit(&mut model, &data, &test).unwrap();
    assert_eq!((run.resumed, run.end), (Some(2), End::Finished));
    assert_same(&parameters(&model), &expected);
}

/// A step that found no samples may be taken again.
#[test]
fn a_failed_step_can_be_repeated() {
    let Some(device) = device() else { return };
    let (disk, gone, _) = disk(60);
    let data = Loading::new().stream(disk).unwrap().data;
    let trainer = Trainer::new(Sgd::new(0.1)).batch_size(5).accumulate(2);
    let trainer = trainer.resident_limit(0).shuffle(false);
    let expected = train(device, &varied(), &trainer, &data, 6);
    let mut model = varied().build(device, 3).unwrap();
    let mut training = trainer.start(&mut model, &data).unwrap();
    // Sample 17 is of the second step, which is read while the first is computed.
    gone.store(true, Ordering::Relaxed);
    training.step().unwrap();
    for _ in 0..3 {
        let error = training.step().unwrap_err();
        assert_eq!(error.to_string(), "sample 17: gone");
    }
    assert_eq!(training.steps(), 1);
    gone.store(false, Ordering::Relaxed);
    (1..6).for_each(|_| training.step().unwrap());
    assert_eq!(bits(&training.losses().unwrap()), expected.1);
    assert_same(&parameters(&model), &expected.0);
}

/// The thread that reads ahead waits for the device: one window there, one ready.
#[test]
fn two_windows_are_held_at_most() {
    let Some(device) = device() else { return };
    let (disk, _, read) = disk(60);
    let data = Loading::new().stream(disk).unwrap().data;
    let trainer = Trainer::new(Sgd::new(0.1)).batch_size(5).resident_limit(0);
    let mut model = varied().build(device, 3).unwrap();
    let mut training = trainer.start(&mut model, &data).unwrap();
    for step in 1..=4 {
        training.step().unwrap();
        training.losses().unwrap();
        let windows = read.load(Ordering::Relaxed) - 60;
        assert!((5 * step..=5 * (step + 1)).contains(&windows), "{windows}");
    }
}

/// Where buffers may have 128 MiB, this set has more.
#[test]
fn a_set_larger_than_a_buffer_is_streamed() {
    let Some(device) = device() else { return };
    let data = Dataset::images_u8([1, 1024, 1024], vec![1; 130 << 20], vec![0; 130], 2).unwrap();
    let mut net = Network::input([1, 1024, 1024]);
    net.global_mean_pool().linear(2);
    let trainer = Trainer::new(Sgd::new(0.1)).batch_size(2);
    let mut model = net.build(device, 3).unwrap();
    let mut training = trainer.start(&mut model, &data).unwrap();
    training.step().unwrap();
    training.step().unwrap();
    let losses = training.losses().unwrap();
    assert!(losses[1] < losses[0], "{losses:?}");
}
