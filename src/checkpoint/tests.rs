//! Files under adverse conditions. No device is needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use safetensors::tensor::Dtype;

use super::*;
use crate::random::{philox4x32_10, uniform01};

/// Set in child processes, with the folder to work in.
const CHILD: &str = "WGRAD_TEST_CHECKPOINT";

/// A folder of the test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wgrad-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// This test binary again, for one test, in another process.
fn child(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--nocapture"])
        .env(CHILD, folder)
        .stdout(Stdio::null());
    command
}

/// A megabyte that repeats its step everywhere.
fn state(step: u32) -> Vec<u8> {
    let words = vec![step; 1 << 18];
    let mut facts = Facts::new();
    facts.set("step", step);
    encode(&[Tensor::words("w", Dtype::U32, &words)], facts).unwrap()
}

/// The step of a file, if it is whole.
fn step_of(path: &Path) -> Result<u32, CheckpointError> {
    let bytes = read(path)?;
    let container = Container::decode(&bytes, path.display().to_string())?;
    let step: u32 = container.fact("step").unwrap().parse().unwrap();
    assert_eq!(bytes, state(step), "neither one state nor another");
    Ok(step)
}

/// Saves one state after another until it is killed.
fn save_for_ever(path: &Path) {
    let first = step_of(path).map_or(0, |step| step + 1);
    for step in first.. {
        replace(path, &state(step)).unwrap();
    }
}

#[test]
fn whoever_is_killed_while_saving_loses_nothing() {
    if let Some(folder) = std::env::var_os(CHILD) {
        return save_for_ever(&Path::new(&folder).join("state"));
    }
    let folder = Folder::new("killed");
    let path = folder.0.join("state");
    let mut steps = vec![0];
    replace(&path, &state(0)).unwrap();
    for round in 0..50 {
        let before = read(&path).unwrap();
        let mut saving = child("whoever_is_killed", &folder.0).spawn().unwrap();
        let start = Instant::now();
        // Every other child is killed while it starts, for all that is known.
        while round % 2 == 0 && read(&path).unwrap() == before {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "nothing is saved"
            );
            std::thread::yield_now();
        }
        let draw = uniform01(philox4x32_10([round, 0, 0, 0], [7, 0])[0]);
        std::thread::sleep(Duration::from_micros((50_000.0 * draw) as u64));
        saving.kill().unwrap();
        saving.wait().unwrap();
        steps.push(step_of(&path).unwrap());
    }
    assert!(steps.is_sorted(), "a state was lost: {steps:?}");
    assert!(steps.last() >= Some(&25), "too few were saved: {steps:?}");
    assert!(folder.names().len() <= 2, "left over: {:?}", folder.names());
    replace(&path, &state(1)).unwrap();
    assert_eq!(folder.names(), ["state"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_leaves_the_old_file() {
    if let Some(folder) = std::env::var_os(CHILD) {
        let path = Path::new(&folder).join("state");
        replace(&path, b"old").unwrap();
        match replace(&path, &state(1)) {
            Err(CheckpointError::DiskFull { bytes, .. }) => assert!(bytes > 1 << 20),
            other => panic!("{other:?}"),
        }
        assert_eq!(read(&path).unwrap(), b"old");
        let names: Vec<_> = fs::read_dir(folder).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        return;
    }
    let folder = Folder::new("full");
    // A small file system in a namespace of the child's own; 77 says that it may not be had.
    let script = "mount -t tmpfs -o size=256k tmpfs \"$WGRAD_TEST_CHECKPOINT\" || exit 77; \
                  exec \"$0\" a_full_disk --nocapture";
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD, &folder.0)
        .output();
    match output {
        Ok(output) if output.status.success() => {
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(told.contains("1 passed"), "{told}");
        }
        Ok(output) if output.status.code() == Some(101) => {
            panic!("{}", String::from_utf8_lossy(&output.stderr));
        }
        _ => eprintln!("skipped: no small file system may be mounted here"),
    }
}

#[test]
fn a_failed_save_leaves_no_temporary() {
    let folder = Folder::new("failed");
    let path = folder.0.join("state");
    // A folder cannot be replaced by a file.
    fs::create_dir(&path).unwrap();
    let error = replace(&path, b"new").unwrap_err();
    assert!(matches!(error, CheckpointError::Write { .. }), "{error}");
    assert_eq!(folder.names(), ["state"]);
    let nowhere = folder.0.join("missing").join("state");
    let error = replace(&nowhere, b"new").unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("cannot write ") && text.ends_with("is unchanged"),
        "{text}"
    );
    assert!(replace(Path::new("/"), b"new").is_err());
}

#[test]
fn two_writers_of_one_file_do_not_mix() {
    let folder = Folder::new("together");
    let path = folder.0.join("state");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let path = &path;
            scope.spawn(move || {
                for step in 0..5 {
                    replace(path, &state(10 * thread + step)).unwrap();
                }
            });
        }
    });
    assert!(step_of(&path).is_ok());
    assert_eq!(folder.names(), ["state"]);
}

#[test]
fn equal_contents_give_equal_bytes() {
    assert_eq!(state(3), state(3));
    assert_ne!(state(3), state(4));
}

#[test]
fn facts_come_back() {
    let mut facts = Facts::new();
    facts.set("step", 7);
    facts.set("rule", "sgd=1");
    assert_eq!(Facts::parse(&facts.to_string()), facts);
    assert_eq!(facts.get("rule"), Some("sgd=1"));
    assert_eq!(facts.get("none"), None);
}
