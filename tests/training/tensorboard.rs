//! Event files of a training, as far as the loop decides; what is in them, `src/report/tensorboard`
//! tests.

use std::fs;
use std::path::{Path, PathBuf};

use wgrad::report::History;
use wgrad::train::{Every, Sgd, TensorBoard, Trainer, on_epoch_end};

use super::setup::{digits, varied};
use crate::support::gpu::device;

fn files(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The lengths of a file's records, which must fill it.
fn records(path: &Path) -> Vec<usize> {
    let bytes = fs::read(path).unwrap();
    let (mut place, mut lengths) = (0, Vec::new());
    while let Some(length) = bytes.get(place..place + 8) {
        let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
        place += 8 + 4 + length + 4;
        lengths.push(length);
    }
    assert_eq!(place, bytes.len());
    lengths
}

/// Records of the file version, the start, and a history, as they lie in a file of their own.
fn expected(folder: &Path, history: &History) -> Vec<usize> {
    let folder = folder.join("expected");
    let _ = fs::remove_dir_all(&folder);
    history.save_events(&folder).unwrap();
    records(&files(&folder)[0])
}

#[test]
fn every_epoch_is_there_at_its_end_and_a_continuation_repeats_all() {
    let Some(device) = device() else { return };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tensorboard");
    let _ = fs::remove_dir_all(&folder);
    let (events, data) = (folder.join("events"), digits(50));
    let mut model = varied().build(device, 1).unwrap();
    let mut train = |epochs: u32| {
        let trainer = Trainer::new(Sgd::new(0.01)).batch_size(10).epochs(epochs);
        let trainer = trainer.checkpoints(folder.join("checkpoints"), Every::Epochs(1));
        let mut seen = Vec::new();
        let look = on_epoch_end(|fit| {
            let newest = files(&events).pop().unwrap();
            seen.push((
                records(&newest).len(),
                expected(&folder, fit.history()).len(),
            ));
            Ok(())
        });
        let watched = TensorBoard::new(&events);
        let run = trainer
            .fit_with(&mut model, &data, &data, (watched, look))
            .unwrap();
        (run.history, seen)
    };
    // With the feature `png`, a picture at the start and one at the end.
    let pictures = if cfg!(feature = "png") { 1 } else { 0 };
    let (history, seen) = train(2);
    assert_eq!(seen.len(), 2);
    for (found, expected) in seen {
        assert_eq!(found, expected + pictures);
    }
    assert_eq!(history.losses().len(), 10);

    let (history, seen) = train(3);
    assert_eq!(seen.len(), 1);
    let files = files(&events);
    assert_eq!(files.len(), 2);
    let all = expected(&folder, &history);
    // Version, start; steps; before the first and after each epoch a layer's mean and histogram;
    // figures.
    assert_eq!(all.len(), 2 + 15 + 4 * 2 + 3 * 5);
    assert_eq!(records(&files[1]).len(), all.len() + 2 * pictures);
}
