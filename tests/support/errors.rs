//! Keeps how close the device came to the references, for the table of operators
//! (`cargo xtask operators`).

#![allow(
    dead_code,
    reason = "a test binary that shares this file uses only part of it"
)]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Once;

use wgrad::Device;

use super::compare::Measured;

/// Names a folder to keep the errors of a run in; nothing is kept without.
pub const VARIABLE: &str = "WGRAD_PARITY_ERRORS";
/// In that folder: the device's description.
pub const DEVICE: &str = "device.txt";
/// In that folder: a line for each comparison, [`line`].
pub const ERRORS: &str = "errors.txt";

fn folder() -> Option<PathBuf> {
    Some(PathBuf::from(std::env::var_os(VARIABLE)?))
}

/// What is kept of a comparison: whose it is, the error of the whole, and the worst element's.
fn line(stem: &str, measured: Measured) -> String {
    format!("{stem} {:e} {:e}\n", measured.relative, measured.element)
}

/// Keeps a comparison that a file of `tests/ops/` made.
pub fn keep(caller: &str, name: &str, measured: Measured) {
    let Some(folder) = folder() else { return };
    let file = Path::new(caller);
    if !file.parent().is_some_and(|folder| folder.ends_with("ops")) {
        return;
    }
    let stem = match file.file_stem().and_then(|stem| stem.to_str()) {
        // One file for many: the name of what was compared ends in the operator's.
        Some("unary") => name.split(' ').next_back(),
        stem => stem,
    };
    append(&folder, ERRORS, &line(stem.unwrap_or(name), measured));
}

/// Keeps which device it is, once.
pub fn keep_device(device: &Device) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Some(folder) = folder() {
            append(&folder, DEVICE, &format!("{}\n", device.description()));
        }
    });
}

fn append(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    let opened = OpenOptions::new().create(true).append(true).open(&path);
    // One write a line: tests on several threads do not mix theirs.
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
