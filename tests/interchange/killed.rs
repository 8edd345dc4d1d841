//! A training whose process is killed goes on from the last step that was saved. (That no moment
//! of writing a file is a bad one is tested with a faster child, beside the code of files.)

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::random::{philox4x32_10, uniform01};
use wgrad::train::{Adam, Model, Trainer};

use super::setup::{Folder, child, digits, is_child};
use crate::gpu::device;

fn setup(device: &wgrad::Device) -> (Trainer, Dataset, Model) {
    let mut net = Network::input([1, 8, 8]);
    net.linear(20).prelu().dropout(0.2).linear(10);
    let trainer = Trainer::new(Adam::new(0.01)).batch_size(10).seed(3);
    (trainer, digits(50), net.build(device, 1).unwrap())
}

/// Goes on, and saves after every step, until it is killed.
fn train_for_ever(file: &Path) {
    let (trainer, data, mut model) = setup(device().unwrap());
    let mut training = match file.exists() {
        true => trainer.resume(&mut model, &data, file).unwrap(),
        false => trainer.start(&mut model, &data).unwrap(),
    };
    loop {
        training.step().unwrap();
        training.save(file).unwrap();
    }
}

#[test]
fn a_killed_training_goes_on_from_its_last_step() {
    if let Some(folder) = is_child() {
        return train_for_ever(&folder.join("training"));
    }
    let Some(device) = device() else { return };
    let folder = Folder::new("killed");
    let file = folder.file("training");
    let (trainer, data, mut model) = setup(device);
    let mut undisturbed = trainer.start(&mut model, &data).unwrap();
    for round in 0..6 {
        let before = std::fs::read(&file).ok();
        let mut training = child("a_killed_training", folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while std::fs::read(&file).ok() == before {
            assert!(
                start.elapsed() < Duration::from_secs(120),
                "the child saves nothing"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        let draw = uniform01(philox4x32_10([round, 0, 0, 0], [11, 0])[0]);
        std::thread::sleep(Duration::from_micros((40_000.0 * draw) as u64));
        training.kill().unwrap();
        training.wait().unwrap();

        let bytes = std::fs::read(&file).unwrap();
        let steps = {
            let (_, _, mut model) = setup(device);
            trainer.resume(&mut model, &data, &file).unwrap().steps()
        };
        assert!(
            steps > undisturbed.steps(),
            "round {round} came to no further step"
        );
        while undisturbed.steps() < steps {
            undisturbed.step().unwrap();
        }
        let expected = pollster::block_on(undisturbed.to_checkpoint_async()).unwrap();
        assert!(bytes == expected, "after {steps} steps the states differ");
    }
}
