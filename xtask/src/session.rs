//! Everything that starts a process or reads the machine.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

use crate::device;

/// Why the program ends early: one line, and the exit code.
#[derive(Debug)]
pub struct Failure {
    /// For the user; printed once, by `main`.
    pub message: String,
    /// Never 0.
    pub code: u8,
}

impl Failure {
    /// A failure of this program itself.
    pub fn new(message: impl Into<String>) -> Self {
        Failure {
            message: message.into(),
            code: 1,
        }
    }
}

/// One run of the program: the repository, the children's environment and the device, once known.
pub struct Session {
    root: PathBuf,
    runtime_dir: Option<PathBuf>,
    device: Option<String>,
}

impl Session {
    /// Finds the repository and prepares what children need.
    pub fn new() -> Result<Session, Failure> {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = package.parent().unwrap_or(package).to_owned();
        Ok(Session {
            root,
            runtime_dir: private_runtime_dir()?,
            device: None,
        })
    }

    /// Makes sure that wgpu will find a device, and returns the best one's description. Looks
    /// (and prints) only once a run.
    pub fn device(&mut self) -> Result<String, Failure> {
        if let Some(device) = &self.device {
            return Ok(device.clone());
        }
        let device = device::ensure(self)?;
        println!("xtask: device {device}");
        self.device = Some(device.clone());
        Ok(device)
    }

    /// The repository's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A command in the repository's root, with the environment every child gets.
    pub fn command(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.current_dir(&self.root);
        if let Some(dir) = &self.runtime_dir {
            command.env("XDG_RUNTIME_DIR", dir);
        }
        command
    }

    /// Runs cargo visibly, with extra environment; fails with cargo's own exit code.
    pub fn cargo(&self, args: &[String], environment: &[(&str, OsString)]) -> Result<(), Failure> {
        let mut command = self.cargo_command(args);
        command.envs(environment.iter().map(|(name, value)| (*name, value)));
        let shown = shown(args);
        let status = command.status().map_err(|error| unstarted(&shown, error))?;
        outcome(&shown, status)
    }

    /// Runs cargo visibly and keeps what it prints on stdout. The inner result is cargo's.
    pub fn cargo_kept(&self, args: &[String]) -> Result<(Result<(), Failure>, String), Failure> {
        let shown = shown(args);
        let mut child = self
            .cargo_command(args)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| unstarted(&shown, error))?;
        let mut kept = String::new();
        for line in child
            .stdout
            .take()
            .map(BufReader::new)
            .into_iter()
            .flat_map(BufRead::lines)
        {
            let line = line.map_err(|error| unstarted(&shown, error))?;
            println!("{line}");
            kept.push_str(&line);
            kept.push('\n');
        }
        let status = child.wait().map_err(|error| unstarted(&shown, error))?;
        Ok((outcome(&shown, status), kept))
    }

    fn cargo_command(&self, args: &[String]) -> Command {
        println!("xtask: {}", shown(args));
        let mut command = self.command(cargo_program());
        command.args(args);
        // What cargo has told this program about its own package: build scripts that look at these
        // would run again, and all that depends on them be built again, whenever a person's cargo
        // and this one take turns.
        let of_package =
            |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(of_package) {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs a program to its end with its output kept; `None` if it cannot be started.
    pub fn capture(&self, mut command: Command) -> Option<Output> {
        command.stdin(Stdio::null()).output().ok()
    }

    /// Whether the program starts and ends well; its output is dropped.
    pub fn succeeds(&self, program: impl Into<OsString>, args: &[&str]) -> bool {
        let mut command = self.command(program);
        command.args(args);
        self.capture(command)
            .is_some_and(|output| output.status.success())
    }
}

fn shown(args: &[String]) -> String {
    format!("cargo {}", args.join(" "))
}

fn unstarted(shown: &str, error: std::io::Error) -> Failure {
    Failure::new(format!("cannot run `{shown}`: {error}"))
}

fn outcome(shown: &str, status: ExitStatus) -> Result<(), Failure> {
    if status.success() {
        return Ok(());
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Err(Failure {
        message: format!("`{shown}` failed ({status})"),
        code: code.unwrap_or(1),
    })
}

/// The cargo that started this program, so that toolchain overrides carry over.
pub fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Whether a person can be asked.
pub fn has_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Whether `name` is a program on PATH.
pub fn on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(name).is_file())
}

/// lavapipe complains on every start when XDG_RUNTIME_DIR is unset, as it is in containers and CI.
/// The specification wants a folder of this user alone; it lies beside this executable, under
/// `target`, so nothing is left behind elsewhere.
#[cfg(unix)]
fn private_runtime_dir() -> Result<Option<PathBuf>, Failure> {
    use std::os::unix::fs::DirBuilderExt;

    if std::env::var_os("XDG_RUNTIME_DIR").is_some_and(|dir| !dir.is_empty()) {
        return Ok(None);
    }
    let executable = std::env::current_exe()
        .map_err(|error| Failure::new(format!("cannot find this program's own file: {error}")))?;
    let dir = executable.with_file_name("xdg-runtime");
    match std::fs::DirBuilder::new().mode(0o700).create(&dir) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(Failure::new(
            format!("cannot create {}: {error}", dir.display()),
        )),
        _ => Ok(Some(dir)),
    }
}

#[cfg(not(unix))]
fn private_runtime_dir() -> Result<Option<PathBuf>, Failure> {
    Ok(None)
}
