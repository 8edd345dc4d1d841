//! The command line: which task, and the arguments that are handed on.

/// Printed by `cargo xtask help`, and after a complaint.
pub const HELP: &str = "\
usage: cargo xtask <task> [args]

  demo [args]   train the handwritten-digit example; args go to the example
  test          all tests and doctests, with all features
  test args     `cargo test` with args (a filter, `-- --nocapture`) and the default features
  bench [args]  the benchmarks; args go to `cargo bench`
  peers [args]  compare with other engines (benches/peers); args go to that program
                (`--help` lists them)
  gpu-report    the parity suite, and speed beside PyTorch's, as a table in out/; for
                machines with a GPU; args as for peers
  operators     measure every operator's error on lavapipe and SwiftShader, and write
                docs/OPERATORS.md
  ci            everything a change must pass: format, lints, docs, tests, builds, demo
  swiftshader   print where the second Vulkan CPU driver's ICD file is (exit 1 if nowhere)
  help          this text

On Linux without a usable Vulkan device, tasks that need one first install Mesa's CPU
driver with apt-get, dnf or pacman. macOS (Metal) and Windows (DX12, WARP without a GPU)
need nothing.

environment:
  WGRAD_SWIFTSHADER_ICD   a vk_swiftshader_icd.json, if it is not in a usual place
  VK_DRIVER_FILES         restricts the Vulkan loader to these drivers, as always";

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Train the example.
    Demo,
    /// Run every test.
    Test,
    /// Run the benchmarks.
    Bench,
    /// Compare with other engines.
    Peers,
    /// Parity and speed on this machine's GPU.
    GpuReport,
    /// Measure the operators' errors and write their table.
    Operators,
    /// Run the whole gate.
    Ci,
    /// Print SwiftShader's place.
    SwiftShader,
    /// Print the help.
    Help,
    /// Internal: ask Vulkan for its devices, in a process of its own (see `probe`).
    Probe,
}

/// A parsed command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The task named first.
    pub task: Task,
    /// Everything after it, untouched.
    pub args: Vec<String>,
}

/// Reads the command line after the program's name; the error is one line for the user.
pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Invocation, String> {
    let mut words = words.into_iter();
    let Some(name) = words.next() else {
        return Ok(Invocation {
            task: Task::Help,
            args: Vec::new(),
        });
    };
    let args: Vec<String> = words.collect();
    let (task, takes_args) = match name.as_str() {
        "demo" => (Task::Demo, true),
        "test" => (Task::Test, true),
        "bench" => (Task::Bench, true),
        "peers" => (Task::Peers, true),
        "gpu-report" => (Task::GpuReport, true),
        "operators" => (Task::Operators, false),
        "ci" => (Task::Ci, false),
        "swiftshader" => (Task::SwiftShader, false),
        "help" | "--help" | "-h" => (Task::Help, false),
        PROBE => (Task::Probe, false),
        _ => return Err(format!("there is no task `{name}`")),
    };
    match args.first() {
        Some(extra) if !takes_args => Err(format!("`{name}` takes no argument, got `{extra}`")),
        _ => Ok(Invocation { task, args }),
    }
}

/// The internal task's name; not in the help.
pub const PROBE: &str = "__probe";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &[&str]) -> Result<Invocation, String> {
        parse(words.iter().map(|word| word.to_string()))
    }

    #[test]
    fn arguments_after_the_task_are_untouched() {
        let line = ["test", "conv2d", "--", "--nocapture", "--help"];
        let invocation = parse_words(&line).unwrap();
        assert_eq!(invocation.task, Task::Test);
        assert_eq!(invocation.args, line[1..]);
    }

    #[test]
    fn every_task_in_the_help_parses() {
        let listed: Vec<&str> = HELP
            .lines()
            .filter(|line| {
                line.starts_with("  ") && !line.starts_with("   ") && !line.contains('_')
            })
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(
            listed,
            [
                "demo",
                "test",
                "test",
                "bench",
                "peers",
                "gpu-report",
                "operators",
                "ci",
                "swiftshader",
                "help"
            ]
        );
        for name in listed {
            assert!(parse_words(&[name]).is_ok(), "{name}");
        }
    }

    #[test]
    fn no_task_is_a_call_for_help() {
        assert_eq!(parse_words(&[]).unwrap().task, Task::Help);
        assert_eq!(parse_words(&["-h"]).unwrap().task, Task::Help);
    }

    #[test]
    fn complaints_name_the_culprit() {
        assert_eq!(
            parse_words(&["tset"]).unwrap_err(),
            "there is no task `tset`"
        );
        assert_eq!(
            parse_words(&["ci", "fast"]).unwrap_err(),
            "`ci` takes no argument, got `fast`"
        );
    }
}
