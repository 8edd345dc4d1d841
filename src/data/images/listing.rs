//! What lies in the folders, in an order that does not depend on the file system.

use std::fs;
use std::path::{Path, PathBuf};

use super::{DataError, FileFault};

/// How deep folders may lie in each other: a symbolic link can close a circle.
const DEPTH: usize = 32;

/// The names of the folders in `root`, sorted.
pub(super) fn classes(root: &Path) -> Result<Vec<String>, DataError> {
    let mut names = Vec::new();
    for path in entries(root)? {
        if path.is_dir() {
            let name = path.file_name().and_then(|name| name.to_str());
            // A class needs a name that can be shown.
            let Some(name) = name else {
                return Err(DataError::file(path, FileFault::Name));
            };
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// The images in `folder` and below it, sorted by path.
pub(super) fn images(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut found = Vec::new();
    collect(folder, DEPTH, &mut found)?;
    Ok(found)
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), DataError> {
    for path in entries(folder)? {
        if !path.is_dir() {
            if is_image(&path) {
                found.push(path);
            }
        } else if depth > 0 {
            collect(&path, depth - 1, found)?;
        } else {
            return Err(DataError::file(path, FileFault::TooDeep));
        }
    }
    Ok(())
}

/// What a folder holds, sorted, without names that begin with a dot.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |source| DataError::file(folder, FileFault::Read(source));
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| {
        ["png", "jpg", "jpeg"]
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}
