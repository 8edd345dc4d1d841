//! What the table's head tells of this machine.

use std::process::Command;
use std::time::SystemTime;

/// Today in UTC, as 2026-01-31.
pub fn date() -> String {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    now.chars().take_while(|&c| c != 'T').collect()
}

/// The processor's name, its threads and the operating system.
pub fn cpu() -> String {
    let threads = std::thread::available_parallelism().map_or(0, |n| n.get());
    let name = linux_name()
        .or_else(|| said("sysctl", &["-n", "machdep.cpu.brand_string"]))
        .or_else(|| std::env::var("PROCESSOR_IDENTIFIER").ok())
        .unwrap_or_else(|| "unknown".to_owned());
    let (system, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{name}, {threads} threads, {system} {architecture}")
}

/// The commit that was measured, with `-dirty` behind it if files differ from it.
pub fn commit() -> Option<String> {
    let folder = env!("CARGO_MANIFEST_DIR");
    said("git", &["-C", folder, "describe", "--always", "--dirty"])
}

fn linux_name() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
