//! Files out of an archive.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::Path;

use flate2::read::GzDecoder;
use tar::Archive;

use super::super::{DataError, FileFault};
use super::catalogue::Remote;

/// Takes the wanted members out of an archive in `folder`, if it is there, and deletes it then.
///
/// Members are found by the last part of their path, and nothing is written but files of these
/// names in `folder`. Each gets its name when it is whole.
pub(super) fn unpack(folder: &Path, archive: &Remote) -> Result<(), DataError> {
    let path = folder.join(archive.name);
    if !path.is_file() {
        return Ok(());
    }
    let broken = |source| DataError::file(&path, FileFault::Gzip(source));
    let file =
        File::open(&path).map_err(|source| DataError::file(&path, FileFault::Read(source)))?;
    let mut tar = Archive::new(GzDecoder::new(BufReader::new(file)));
    let mut missing = archive.members.to_vec();
    for entry in tar.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let member = {
            let path = entry.path().map_err(broken)?;
            let name = path.file_name();
            missing
                .iter()
                .position(|member| name == Some((*member).as_ref()))
        };
        if let Some(member) = member {
            let target = folder.join(missing.swap_remove(member));
            let part = target.with_extension("part");
            let mut out = File::create(&part)
                .map_err(|source| DataError::file(&part, FileFault::Write(source)))?;
            io::copy(&mut entry, &mut out).map_err(broken)?;
            fs::rename(&part, &target)
                .map_err(|source| DataError::file(&target, FileFault::Write(source)))?;
        }
    }
    if let Some(member) = missing.first() {
        let lost = io::Error::new(io::ErrorKind::NotFound, "the archive lacks it");
        return Err(DataError::file(folder.join(member), FileFault::Read(lost)));
    }
    fs::remove_file(&path).map_err(|source| DataError::file(&path, FileFault::Write(source)))
}
