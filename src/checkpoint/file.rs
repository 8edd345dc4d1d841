//! Files that are replaced whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::CheckpointError;

/// The contents of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    fs::read(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => CheckpointError::Missing {
            path: path.to_owned(),
        },
        _ => CheckpointError::Read {
            path: path.to_owned(),
            source,
        },
    })
}

/// Puts a file of these contents at `path`. Readers see the old file or the new one, also after
/// a crash of the process or of the machine.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> Result<(), CheckpointError> {
    try_replace(path, contents).map_err(|source| match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => CheckpointError::DiskFull {
            path: path.to_owned(),
            bytes: contents.len(),
        },
        _ => CheckpointError::Write {
            path: path.to_owned(),
            source,
        },
    })
}

/// As [`replace`], with the system's own error.
pub(crate) fn try_replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut temporary = Temporary::create(path)?;
    temporary.file.write_all(contents)?;
    // Before the rename, or a crash of the machine could leave the name with an empty file.
    temporary.file.sync_all()?;
    temporary.rename(path)?;
    sync_folder(path)
}

/// A file beside its final place, deleted unless it gets there.
struct Temporary {
    file: File,
    path: PathBuf,
    renamed: bool,
}

impl Temporary {
    fn create(target: &Path) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let prefix = prefix(target)?;
        sweep(target, &prefix);
        loop {
            // Several threads or processes may save to one path: the last one wins.
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let mut name = prefix.clone();
            name.push(format!("{}-{count}{SUFFIX}", std::process::id()));
            let path = folder(target).join(name);
            let file = File::create(&path)?;
            // The lock says that the writer lives. Another's sweep may have come before it.
            let swept = match file.try_lock() {
                Ok(()) => !path.exists(),
                Err(TryLockError::WouldBlock) => true,
                // A file system without locks; then nothing is swept.
                Err(TryLockError::Error(_)) => false,
            };
            if !swept {
                return Ok(Self {
                    file,
                    path,
                    renamed: false,
                });
            }
        }
    }

    fn rename(&mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // The error that led here is the one to tell.
            let _ = fs::remove_file(&self.path);
        }
    }
}

const SUFFIX: &str = ".tmp";

/// How the temporaries of a file begin: hidden, with the file's name.
fn prefix(target: &Path) -> io::Result<OsString> {
    let name = target
        .file_name()
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the path names no file"))?;
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    Ok(prefix)
}

fn folder(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Deletes what killed processes left of earlier attempts: temporaries that nobody has locked.
/// What cannot be listed, locked or deleted stays; it does no harm but take room.
fn sweep(target: &Path, prefix: &OsString) {
    let Ok(entries) = fs::read_dir(folder(target)) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        let is_temporary =
            name.starts_with(prefix.as_encoded_bytes()) && name.ends_with(SUFFIX.as_bytes());
        if is_temporary
            && let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes the rename last, where folders can be synced.
fn sync_folder(target: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(folder(target))?.sync_all(),
        false => Ok(()),
    }
}
