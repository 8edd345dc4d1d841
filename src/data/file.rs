//! Files as streams of bytes, decompressed on the way.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::{DataError, FileFault};

/// The first bytes of a gzip stream (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The bytes of a file as they lie on the disk.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    fs::read(path).map_err(|source| DataError::file(path, FileFault::Read(source)))
}

/// Makes a folder, and those on the way to it.
#[cfg(feature = "download")]
pub(super) fn create_folder(path: &Path) -> Result<(), DataError> {
    fs::create_dir_all(path).map_err(|source| DataError::file(path, FileFault::Write(source)))
}

/// The contents of a file, which may be compressed: that shows in its first bytes, not its name.
///
/// Takes memory for what the file holds, never for what its header announces.
pub(super) struct Contents<'a> {
    path: &'a Path,
    stream: Box<dyn Read + 'a>,
    /// Bytes handed out.
    taken: u64,
}

impl<'a> Contents<'a> {
    /// `path` is for the texts of errors only.
    pub(super) fn new(path: &'a Path, bytes: &'a [u8]) -> Self {
        let stream: Box<dyn Read + 'a> = if bytes.starts_with(&GZIP) {
            Box::new(MultiGzDecoder::new(bytes))
        } else {
            Box::new(bytes)
        };
        Self {
            path,
            stream,
            taken: 0,
        }
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: u64) -> Result<Vec<u8>, DataError> {
        let bytes = self.up_to(count)?;
        let expected = self.taken.saturating_add(count);
        let found = bytes.len() as u64;
        self.taken += found;
        if found < count {
            let found = self.taken;
            return Err(self.error(FileFault::Truncated { expected, found }));
        }
        Ok(bytes)
    }

    /// The next byte, if there is one.
    pub(super) fn next_byte(&mut self) -> Result<Option<u8>, DataError> {
        let byte = self.up_to(1)?.first().copied();
        self.taken += u64::from(byte.is_some());
        Ok(byte)
    }

    /// Up to `count` bytes more; also says whether the stream broke.
    fn up_to(&mut self, count: u64) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        match self.stream.by_ref().take(count).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(broken) => Err(self.error(FileFault::Gzip(broken))),
        }
    }

    /// All that is left.
    #[cfg(feature = "csv")]
    pub(super) fn rest(mut self) -> Result<Vec<u8>, DataError> {
        self.up_to(u64::MAX)
    }

    /// Makes sure that nothing follows, and that the checksum of a compressed file is right.
    pub(super) fn end(mut self) -> Result<(), DataError> {
        if self.up_to(1)?.is_empty() {
            return Ok(());
        }
        let expected = self.taken;
        Err(self.error(FileFault::Trailing { expected }))
    }

    pub(super) fn error(&self, fault: FileFault) -> DataError {
        DataError::file(self.path, fault)
    }
}
