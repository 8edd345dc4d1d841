//! The tasks that are one or two cargo runs: demo, test, bench, peers.

use std::ffi::OsString;
use std::path::Path;

use crate::device;
use crate::session::{Failure, Session};
use crate::swiftshader;

/// The example that `demo` runs.
pub const DEMO: &str = "digits";

/// The integration test that holds the GPU suite, which is run on the second driver too.
pub const GPU_SUITE: &str = "parity";

const ALL_FEATURES: &str = "--all-features";
/// The comparison with other engines, outside the workspace.
pub const PEERS: &str = "benches/peers/Cargo.toml";

/// `cargo xtask demo`.
pub fn demo(session: &mut Session, args: &[String]) -> Result<(), Failure> {
    session.device()?;
    session.cargo(&demo_args(args), &[])
}

/// `cargo xtask test`: everything on the default device, then the GPU suite on SwiftShader.
pub fn test(session: &mut Session, args: &[String]) -> Result<(), Failure> {
    let device = session.device()?;
    // The whole run asks for the optional features too. A run of something in particular does not,
    // so that nobody waits for image decoders and TLS who wants to test a kernel.
    let whole = args.is_empty();
    let all = [ALL_FEATURES.to_owned()];
    let args = if whole { &all } else { args };
    session.cargo(&test_args(args), &[])?;
    if !cfg!(target_os = "linux") {
        println!("xtask: one driver only: the second one, SwiftShader, is for Vulkan on Linux");
        return Ok(());
    }
    if device.starts_with("SwiftShader") {
        println!("xtask: that was SwiftShader already; no second run");
        return Ok(());
    }
    let Some(icd) = swiftshader::locate()? else {
        println!("xtask: {}", swiftshader::HOW_TO_HAVE_IT);
        return Ok(());
    };
    let Some(mut second) = second_run_args(args) else {
        println!("xtask: no second run on SwiftShader: the arguments leave out `{GPU_SUITE}`");
        return Ok(());
    };
    if whole {
        // What knows no device has been answered.
        let skipped = ["--", "--skip", "support::"];
        second.extend(skipped.map(str::to_owned));
    }
    session.cargo(&second, &second_device(session, &icd)?)
}

