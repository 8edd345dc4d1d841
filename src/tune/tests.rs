//! The tuner's decisions, with times that are made up.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use super::search::Bench;
use super::*;
use crate::error::Error;
use crate::graph::Graph;
use crate::ops::{Conv2d, Linear};
use crate::plan::{Mode, PlanOptions};
use crate::run::{AdapterDescription, AdapterKind};
use crate::shader::Shaders;

/// What a fake candidate does.
#[derive(Clone, Copy)]
enum Does {
    Takes(f64),
    /// Quickly, but wrong by this in one element.
    Errs(f32),
    Fails,
    LosesTheDevice,
}

/// Every preparation takes a second of the budget; candidates take a millisecond unless they are
/// told otherwise.
struct Fake {
    does: BTreeMap<Choice, Does>,
    prepared: Vec<(String, Choice)>,
}

impl Fake {
    fn new(does: impl IntoIterator<Item = (Choice, Does)>) -> Self {
        Self {
            does: does.into_iter().collect(),
            prepared: Vec::new(),
        }
    }
}

impl Bench for Fake {
    type Trial = Does;

    async fn prepare(&mut self, problem: &Problem, choice: Choice) -> Result<Does> {
        self.prepared.push((problem.to_string(), choice));
        match self.does.get(&choice).copied().unwrap_or(Does::Takes(1e-3)) {
            Does::Fails => Err(Error::Invalid("the driver refuses".to_owned())),
            Does::LosesTheDevice => Err(Error::DeviceLost("unplugged".to_owned())),
            does => Ok(does),
        }
    }

    async fn result(&mut self, trial: &Does) -> Result<Vec<f32>> {
        Ok(match *trial {
            Does::Errs(by) => vec![1.0, -1.0, 1.0 + by],
            _ => vec![1.0, -1.0, 1.0],
        })
    }

    async fn seconds(&mut self, trial: &Does, _limit: f64) -> Result<f64> {
        Ok(match *trial {
            Does::Takes(seconds) => seconds,
            _ => 1e-9,
        })
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.prepared.len() as u64)
    }
}

/// A convolution and a product, the convolution with more arithmetic.
fn problems() -> Vec<Problem> {
    static PROBLEMS: LazyLock<Vec<Problem>> = LazyLock::new(planned);
    PROBLEMS.clone()
}

fn planned() -> Vec<Problem> {
    let mut graph = Graph::new();
    let x = graph.input("x", [32, 14, 14]);
    let y = graph.conv2d(x, Conv2d::new(64, 3).padding(1));
    let y = graph.flatten(y);
    let z = graph.linear(y, Linear::new(10));
    let options = PlanOptions {
        batch: 8,
        mode: Mode::Evaluation,
        fuse: true,
        reuse: true,
    };
    let shaders = Shaders::new().unwrap();
    let plan = Plan::new(&graph, &[z], options, &AdapterProfile::cpu(), &shaders).unwrap();
    let problems: Vec<Problem> = plan.problems().map(|(problem, _)| *problem).collect();
    assert_eq!(problems.len(), 2);
    problems
}

fn convolution() -> Problem {
    problems()[0]
}

fn candidates() -> Vec<Choice> {
    let candidates = convolution().candidates(&AdapterProfile::cpu());
    assert!(candidates.len() > 4);
    candidates
}

fn key(driver: &str) -> Key {
    Key::new(&AdapterDescription {
        name: "a card".to_owned(),
        kind: AdapterKind::Cpu,
        backend: "vulkan".to_owned(),
        driver: driver.to_owned(),
    })
}

fn run(tuner: &Tuner, fake: &mut Fake, driver: &str, problems: &[Problem]) -> Result<Tuning> {
    let adapter = AdapterProfile::cpu();
    pollster::block_on(tuner.tune_with(fake, &adapter, key(driver), problems))
}

fn patient() -> Tuner {
    Tuner::new().budget(Duration::from_secs(1000))
}

/// Of the convolution alone.
fn tuned(does: &[(Choice, Does)]) -> Tuned {
    let mut fake = Fake::new(does.iter().copied());
    let tuning = run(&patient(), &mut fake, "1", &[convolution()]).unwrap();
    assert_eq!(fake.prepared.len(), candidates().len(), "each once");
    tuning.problems[0].clone()
}

