//! The command line.

use std::path::PathBuf;

use wgrad_peers::workload::{self, Workload};

use crate::engine::{self, Engine};

/// Printed by `--help`, and after a complaint.
pub const HELP: &str = "\
usage: cargo xtask peers [options]

Trains the same models with wgrad and other engines on this machine, turn by turn, and prints a
Markdown table. What counts are the ratios: the speed of most machines drifts.

  --peers a,b    of wgrad, burn, meganeura, pytorch, pytorch-cpu (default: all; `pytorch` runs on
                 PyTorch's GPU, where there is one). The first one is what the others are
                 compared with.
  --models a,b   of S, M, P, R20, R18, conv, conv-grad, gemm, gemm-grad (default: S, M, P)
  --rounds n     turns of every engine (default 5)
  --steps n      steps of a turn (default: as many as take --seconds)
  --seconds s    about how long a turn takes (default 1; at least one step is taken)
  --batch n      samples in a step, in place of the workload's own
  --caches dir   where drivers and engines keep compiled kernels, and burn what it tuned. Without
                 it, a fresh folder: the time to the first step is then that of a first start
                 (on Linux; elsewhere some drivers have caches of their own)
  --out file     writes the table there too
  --note text    a line for the table's head; may be repeated
  --called text  the command that the table's head names

environment: WGRAD_PYTHON, the Python that has PyTorch (default: python3, python);
WGRAD_ADAPTER chooses wgrad's adapter; VK_DRIVER_FILES chooses for all that use Vulkan.";

/// What to compare, and how.
#[derive(Debug)]
pub struct Options {
    pub engines: Vec<Engine>,
    pub workloads: Vec<Workload>,
    pub rounds: usize,
    pub steps: Option<usize>,
    pub seconds: f64,
    pub batch: Option<usize>,
    pub caches: Option<PathBuf>,
    pub out: Option<PathBuf>,
    pub notes: Vec<String>,
    pub called: String,
}

impl Options {
    /// Reads the command line; the error is for the user, empty for a call for help.
    pub fn parse(words: &[String]) -> Result<Self, String> {
        let mut options = Self {
            engines: engine::ALL.to_vec(),
            workloads: named("S,M,P", workload::find)?,
            rounds: 5,
            steps: None,
            seconds: 1.0,
            batch: None,
            caches: None,
            out: None,
            notes: Vec::new(),
            called: format!("cargo xtask peers {}", words.join(" ")),
        };
        let mut words = words.iter();
        while let Some(option) = words.next() {
            if option == "--help" || option == "-h" {
                return Err(String::new());
            }
            let value = words.next().ok_or(format!("`{option}` lacks a value"))?;
            match option.as_str() {
                "--peers" => options.engines = named(value, engine::find)?,
                "--models" => options.workloads = named(value, workload::find)?,
                "--rounds" => options.rounds = positive(option, value)?,
                "--steps" => options.steps = Some(positive(option, value)?),
                "--seconds" => options.seconds = number(option, value)?,
                "--batch" => options.batch = Some(positive(option, value)?),
                "--caches" => options.caches = Some(value.into()),
                "--out" => options.out = Some(value.into()),
                "--note" => options.notes.push(value.clone()),
                "--called" => options.called.clone_from(value),
                _ => return Err(format!("there is no option `{option}`")),
            }
        }
        Ok(options)
    }
}

fn named<T>(list: &str, find: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    let one = |name| find(name).ok_or(format!("there is no `{name}`"));
    list.split(',').map(str::trim).map(one).collect()
}

fn number<T: std::str::FromStr>(option: &str, value: &str) -> Result<T, String> {
    let wrong = |_| format!("`{option}` takes a number, not `{value}`");
    value.parse().map_err(wrong)
}

fn positive(option: &str, value: &str) -> Result<usize, String> {
    match number(option, value)? {
        0 => Err(format!("`{option}` takes a positive number")),
        n => Ok(n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn lists_keep_their_order() {
        let options = parse("--peers pytorch,wgrad --models R20,S --rounds 2").unwrap();
        assert_eq!(options.engines, [Engine::PyTorch, Engine::Wgrad]);
        let names: Vec<&str> = options.workloads.iter().map(|w| w.name).collect();
        assert_eq!(names, ["R20", "S"]);
        assert_eq!(options.rounds, 2);
    }

    #[test]
    fn complaints_name_the_culprit() {
        assert_eq!(parse("--models S,Z").unwrap_err(), "there is no `Z`");
        assert_eq!(parse("--steps").unwrap_err(), "`--steps` lacks a value");
        assert_eq!(
            parse("--rounds 0").unwrap_err(),
            "`--rounds` takes a positive number"
        );
        assert_eq!(parse("--help").unwrap_err(), "");
    }
}
