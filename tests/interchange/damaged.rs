//! Files that are missing, cut, changed, or of another kind.

use std::fs;

use wgrad::Error;
use wgrad::checkpoint::{CheckpointError, LoadOptions};
use wgrad::graph::Network;
use wgrad::train::Model;

use super::setup::{Folder, scramble};
use crate::gpu::device;

/// A small model and its file.
fn small(device: &wgrad::Device) -> (Model, Vec<u8>) {
    let mut net = Network::input(2);
    net.linear(2);
    let mut model = net.build(device, 0).unwrap();
    scramble(&mut model);
    let bytes = pollster::block_on(model.to_safetensors_async()).unwrap();
    (model, bytes)
}

fn refusal(model: &mut Model, bytes: &[u8]) -> CheckpointError {
    match model.load_safetensors(bytes, &LoadOptions::new()) {
        Err(Error::Checkpoint(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_missing_file_is_named() {
    let Some(device) = device() else { return };
    let folder = Folder::new("missing");
    let path = folder.file("nothing.safetensors");
    let (mut model, _) = small(device);
    let error = model.load(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("there is no file {}", path.display())
    );
    assert!(matches!(
        error,
        Error::Checkpoint(CheckpointError::Missing { .. })
    ));
    let error = model.load(folder.path()).unwrap_err();
    assert!(
        matches!(error, Error::Checkpoint(CheckpointError::Read { .. })),
        "{error}"
    );
}

#[test]
fn every_cut_file_is_truncated() {
    let Some(device) = device() else { return };
    let (mut model, bytes) = small(device);
    for len in 0..bytes.len() {
        let error = refusal(&mut model, &bytes[..len]);
        assert!(
            matches!(error, CheckpointError::Truncated { .. }),
            "{len} bytes: {error}"
        );
    }
    let cut = refusal(&mut model, &bytes[..bytes.len() - 4]);
    assert_eq!(
        cut.to_string(),
        "the buffer is truncated: its tensors have 24 bytes, 20 are there"
    );
    let mut longer = bytes.clone();
    longer.push(0);
    let error = refusal(&mut model, &longer);
    assert_eq!(
        error.to_string(),
        "the buffer is corrupted: 1 bytes are too many"
    );
}

/// A changed byte is told, or changes nothing that is loaded.
#[test]
fn no_changed_byte_goes_unnoticed() {
    let Some(device) = device() else { return };
    let (mut model, bytes) = small(device);
    let read =
        |model: &Model| ["linear1.weight", "linear1.bias"].map(|n| model.parameter(n).unwrap());
    let good = read(&model);
    let (mut refused, data) = (0, bytes.len() - 24);
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        match model.load_safetensors(&changed, &LoadOptions::new()) {
            Err(Error::Checkpoint(error)) => {
                refused += 1;
                let corrupted = matches!(error, CheckpointError::Corrupted { .. });
                assert!(corrupted || place < data, "byte {place}: {error}");
            }
            // The header's key of the checksum, or blanks behind the header.
            Ok(_) => assert_eq!(read(&model), good, "byte {place}"),
            Err(error) => panic!("byte {place}: {error}"),
        }
    }
    assert!(
        10 * refused > 9 * bytes.len(),
        "{refused} of {} refused",
        bytes.len()
    );
}

#[test]
fn files_of_other_kinds_are_foreign() {
    let Some(device) = device() else { return };
    let (mut model, bytes) = small(device);
    for contents in [
        &b"PK\x03\x04 what torch.save writes"[..],
        b"\x80\x02} a pickle",
        b"\x89HDF\r\n\x1a\n an older Keras",
        b"layer {\n  name: \"conv1\"\n}",
    ] {
        let error = refusal(&mut model, contents);
        assert!(matches!(error, CheckpointError::Foreign { .. }), "{error}");
    }
    let zip = refusal(&mut model, b"PK\x03\x04 and so on");
    assert_eq!(
        zip.to_string(),
        "the buffer is not a safetensors file: it looks like a zip archive, such as \
         `torch.save` writes; save it with `safetensors`"
    );
    // A header that is no JSON, of a length that fits.
    let mut broken = bytes.clone();
    broken[9] = b'}';
    assert!(matches!(
        refusal(&mut model, &broken),
        CheckpointError::Corrupted { .. }
    ));
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let Some(device) = device() else { return };
    let folder = Folder::new("unwritable");
    let path = folder.file("no").join("model.safetensors");
    let error = small(device).0.save(&path).unwrap_err();
    assert!(
        matches!(error, Error::Checkpoint(CheckpointError::Write { .. })),
        "{error}"
    );
    assert!(
        error.to_string().contains(&path.display().to_string()),
        "{error}"
    );
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
}