fn refused(tuned: &Tuned) -> &[(Choice, String)] {
    match &tuned.source {
        Source::Measured { refused, .. } => refused,
        other => panic!("not measured: {other:?}"),
    }
}

#[test]
fn the_fastest_is_taken_if_it_gains_three_percent() {
    let all = candidates();
    let (usual, a, b) = (all[0], all[2], all[3]);
    let with = |seconds: f64| tuned(&[(a, Does::Takes(9.9e-4)), (b, Does::Takes(seconds))]).choice;
    assert_eq!(with(5e-4), b);
    assert_eq!(with(9.69e-4), b);
    assert_eq!(with(9.71e-4), usual, "less than three percent");
    assert_eq!(tuned(&[(usual, Does::Takes(1e-5))]).choice, usual);
    assert_eq!(tuned(&[]).choice, usual, "all the same");
}

#[test]
fn wrong_results_and_failures_are_refused_with_a_reason() {
    let all = candidates();
    let cases = [
        (Does::Errs(1e-3), "differs by 5.8e-4"),
        (Does::Errs(f32::NAN), "differs by NaN"),
        (Does::Errs(f32::INFINITY), "differs by NaN"),
        (Does::Fails, "the driver refuses"),
    ];
    for (does, reason) in cases {
        let tuned = tuned(&[(all[1], does), (all[2], Does::Takes(8e-4))]);
        assert_eq!(tuned.choice, all[2], "{reason}");
        let [(choice, told)] = refused(&tuned) else {
            panic!("{:?}", refused(&tuned));
        };
        assert!(*choice == all[1] && told.contains(reason), "{told}");
    }
    // Within the tolerance.
    let tuned = tuned(&[(all[1], Does::Errs(1e-5))]);
    assert!(tuned.choice == all[1] && refused(&tuned).is_empty());
}

#[test]
fn a_lost_device_ends_the_tuning() {
    let mut fake = Fake::new([(candidates()[1], Does::LosesTheDevice)]);
    let error = run(&patient(), &mut fake, "1", &[convolution()]).unwrap_err();
    assert!(matches!(error, Error::DeviceLost(_)), "{error}");
}

#[test]
fn what_would_not_be_measured_in_time_stays_as_it_is() {
    let all = candidates();
    let mut order = problems();
    order.reverse();
    let fast = || Fake::new([(all[1], Does::Takes(1e-4))]);
    let within = |seconds: usize, fake: &mut Fake| {
        let tuner = Tuner::new().budget(Duration::from_secs(seconds as u64));
        run(&tuner, fake, "1", &order).unwrap()
    };
    // Enough for the heavier problem alone, which comes first.
    let mut fake = fast();
    let tuning = within(all.len(), &mut fake);
    assert_eq!(fake.prepared.len(), all.len());
    assert_eq!(tuning.problems[0].choice, all[1]);
    assert_eq!(tuning.problems[1].source, Source::OutOfTime);
    assert_eq!(tuning.choices().iter().count(), 1);
    let text = tuning.to_string();
    assert!(
        text.contains("(the usual one; there was no time to measure)"),
        "{text}"
    );
    assert!(text.ends_with("2 problems, 1 of them not measured in time"));
    // Not enough: its first candidate tells, and the time is left to the lighter problem.
    let mut fake = fast();
    let tuning = within(all.len() - 1, &mut fake);
    assert_eq!(tuning.problems[0].source, Source::OutOfTime);
    assert_eq!(tuning.problems[0].choice, all[0]);
    assert_eq!(fake.prepared[..1], [(convolution().to_string(), all[0])]);
    let lighter = order[0].candidates(&AdapterProfile::cpu()).len();
    assert_eq!(fake.prepared.len(), 1 + lighter);
    assert_eq!(tuning.choices().iter().count(), 1);
    let mut fake = fast();
    within(0, &mut fake);
    assert_eq!(fake.prepared, []);
}

