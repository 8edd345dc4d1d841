//! A machine without an adapter, which is this one with its drivers hidden from a child process.

use std::process::{Command, Output};

const MESSAGE: &str = "no GPU adapter was found (searched Vulkan, Metal, DX12 and WebGPU); \
                       install a GPU driver, or Mesa's CPU driver (Debian and Ubuntu: \
                       mesa-vulkan-drivers)";

/// Runs without drivers; only where hiding them is known to work.
fn without_drivers(command: &mut Command) -> Output {
    command
        .env("VK_DRIVER_FILES", "/nonexistent")
        .env("VK_ICD_FILENAMES", "/nonexistent")
        .env_remove("VK_ADD_DRIVER_FILES")
        .env_remove("WGRAD_ADAPTER")
        .env_remove("WGRAD_BACKEND")
        .output()
        .unwrap()
}

/// Two tests of this binary that need a device.
fn tests() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "golden::ten_steps_of_plain",
        "golden::ten_steps_of_residual",
    ]);
    command.args(["--exact", "--test-threads=1"]);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The example, which cargo has built beside the tests unless it was asked for these alone.
#[cfg(target_os = "linux")]
fn example() -> Command {
    let tests = std::env::current_exe().unwrap();
    let built = tests.parent().unwrap().with_file_name("examples/digits");
    if built.exists() {
        return Command::new(built);
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "--example", "digits"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    cargo
}

#[test]
#[cfg(target_os = "linux")]
fn a_program_ends_with_one_line() {
    let output = without_drivers(&mut example());
    assert_eq!(text(&output.stderr), format!("{MESSAGE}\n"));
    assert_eq!(text(&output.stdout), "");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
#[cfg(target_os = "linux")]
fn tests_fail_and_say_how_to_skip_them() {
    let output = without_drivers(tests().env_remove("WGRAD_SKIP_GPU_TESTS"));
    assert!(!output.status.success());
    let stdout = text(&output.stdout);
    let line = format!("{MESSAGE}; set WGRAD_SKIP_GPU_TESTS=1 to skip the tests that need one");
    assert_eq!(stdout.matches(&line).count(), 2, "{stdout}");
    assert!(stdout.contains("0 passed; 2 failed"), "{stdout}");
}

#[test]
#[cfg(target_os = "linux")]
fn tests_are_skipped_on_request_and_counted() {
    let output = without_drivers(tests().env("WGRAD_SKIP_GPU_TESTS", "1"));
    assert!(output.status.success());
    let stderr = text(&output.stderr);
    let last = stderr.lines().last();
    assert_eq!(last, Some("no GPU adapter: 2 GPU tests skipped so far"));
}
