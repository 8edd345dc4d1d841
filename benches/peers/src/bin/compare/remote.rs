//! A started engine: the other side of the [`protocol`](wgrad_peers::protocol).

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use wgrad_peers::protocol::{Block, READY, parse_done};

/// An engine's process. It is killed when this is dropped.
pub struct Remote {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// From the start of the process to the end of its first step.
    pub first_step: Duration,
}

impl Remote {
    /// Starts the process, with its caches in `caches`, and waits for its first step.
    pub fn start(mut command: Command, caches: &Path) -> Result<Self, String> {
        let text = |error: std::io::Error| error.to_string();
        std::fs::create_dir_all(caches).map_err(text)?;
        let start = Instant::now();
        let mut child = command
            .current_dir(caches)
            .env("XDG_CACHE_HOME", caches)
            .env("MESA_SHADER_CACHE_DIR", caches)
            .env("__GL_SHADER_DISK_CACHE_PATH", caches)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(text)?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.ok_or("the process has no pipes")?;
        let mut remote = Self {
            child,
            input,
            lines: BufReader::new(output).lines(),
            first_step: Duration::ZERO,
        };
        remote.wait_for(|line| line.starts_with(READY).then_some(()))?;
        remote.first_step = start.elapsed();
        Ok(remote)
    }

    /// Takes this many steps.
    pub fn run(&mut self, steps: usize) -> Result<Block, String> {
        writeln!(self.input, "{steps}").map_err(|error| error.to_string())?;
        let block = self.wait_for(parse_done)?;
        match block.loss.is_finite() {
            true => Ok(block),
            false => Err(format!("its loss became {}", block.loss)),
        }
    }

    fn wait_for<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        for line in self.lines.by_ref() {
            let line = line.map_err(|error| error.to_string())?;
            if let Some(found) = read(&line) {
                return Ok(found);
            }
        }
        let status = self.child.wait().map_err(|error| error.to_string())?;
        Err(format!("it ended early ({status})"))
    }

    /// The most memory that the process has had, in bytes; Linux tells it.
    pub fn peak_memory(&self) -> Option<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(1024 * kibibytes)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
