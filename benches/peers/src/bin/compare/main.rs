//! `cargo xtask peers`: wgrad beside other engines, in one run on one machine.
//!
//! Every engine is a program of its own ([`protocol`](wgrad_peers::protocol)), so that its start,
//! its memory and its threads are its own. This program builds them, gives them their turns and
//! writes the table.

mod engine;
mod machine;
mod measure;
mod options;
mod remote;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use engine::{Engine, Ready};
use options::Options;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let options = match Options::parse(&words) {
        Ok(options) => options,
        Err(complaint) if complaint.is_empty() => {
            println!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(complaint) => {
            eprintln!("peers: {complaint}\n\n{}", options::HELP);
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("peers: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let mut notes = Vec::new();
    // Wanted or not, it tells the adapter.
    let wgrad = Engine::Wgrad.prepare()?;
    let (adapter, cpu) = engine::adapter(&wgrad)?;
    eprintln!("peers: {adapter}");
    if cpu {
        notes.push("a CPU driver: batches are smaller than on a GPU".to_owned());
    }
    let engines = prepare(&options.engines, &wgrad, &mut notes);
    let caches = Caches::new(options)?;
    let mut rows = Vec::new();
    for &workload in &options.workloads {
        let Some(batch) = options.batch.or(workload.batch(cpu)) else {
            let note = format!(
                "{} is skipped: it is no work for a CPU driver",
                workload.name
            );
            eprintln!("peers: {note}");
            notes.push(note);
            continue;
        };
        rows.extend(measure::compare(
            &engines,
            workload,
            batch,
            options,
            &caches.folder,
        ));
    }
    let text = table::markdown(options, &adapter, &engines, &notes, &rows);
    print!("{text}");
    if let Some(path) = &options.out {
        let failed = |error| format!("{} cannot be written: {error}", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        std::fs::write(path, text).map_err(failed)?;
        eprintln!("peers: the table is in {}", path.display());
    }
    Ok(())
}

/// The engines that can be had; why the others cannot goes to the user and into the table.
fn prepare(wanted: &[Engine], wgrad: &Ready, notes: &mut Vec<String>) -> Vec<Ready> {
    let mut engines: Vec<Ready> = Vec::new();
    for engine in wanted {
        let prepared = match engine {
            Engine::Wgrad => Ok(wgrad.clone()),
            other => other.prepare(),
        };
        match prepared {
            // Without a GPU, PyTorch on the CPU is one engine under two names.
            Ok(ready) if engines.iter().any(|other| other.is_same(&ready)) => {}
            Ok(ready) => engines.push(ready),
            Err(reason) => {
                let note = format!("without {}: {reason}", engine.name());
                eprintln!("peers: {note}");
                notes.push(note);
            }
        }
    }
    engines
}

/// Where engines and drivers keep compiled kernels; a fresh folder is removed at the end.
struct Caches {
    folder: PathBuf,
    fresh: bool,
}

impl Caches {
    fn new(options: &Options) -> Result<Self, String> {
        // Not under a folder with a Cargo.toml: burn would keep its tuning beside that.
        let fresh = || std::env::temp_dir().join(format!("wgrad-peers-{}", std::process::id()));
        let folder = options.caches.clone().unwrap_or_else(fresh);
        std::fs::create_dir_all(&folder)
            .and_then(|()| folder.canonicalize())
            .map(|folder| Self {
                folder,
                fresh: options.caches.is_none(),
            })
            .map_err(|error| format!("no folder for caches: {error}"))
    }
}

impl Drop for Caches {
    fn drop(&mut self) {
        if self.fresh {
            // What is left behind lies in the folder for temporary files.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
