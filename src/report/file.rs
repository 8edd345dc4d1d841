//! Reports as files.

use std::fs;
use std::path::Path;

use super::ReportError;
use crate::checkpoint;

/// Puts a file of these contents at `path`, whole or not at all; makes the folders on the way.
pub(super) fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<(), ReportError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    // Relative names have an empty parent, which is there.
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    fs::create_dir_all(folder)
        .and_then(|()| checkpoint::try_replace(path, contents.as_ref()))
        .map_err(|source| ReportError::Write {
            path: path.to_owned(),
            source,
        })
}

pub(super) fn read(path: &Path) -> Result<String, ReportError> {
    fs::read_to_string(path).map_err(|source| ReportError::Read {
        path: path.to_owned(),
        source,
    })
}
