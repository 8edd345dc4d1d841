//! `cargo xtask ci`: everything a change must pass, in order, cheapest first.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use crate::session::{self, Failure, Session};
use crate::suite::{self, PEERS};

/// One stage: its name in the log and what it does.
struct Stage {
    name: &'static str,
    work: Work,
}

enum Work {
    /// rustfmt and clippy are there, or are installed.
    Components,
    /// Cargo with these arguments, and this much added to RUSTDOCFLAGS.
    Cargo {
        args: &'static [&'static str],
        rustdoc_flags: Option<&'static str>,
    },
    /// What `cargo xtask test` does.
    Tests,
    /// What `cargo xtask demo` does.
    Demo,
}

fn stages() -> Vec<Stage> {
    let cargo = |name, args| Stage {
        name,
        work: Work::Cargo {
            args,
            rustdoc_flags: None,
        },
    };
    vec![
        Stage {
            name: "components",
            work: Work::Components,
        },
        cargo("format", &["fmt", "--all", "--check"]),
        cargo(
            "clippy",
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--all-features",
                "--",
                "-D",
                "warnings",
            ],
        ),
        Stage {
            name: "rustdoc",
            work: Work::Cargo {
                args: &["doc", "--workspace", "--all-features", "--no-deps"],
                rustdoc_flags: Some("-D warnings"),
            },
        },
        Stage {
            name: "tests",
            work: Work::Tests,
        },
        cargo("examples", &["build", "--release", "--examples"]),
        // With the features of the tests, whose build it shares.
        cargo(
            "benches",
            &[
                "build",
                "--release",
                "--workspace",
                "--all-features",
                "--bench=*",
            ],
        ),
        // Without features: the comparison itself, no other engine.
        cargo("peers", &["test", "--release", "--manifest-path", PEERS]),
        Stage {
            name: "demo",
            work: Work::Demo,
        },
    ]
}

/// Runs every stage, up to the first that fails.
pub fn run(session: &mut Session) -> Result<(), Failure> {
    let stages = stages();
    let mut times: Vec<(&str, Duration)> = Vec::new();
    for (index, stage) in stages.iter().enumerate() {
        let place = format!("{}/{}", index + 1, stages.len());
        println!("\n=== {place} {} ===", stage.name);
        let start = Instant::now();
        let outcome = perform(session, &stage.work);
        let took = start.elapsed();
        times.push((stage.name, took));
        if let Err(failure) = outcome {
            return Err(Failure {
                message: format!(
                    "ci FAILED at stage {place}, {}: {}; {}",
                    stage.name,
                    failure.message,
                    totals(&times)
                ),
                code: failure.code,
            });
        }
        println!(
            "=== {place} {} passed in {:.1} s ===",
            stage.name,
            took.as_secs_f64()
        );
    }
    println!(
        "\nxtask: ci passed, {} stages, {}",
        stages.len(),
        totals(&times)
    );
    Ok(())
}

/// `321.4 s in all (format 1.0, clippy 30.2)`.
fn totals(times: &[(&str, Duration)]) -> String {
    let all: Duration = times.iter().map(|(_, took)| *took).sum();
    let each: Vec<String> = times
        .iter()
        .map(|(name, took)| format!("{name} {:.1}", took.as_secs_f64()))
        .collect();
    format!("{:.1} s in all ({})", all.as_secs_f64(), each.join(", "))
}

fn perform(session: &mut Session, work: &Work) -> Result<(), Failure> {
    match work {
        Work::Components => ensure_components(session),
        Work::Cargo {
            args,
            rustdoc_flags,
        } => {
            let args: Vec<String> = args.iter().map(|word| (*word).to_owned()).collect();
            let environment: Vec<(&str, OsString)> = rustdoc_flags
                .map(|flags| {
                    (
                        "RUSTDOCFLAGS",
                        appended(std::env::var_os("RUSTDOCFLAGS"), flags),
                    )
                })
                .into_iter()
                .collect();
            session.cargo(&args, &environment)
        }
        Work::Tests => suite::test(session, &[]),
        Work::Demo => suite::demo(session, &[]),
    }
}

/// The user's own flags stay.
fn appended(existing: Option<OsString>, flags: &str) -> OsString {
    let mut all = existing.unwrap_or_default();
    if !all.is_empty() {
        all.push(" ");
    }
    all.push(flags);
    all
}

/// Minimal toolchains (containers, mostly) come without these two.
fn ensure_components(session: &Session) -> Result<(), Failure> {
    let missing: Vec<&str> = [("fmt", "rustfmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(tool, _)| !session.succeeds(session::cargo_program(), &[tool, "--version"]))
        .map(|(_, component)| component)
        .collect();
    if missing.is_empty() {
        println!("xtask: rustfmt and clippy are there");
        return Ok(());
    }
    let components = missing.join(" ");
    println!("xtask: installing {components} with rustup: this toolchain lacks them");
    let arguments = [["component", "add"].as_slice(), &missing].concat();
    if session.succeeds("rustup", &arguments) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "missing {components}; install: rustup component add {components}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_is_complete_and_cheap_stages_come_first() {
        let names: Vec<&str> = stages().iter().map(|stage| stage.name).collect();
        let expected = [
            "components",
            "format",
            "clippy",
            "rustdoc",
            "tests",
            "examples",
            "benches",
            "peers",
            "demo",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn warnings_are_errors() {
        for stage in stages() {
            match (stage.name, stage.work) {
                ("clippy", Work::Cargo { args, .. }) => {
                    assert!(args.ends_with(&["--all-features", "--", "-D", "warnings"]));
                }
                ("rustdoc", Work::Cargo { rustdoc_flags, .. }) => {
                    assert_eq!(rustdoc_flags, Some("-D warnings"));
                }
                _ => {}
            }
        }
    }

    #[test]
    fn totals_add_up() {
        let times = [
            ("format", Duration::from_millis(1000)),
            ("clippy", Duration::from_millis(2500)),
        ];
        assert_eq!(totals(&times), "3.5 s in all (format 1.0, clippy 2.5)");
    }

    #[test]
    fn existing_flags_stay() {
        assert_eq!(appended(None, "-D warnings"), "-D warnings");
        assert_eq!(
            appended(Some("--cfg docs".into()), "-D warnings"),
            "--cfg docs -D warnings"
        );
    }
}