/// The environment in which SwiftShader is the device; it is asked first.
pub fn second_device(
    session: &Session,
    icd: &Path,
) -> Result<[(&'static str, OsString); 2], Failure> {
    let environment = swiftshader::environment(icd);
    let devices = device::vulkan_devices(session, &environment).map_err(|reason| {
        let icd = icd.display();
        Failure::new(format!("SwiftShader ({icd}) does not answer: {reason}"))
    })?;
    for device in &devices {
        println!("xtask: device {device}");
    }
    Ok(environment)
}

/// `cargo xtask bench`.
pub fn bench(session: &mut Session, args: &[String]) -> Result<(), Failure> {
    session.device()?;
    session.cargo(&words(&["bench", "--package", "wgrad-benches"], args), &[])
}

/// `cargo xtask peers`: a package of its own, since other engines bring many dependencies.
pub fn peers(session: &mut Session, args: &[String]) -> Result<(), Failure> {
    session.device()?;
    session.cargo(
        &words(
            &["run", "--release", "--manifest-path", PEERS, "--"],
            own_args(args),
        ),
        &[],
    )
}

/// Arguments for the program itself: a `--` before them, as cargo wants it, is allowed.
pub fn own_args(args: &[String]) -> &[String] {
    match args {
        [first, rest @ ..] if first == "--" => rest,
        _ => args,
    }
}

fn demo_args(args: &[String]) -> Vec<String> {
    words(
        &["run", "--release", "--example", DEMO, "--"],
        own_args(args),
    )
}

/// Release, because a CPU driver's work is bound by the host code around it too, and because the
/// reference kernels are plain loops. Doctests are part of it, cargo's default.
fn test_args(args: &[String]) -> Vec<String> {
    let mut base = vec!["test", "--release"];
    // `--workspace` would override a chosen package.
    if !before_separator(args).any(selects_package) {
        base.push("--workspace");
    }
    words(&base, args)
}

/// The run on the second driver: the GPU suite alone, with the user's filter. `None` if the user
/// chose something else.
fn second_run_args(args: &[String]) -> Option<Vec<String>> {
    const WHOLE: [&str; 2] = ["--tests", "--all-targets"];
    let before = before_separator(args).count();
    let (options, rest) = args.split_at(before);
    let mut kept: Vec<String> = options.to_vec();
    kept.retain(|word| !WHOLE.contains(&word.as_str()));
    let named = kept
        .iter()
        .any(|word| *word == format!("--test={GPU_SUITE}"))
        || kept
            .windows(2)
            .any(|pair| pair[0] == "--test" && pair[1] == GPU_SUITE);
    let base: &[&str] = if named {
        &["test", "--release"]
    } else if kept
        .iter()
        .any(|word| selects_target(word) || selects_package(word))
    {
        return None;
    } else {
        // As the first run, so that it is the same program.
        &["test", "--release", "--workspace", "--test", GPU_SUITE]
    };
    kept.extend_from_slice(rest);
    Some(words(base, &kept))
}

/// Cargo's own arguments; those after `--` are the test program's.
fn before_separator(args: &[String]) -> impl Iterator<Item = &str> {
    args.iter()
        .map(String::as_str)
        .take_while(|&word| word != "--")
}

fn selects_target(word: &str) -> bool {
    const TARGETS: [&str; 8] = [
        "--lib",
        "--bins",
        "--bin",
        "--examples",
        "--example",
        "--test",
        "--bench",
        "--benches",
    ];
    let name = word.split('=').next().unwrap_or(word);
    name == "--doc" || TARGETS.contains(&name)
}

fn selects_package(word: &str) -> bool {
    word.starts_with("--package") || (word.starts_with("-p") && !word.starts_with("--"))
}

fn words(base: &[&str], args: &[String]) -> Vec<String> {
    base.iter()
        .map(|word| (*word).to_owned())
        .chain(args.iter().cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn arguments_reach_the_example_and_the_tests() {
        assert_eq!(
            demo_args(&split("--epochs 3")),
            split("run --release --example digits -- --epochs 3")
        );
        assert_eq!(
            demo_args(&split("-- --epochs 3")),
            demo_args(&split("--epochs 3"))
        );
        assert_eq!(
            test_args(&split("conv -- --nocapture")),
            split("test --release --workspace conv -- --nocapture")
        );
        assert_eq!(
            test_args(&split(ALL_FEATURES)),
            split("test --release --workspace --all-features")
        );
        assert_eq!(
            test_args(&split("-p xtask")),
            split("test --release -p xtask")
        );
    }

    #[test]
    fn the_second_run_is_the_gpu_suite_with_the_same_filter() {
        let cases = [
            ("", "test --release --workspace --test parity"),
            ("conv2d", "test --release --workspace --test parity conv2d"),
            (
                ALL_FEATURES,
                "test --release --workspace --test parity --all-features",
            ),
            (
                "pool -- --exact",
                "test --release --workspace --test parity pool -- --exact",
            ),
            (
                "--tests conv2d",
                "test --release --workspace --test parity conv2d",
            ),
            (
                "--test parity conv2d",
                "test --release --test parity conv2d",
            ),
            ("--test=parity", "test --release --test=parity"),
            // After the separator nothing is cargo's.
            (
                "-- --test other",
                "test --release --workspace --test parity -- --test other",
            ),
        ];
        for (args, expected) in cases {
            assert_eq!(
                second_run_args(&split(args)),
                Some(split(expected)),
                "{args}"
            );
        }
    }

    #[test]
    fn there_is_no_second_run_of_something_else() {
        for args in [
            "--lib",
            "--doc",
            "--test shaders",
            "--test=shaders",
            "-p xtask",
            "-pxtask",
        ] {
            assert_eq!(second_run_args(&split(args)), None, "{args}");
        }
    }
}
