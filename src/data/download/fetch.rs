//! One file, from the first mirror that has it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;

use super::super::{DataError, FailedAttempt, FetchFault, FileFault};
use super::catalogue::Remote;

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(60);

pub(super) fn config() -> ConfigBuilder<AgentScope> {
    Agent::config_builder()
        .timeout_connect(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        // A status is looked at, not an error by itself.
        .http_status_as_error(false)
}

/// Fetches `file` into `folder`.
///
/// What has arrived lies in a file with `.part` behind its name until it is whole and its checksum
/// is right. That file is locked, so that two programs do not write to it at once.
pub(super) fn fetch(
    agent: &Agent,
    file: &Remote,
    mirrors: &[String],
    folder: &Path,
) -> Result<(), DataError> {
    let target = folder.join(file.name);
    let mut part = Part::open(folder.join(format!("{}.part", file.name)))?;
    if target.is_file() {
        return Ok(()); // by another program, while this one waited for the lock
    }
    let mut attempts = Vec::new();
    for mirror in mirrors {
        let url = format!("{}/{}", mirror.trim_end_matches('/'), file.name);
        match attempt(agent, &url, file, &mut part) {
            Ok(()) => {
                return fs::rename(&part.path, &target)
                    .map_err(|source| DataError::file(target, FileFault::Write(source)));
            }
            Err(Failure::Mirror(fault)) => attempts.push(FailedAttempt { url, fault }),
            Err(Failure::Local(error)) => return Err(error),
        }
    }
    Err(DataError::Download {
        file: file.name.to_owned(),
        attempts,
    })
}

enum Failure {
    /// The next mirror may do better.
    Mirror(FetchFault),
    /// No mirror can help.
    Local(DataError),
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::Local(error)
    }
}

/// Completes `part` from one mirror; once more from the start where going on was no use, since
/// what lay there may be of another file.
fn attempt(agent: &Agent, url: &str, file: &Remote, part: &mut Part) -> Result<(), Failure> {
    let resumed = part.len()? > 0;
    match complete(agent, url, file, part) {
        Err(Failure::Mirror(FetchFault::Status(416) | FetchFault::Checksum { .. })) if resumed => {
            part.clear()?;
            complete(agent, url, file, part)
        }
        result => result,
    }
}

fn complete(agent: &Agent, url: &str, file: &Remote, part: &mut Part) -> Result<(), Failure> {
    let have = part.len()?;
    if have > file.bytes {
        part.clear()?;
    }
    if have != file.bytes {
        receive(agent, url, file.bytes, part)?;
    }
    let found = part.len()?;
    if found != file.bytes {
        let expected = file.bytes;
        return Err(Failure::Mirror(FetchFault::Size { expected, found }));
    }
    let found = part.sha256()?;
    if found != file.sha256 {
        part.clear()?;
        let expected = file.sha256.to_owned();
        return Err(Failure::Mirror(FetchFault::Checksum { expected, found }));
    }
    Ok(())
}

/// Adds what is missing of `expected` bytes to `part`.
fn receive(agent: &Agent, url: &str, expected: u64, part: &mut Part) -> Result<(), Failure> {
    let broken =
        |error: &dyn std::fmt::Display| Failure::Mirror(FetchFault::Connection(error.to_string()));
    let have = part.len()?;
    let mut request = agent.get(url);
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    let response = request.call().map_err(|error| broken(&error))?;
    match response.status().as_u16() {
        206 if starts_at(have, response.headers().get("Content-Range")) => {}
        206 => {
            // Some other part. The next request asks for all.
            part.clear()?;
            return Err(broken(&"a part that was not asked for"));
        }
        // A server that cannot go on sends all.
        200 => part.clear()?,
        status => return Err(Failure::Mirror(FetchFault::Status(status))),
    }
    // One byte more than expected is enough to see that it is the wrong file.
    let limit = expected + 1 - part.len()?;
    let mut body = response.into_body().into_reader().take(limit);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match body.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => part.append(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(broken(&error)),
        }
    }
}

/// Whether a `Content-Range` such as `bytes 100-199/200` begins where it should.
fn starts_at(start: u64, range: Option<&ureq::http::HeaderValue>) -> bool {
    let range = range.and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {start}-")))
}

/// The file in the making.
struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    fn open(path: PathBuf) -> Result<Self, DataError> {
        let open = || {
            let mut options = OpenOptions::new();
            let file = options.read(true).append(true).create(true).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        match open() {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(DataError::file(path, FileFault::Write(source))),
        }
    }

    fn len(&self) -> Result<u64, DataError> {
        let len = self.file.metadata().map(|metadata| metadata.len());
        len.map_err(|source| self.error(source))
    }

    fn clear(&mut self) -> Result<(), DataError> {
        self.file.set_len(0).map_err(|source| self.error(source))
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        self.file
            .write_all(bytes)
            .map_err(|source| self.error(source))
    }

    fn sha256(&mut self) -> Result<String, DataError> {
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        let mut read = || {
            self.file.seek(SeekFrom::Start(0))?;
            loop {
                match self.file.read(&mut buffer) {
                    Ok(0) => return Ok(()),
                    Ok(count) => hash.update(&buffer[..count]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        };
        read().map_err(|source| self.error(source))?;
        let digits = hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(digits)
    }

    fn error(&self, source: io::Error) -> DataError {
        DataError::file(&self.path, FileFault::Write(source))
    }
}