/// A folder that is deleted in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("wgrad-tune-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    /// In a folder that is yet to be made.
    fn file(&self) -> PathBuf {
        self.0.join("cache/kernels.json")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_the_cache_holds_is_not_measured_again() {
    let folder = Folder::new("hit");
    let tuner = patient().cache(folder.file());
    let all = candidates();
    let does = [(all[1], Does::Takes(1e-4))];
    let first = run(&tuner, &mut Fake::new(does), "1", &problems()).unwrap();
    assert_eq!(first.notes, [""; 0]);
    let text = fs::read_to_string(folder.file()).unwrap();
    let mut fake = Fake::new([]);
    let second = run(&tuner, &mut fake, "1", &problems()).unwrap();
    assert_eq!(fake.prepared, []);
    assert_eq!(second.choices(), first.choices());
    assert!(second.problems.iter().all(|t| t.source == Source::Cache));
    assert_eq!(fs::read_to_string(folder.file()).unwrap(), text);

    // Another driver's choices are its own; both are kept.
    let mut fake = Fake::new([]);
    let other = run(&tuner, &mut fake, "2", &problems()).unwrap();
    assert_eq!(other.problems[0].choice, all[0]);
    assert!(!fake.prepared.is_empty());
    let mut fake = Fake::new([]);
    let first_again = run(&tuner, &mut fake, "1", &problems()).unwrap();
    assert_eq!(first_again.choices(), first.choices());
    assert_eq!(fake.prepared, []);
    let files = fs::read_dir(folder.file().parent().unwrap()).unwrap();
    assert_eq!(files.count(), 1, "no temporary is left");
}

#[test]
fn the_file_is_sorted_and_says_what_it_is() {
    let folder = Folder::new("text");
    let tuner = patient().cache(folder.file());
    let mut product = problems();
    product.remove(0);
    run(&tuner, &mut Fake::new([]), "24.1", &product).unwrap();
    let (problem, version) = (product[0], env!("CARGO_PKG_VERSION"));
    let choice = problem.candidates(&AdapterProfile::cpu())[0];
    let expected = format!(
        r#"{{
  "devices": [
    {{
      "adapter": "a card",
      "backend": "vulkan",
      "choices": {{
        "{problem}": "{choice}"
      }},
      "driver": "24.1",
      "wgrad": "{version}"
    }}
  ],
  "format": "wgrad kernel choices",
  "version": 1
}}
"#
    );
    assert_eq!(fs::read_to_string(folder.file()).unwrap(), expected);
}

#[test]
fn a_file_that_is_no_cache_is_an_error_and_stays() {
    let folder = Folder::new("foreign");
    let file = folder.file();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let cases = [
        ("", "EOF while parsing"),
        ("{\"format\": \"wgrad kernel", "EOF while parsing"),
        ("{\"weights\": 3}", "its `format` is not"),
        (
            r#"{"format": "wgrad kernel choices", "version": 2, "devices": []}"#,
            "its `version` is Some(2), not 1",
        ),
        (
            r#"{"format": "wgrad kernel choices", "version": 1, "devices": [{}]}"#,
            "a device has no",
        ),
    ];
    for (contents, reason) in cases {
        fs::write(&file, contents).unwrap();
        let mut fake = Fake::new([]);
        let tuner = patient().cache(&file);
        let error = run(&tuner, &mut fake, "1", &problems()).unwrap_err();
        assert!(matches!(error, Error::Tune(TuneError::Foreign { .. })));
        let text = error.to_string();
        assert!(
            text.contains(reason) && text.contains("kernels.json"),
            "{text}"
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), contents);
        assert_eq!(fake.prepared, [], "found before anything is measured");
    }
}

#[test]
fn a_choice_of_the_cache_that_is_no_candidate_is_measured_anew() {
    let folder = Folder::new("odd");
    let file = folder.file();
    let tuner = patient().cache(&file);
    run(&tuner, &mut Fake::new([]), "1", &[convolution()]).unwrap();
    let good = fs::read_to_string(&file).unwrap();
    for odd in ["register tile=64x64x64 parts=1", "fft"] {
        let usual = candidates()[0].to_string();
        fs::write(&file, good.replace(&usual, odd)).unwrap();
        let mut fake = Fake::new([]);
        let tuning = run(&tuner, &mut fake, "1", &[convolution()]).unwrap();
        assert_eq!(fake.prepared.len(), candidates().len());
        assert!(tuning.notes[0].contains(odd), "{:?}", tuning.notes);
        assert_eq!(fs::read_to_string(&file).unwrap(), good, "put right");
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_noted() {
    let tuner = patient().cache("");
    let tuning = run(&tuner, &mut Fake::new([]), "1", &[convolution()]).unwrap();
    assert!(tuning.notes[0].contains("were not kept in"), "{tuning}");
}
