//! `cargo xtask gpu-report`: what a machine with a GPU should tell the project, in one table. On
//! a CPU driver it does the same on smaller work.

use crate::session::{Failure, Session};
use crate::suite::{self, GPU_SUITE};

/// What is timed; the comparison leaves out what is no work for the adapter.
const MODELS: &str = "S,M,R20,R18,conv,conv-grad,gemm,gemm-grad";

/// PyTorch runs eagerly on its GPU, or on the CPU without one.
const PEERS: &str = "wgrad,pytorch";

/// Where the table goes, seen from the repository's root.
const TABLE: &str = "out/gpu-report.md";

/// Runs the parity suite and the comparison. A failure of the suite goes into the table, which
/// is made all the same, and fails the task.
pub fn run(session: &mut Session, args: &[String]) -> Result<(), Failure> {
    let device = session.device()?;
    if device.contains("CPU driver") && !device.contains("GPU") {
        println!("xtask: this machine has a CPU driver only: smaller work, and no R18");
    }
    let (outcome, printed) =
        session.cargo_kept(&["test", "--release", "--test", GPU_SUITE].map(str::to_owned))?;
    suite::peers(
        session,
        &comparison(&verdict(&printed), suite::own_args(args)),
    )?;
    outcome
}

fn comparison(parity: &str, args: &[String]) -> Vec<String> {
    let called = format!("cargo xtask gpu-report {}", args.join(" "));
    let own = [
        "--models", MODELS, "--peers", PEERS, "--note", parity, "--called", &called, "--out", TABLE,
    ];
    own.into_iter()
        .map(str::to_owned)
        .chain(args.iter().cloned())
        .collect()
}

/// The test program's last line, and the names of what failed.
fn verdict(printed: &str) -> String {
    let result = printed
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("test result: "));
    let Some(result) = result else {
        return format!("{GPU_SUITE} suite: did not finish");
    };
    let failed: Vec<&str> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"))
        .collect();
    let counts = result.split("; finished").next().unwrap_or(result);
    match failed.is_empty() {
        true => format!("{GPU_SUITE} suite: {counts}"),
        false => format!("{GPU_SUITE} suite: {counts}: {}", failed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_names_what_failed() {
        let good = "running 2 tests\ntest a ... ok\n\
                    test result: ok. 2 passed; 0 failed; finished in 1.00s\n";
        assert_eq!(verdict(good), "parity suite: ok. 2 passed; 0 failed");
        let bad = "test a::b ... FAILED\ntest c ... ok\n\
                   test result: FAILED. 1 passed; 1 failed; finished in 1.00s\n";
        assert_eq!(
            verdict(bad),
            "parity suite: FAILED. 1 passed; 1 failed: a::b"
        );
        assert_eq!(
            verdict("error: could not compile"),
            "parity suite: did not finish"
        );
    }

    #[test]
    fn the_users_options_come_last_and_win() {
        let args = ["--rounds".to_owned(), "2".to_owned()];
        let words = comparison("fine", &args);
        assert_eq!(words[words.len() - 2..], args);
        assert!(words.contains(&"cargo xtask gpu-report --rounds 2".to_owned()));
    }
}
