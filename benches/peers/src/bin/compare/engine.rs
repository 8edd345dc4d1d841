//! The engines: what they can do, how they are built and started.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use wgrad_peers::workload::Workload;

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// An engine, on a kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// This project.
    Wgrad,
    /// burn's wgpu backend.
    Burn,
    /// meganeura.
    Meganeura,
    /// PyTorch on its GPU, or on the CPU if it has none.
    PyTorch,
    /// PyTorch on the CPU.
    PyTorchCpu,
}

/// Every engine, in the table's order.
pub const ALL: [Engine; 5] = [
    Engine::Wgrad,
    Engine::Burn,
    Engine::Meganeura,
    Engine::PyTorch,
    Engine::PyTorchCpu,
];

/// The engine of this name.
pub fn find(name: &str) -> Option<Engine> {
    ALL.into_iter().find(|engine| engine.name() == name)
}

impl Engine {
    /// As on the command line and in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Engine::Wgrad => "wgrad",
            Engine::Burn => "burn",
            Engine::Meganeura => "meganeura",
            Engine::PyTorch => "pytorch",
            Engine::PyTorchCpu => "pytorch-cpu",
        }
    }

    /// Whether its program has this workload.
    pub fn can(self, workload: &Workload) -> bool {
        match self {
            Engine::Wgrad | Engine::PyTorch | Engine::PyTorchCpu => true,
            Engine::Burn => ["S", "M", "P"].contains(&workload.name),
            Engine::Meganeura => workload.name == "P",
        }
    }

    /// Builds it, or looks for it; the error says why it is left out.
    pub fn prepare(self) -> Result<Ready, String> {
        match self {
            Engine::PyTorch => PyTorch::find()?.ready(self, true),
            Engine::PyTorchCpu => PyTorch::find()?.ready(self, false),
            Engine::Wgrad => build(self, "this tree"),
            Engine::Burn => build(self, "0.22.1, wgpu backend: WGSL, fusion, autotune"),
            Engine::Meganeura => build(self, "0.3.0"),
        }
    }
}

/// An engine that can be started.
#[derive(Clone, Debug)]
pub struct Ready {
    pub engine: Engine,
    /// Version and device, for the table's head.
    pub about: String,
    /// Packages in the dependency tree.
    pub crates: Option<usize>,
    /// Bytes of the program.
    pub size: Option<u64>,
    program: PathBuf,
    /// Before the workload and the batch.
    arguments: Vec<String>,
}

impl Ready {
    /// Whether both start the same program on the same device.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.program, &self.arguments) == (&other.program, &other.arguments)
    }

    /// Starts nothing yet.
    pub fn command(&self, workload: &str, batch: usize) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command.arg(workload).arg(batch.to_string());
        command
    }
}

/// The adapter that wgrad opens, and whether it is a CPU driver.
pub fn adapter(wgrad: &Ready) -> Result<(String, bool), String> {
    let text = output(Command::new(&wgrad.program).arg("describe"))?;
    let line = text.lines().last().unwrap_or_default();
    match line.split_once('\t') {
        Some((kind, adapter)) => Ok((adapter.to_owned(), kind == "cpu")),
        None => Err(format!("wgrad's program says `{line}`")),
    }
}

/// Builds the program of an engine that is a crate. Each has its own feature, so that only its
/// own dependencies are built.
fn build(engine: Engine, about: &str) -> Result<Ready, String> {
    let name = engine.name();
    let here = std::env::current_exe().map_err(|error| error.to_string())?;
    let target = here.ancestors().nth(2).unwrap_or(Path::new("target"));
    eprintln!("peers: building {name}");
    let status = cargo("build")
        .args(["--release", "--bin", name, "--features", name])
        .arg("--target-dir")
        .arg(target)
        .status();
    if !status.is_ok_and(|status| status.success()) {
        return Err("it does not build here".to_owned());
    }
    let program = here
        .with_file_name(name)
        .with_extension(std::env::consts::EXE_EXTENSION);
    Ok(Ready {
        engine,
        about: format!("{name} {about}"),
        crates: crates(name),
        size: std::fs::metadata(&program).map(|file| file.len()).ok(),
        program,
        arguments: Vec::new(),
    })
}

fn cargo(task: &str) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    let manifest = Path::new(FOLDER).join("Cargo.toml");
    command.arg(task).arg("--manifest-path").arg(manifest);
    command
}

/// Distinct packages in the engine's tree, itself included, the comparison's own left out.
fn crates(name: &str) -> Option<usize> {
    let tree = ["-e", "normal", "--prefix", "none", "--features", name];
    let text = output(cargo("tree").args(tree)).ok()?;
    let own = ["wgrad-peers ", "wgrad-benches ", "humantime "];
    let names = text.lines().map(|line| line.trim_end_matches(" (*)"));
    let packages: BTreeSet<&str> = names
        .filter(|line| !own.iter().any(|own| line.starts_with(own)))
        .collect();
    Some(packages.len())
}

struct PyTorch {
    python: String,
    version: String,
    gpu: Option<(String, String)>,
}

impl PyTorch {
    fn find() -> Result<Self, String> {
        let named = std::env::var("WGRAD_PYTHON").ok();
        let candidates = match &named {
            Some(python) => vec![python.as_str()],
            None => vec!["python3", "python"],
        };
        let mut reason = "there is no Python; install it, or set WGRAD_PYTHON".to_owned();
        for python in candidates {
            match output(Command::new(python).arg(script()).arg("devices")) {
                Ok(text) => {
                    let mut words = text.trim().split('\t').map(str::to_owned);
                    let version = words.next().unwrap_or_default();
                    let gpu = words.next().zip(words.next());
                    return Ok(Self {
                        python: python.to_owned(),
                        version,
                        gpu,
                    });
                }
                Err(text) if text.contains("ModuleNotFoundError") => {
                    reason = format!("`{python}` has no PyTorch; `{python} -m pip install torch`");
                }
                Err(text) if named.is_some() => reason = format!("`{python}`: {text}"),
                Err(_) => {}
            }
        }
        Err(reason)
    }

    fn ready(self, engine: Engine, gpu_wanted: bool) -> Result<Ready, String> {
        let (device, about) = match self.gpu.filter(|_| gpu_wanted) {
            Some((device, name)) => (device, format!("on {name}, float32 without TF32")),
            None => ("cpu".to_owned(), "on the CPU".to_owned()),
        };
        Ok(Ready {
            engine,
            about: format!("{} {} {about}", engine.name(), self.version),
            crates: None,
            size: None,
            program: self.python.into(),
            arguments: vec![script(), device],
        })
    }
}

fn script() -> String {
    Path::new(FOLDER)
        .join("src/pytorch.py")
        .display()
        .to_string()
}

/// What a short program prints; the error is its last complaint.
fn output(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(complaint
        .trim()
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned())
}
