//! No operator without its kernels, its reference and its tests; see `wgrad::ops::registry`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "support/compare.rs"]
mod compare;
#[path = "support/errors.rs"]
mod errors;
mod planning;
#[path = "registry/sources.rs"]
mod sources;
#[path = "registry/table.rs"]
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use planning::cases::{self, Case};
use planning::{profiles, random_graph};
use wgrad::ops::registry::{HELPERS, LOSSES, OPERATORS};
use wgrad::plan::Mode;

/// Files of `src/ops/` that hold no operator.
const WITHOUT_OPERATOR: &[&str] = &[
    "bins",
    "choice",
    "draws",
    "elementwise",
    "loss",
    "mod",
    "pointwise_loss",
    "pool_window",
    "registry",
    "split",
    "sum_partials",
    "tile",
    "unary",
    "window",
];

/// Functions of one element, which have one table each in `tests/reference/unary.rs` and
/// `tests/ops/unary.rs`.
#[rustfmt::skip]
const UNARY: &[&str] = &[
    "celu", "elu", "gelu", "hard_sigmoid", "hard_swish", "mish", "relu6", "selu", "silu", "softplus",
];

/// The name of the files that test an operator.
fn test_stem(stem: &'static str) -> &'static str {
    if UNARY.contains(&stem) { "unary" } else { stem }
}

fn path(relative: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The text of a file, empty if there is none.
fn text(relative: impl AsRef<Path>) -> String {
    fs::read_to_string(path(relative)).unwrap_or_default()
}

/// The names in a folder, without `.rs` or `.wgsl`.
fn stems(folder: &str) -> BTreeSet<String> {
    fs::read_dir(path(folder))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            path.file_stem().unwrap().to_str().unwrap().to_owned()
        })
        .collect()
}

/// The text of every Rust file below a folder.
fn sources(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
    texts
}

/// The names that operators give themselves: the literal behind each `fn name(&self)`, and the
/// two that a `Unary` has.
fn names_in(text: &str) -> Vec<String> {
    let unquoted = |literal: &str| {
        let name = literal.trim().strip_prefix('"')?.strip_suffix('"')?;
        Some(name.to_owned())
    };
    let bodies = text.split("fn name(&self) -> &'static str {").skip(1);
    let single = bodies.filter_map(|body| unquoted(body.split('}').next()?));
    let lists = text.split("NAMES: [&'static str; 2] = [").skip(1);
    let pairs = lists.flat_map(|list| list.split(']').take(1).flat_map(|pair| pair.split(',')));
    single.chain(pairs.filter_map(unquoted)).collect()
}

fn registered() -> BTreeSet<&'static str> {
    let entries = OPERATORS.iter().flat_map(|entry| entry.operators);
    let helpers = HELPERS.iter().flat_map(|helper| helper.operators);
    entries.chain(helpers).copied().collect()
}

/// Collects what is missing, so that one run names all of it.
#[derive(Default)]
struct Missing(Vec<String>);

impl Missing {
    fn unless(&mut self, there: bool, what: String) {
        if !there {
            self.0.push(what);
        }
    }
}

impl Drop for Missing {
    fn drop(&mut self) {
        let nothing = self.0.is_empty() || std::thread::panicking();
        assert!(nothing, "missing:\n{}", self.0.join("\n"));
    }
}

#[test]
fn the_tables_are_in_order() {
    let entries: Vec<&str> = OPERATORS.iter().map(|entry| entry.stem).collect();
    let helpers: Vec<&str> = HELPERS.iter().map(|helper| helper.stem).collect();
    for stems in [&entries, &helpers] {
        assert!(stems.is_sorted_by(|a, b| a < b), "{stems:?}");
    }
    let names = OPERATORS.iter().flat_map(|e| e.operators);
    let names = names.chain(HELPERS.iter().flat_map(|h| h.operators));
    assert_eq!(names.count(), registered().len(), "a name comes twice");
    for entry in OPERATORS {
        assert_eq!(entry.operators[0], entry.stem, "the forward operator first");
        assert!(!entry.description.is_empty() && !entry.source.is_empty());
        let gradients = &entry.operators[1..];
        let prefix = format!("{}_grad", entry.stem);
        assert!(
            gradients.iter().all(|g| g.starts_with(&prefix)),
            "{entry:?}"
        );
    }
    for helper in HELPERS {
        let serves = |stem: &&str| entries.contains(stem);
        assert!(helper.serves.iter().all(serves), "{helper:?}");
        assert!(!helper.serves.is_empty() || helper.stem == "training");
    }
}

/// One stem in four trees.
#[test]
fn every_operator_has_its_files() {
    let mut missing = Missing::default();
    let shaders = stems("shaders");
    for entry in OPERATORS {
        let stem = entry.stem;
        let source = [
            format!("src/ops/{stem}.rs"),
            format!("src/ops/{stem}/mod.rs"),
        ];
        let there = source.iter().any(|file| path(file).exists());
        missing.unless(there, format!("{} or {}", source[0], source[1]));
        let shader = shaders
            .iter()
            .any(|s| s == entry.shader || s.starts_with(&format!("{}_", entry.shader)));
        let file = format!("shaders/{}.wgsl", entry.shader);
        missing.unless(shader != entry.is_view, file);
        for folder in ["tests/reference", "tests/ops"] {
            let stem = test_stem(stem);
            let file = format!("{folder}/{stem}.rs");
            missing.unless(path(&file).exists(), file);
            let module = text(format!("{folder}/mod.rs"));
            let declared = module.contains(&format!("mod {stem};"));
            missing.unless(declared, format!("`mod {stem};` in {folder}/mod.rs"));
        }
    }
}

/// A file that exists may still test nothing.
#[test]
fn every_operator_has_a_property_and_its_gradient_is_compared() {
    // These functions of tests/ops/mod.rs compare a result and its gradient.
    let checks = ["check_loss(", "check_from_result(", "check_draws("];
    let mut missing = Missing::default();
    for entry in OPERATORS {
        let stem = test_stem(entry.stem);
        let file = format!("tests/ops/{stem}.rs");
        let test = text(&file);
        let mut wants = |what: &str, there: bool| {
            missing.unless(there, format!("{what} in {file}"));
        };
        wants("a property (`proptest!`)", test.contains("proptest!"));
        let calls = |names: &[&str]| {
            let mut names = names.iter().chain(&checks);
            names.any(|name| test.contains(name))
        };
        wants("a comparison (`assert_close`)", calls(&["assert_close("]));
        wants("a gradient", calls(&["gradients(", "gradients_from("]));
        wants(
            "the reference",
            test.contains("use crate::reference") && test.contains(stem),
        );
        if stem == "unary" {
            let call = format!("graph.{}(", entry.stem);
            let table = text("tests/support/unary.rs");
            missing.unless(table.contains(&call), format!("`{call}` in the table"));
        }
        let reference = text(format!("tests/reference/{stem}.rs"));
        let beside = text(format!("tests/reference/{stem}_tests.rs"));
        missing.unless(
            reference.contains("assert_gradient(") || beside.contains("assert_gradient("),
            format!("central differences in tests/reference/{stem}.rs"),
        );
        missing.unless(
            reference.contains("pub fn grad"),
            format!("a gradient in tests/reference/{stem}.rs"),
        );
    }
}

/// Operators that PyTorch computes no other way than their reference does: by random numbers of
/// its own, or by moving and adding numbers. And Caffe's, which it does not have.
#[rustfmt::skip]
const WITHOUT_PYTORCH: &[&str] = &[
    "add", "channel_dropout", "concat", "dropout", "hinge_loss", "reshape", "stochastic_depth",
];

/// PyTorch's values are a witness of the references, numbers worked by hand where it has none.
#[test]
fn every_reference_has_a_witness() {
    let mut missing = Missing::default();
    let files = ["", "_activations", "_losses", "_structure", "_windows"];
    let pytorch = files.map(|name| text(format!("tests/reference/pytorch{name}.rs")));
    let pytorch = pytorch.concat();
    for entry in OPERATORS {
        let stem = test_stem(entry.stem);
        let by_hand = text(format!("tests/reference/{stem}.rs")).contains("_by_hand() {");
        let compared = pytorch.contains(&format!("{stem}::"));
        let hand_only = WITHOUT_PYTORCH.contains(&entry.stem);
        let what = format!("PyTorch's values of `{stem}` in tests/reference/pytorch*.rs");
        missing.unless(compared != hand_only, what);
        let what = format!("numbers worked by hand in tests/reference/{stem}.rs");
        missing.unless(compared || by_hand, what);
    }
}

/// Update rules: a reference with steps by hand, and a training that follows it. (Their kernels are
/// in the cases, as every shader must be.)
#[test]
fn every_update_rule_has_its_parts() {
    let mut missing = Missing::default();
    let trainings = sources(&path("tests/training")).concat();
    for rule in cases::training::rules() {
        let (name, kind) = (rule.name(), format!("{rule:?}"));
        let kind = kind.split([' ', '(']).next().unwrap();
        let file = format!("tests/reference/{name}.rs");
        let reference = text(&file);
        let by_hand = reference.contains("_by_hand() {");
        missing.unless(
            reference.contains("pub fn step("),
            format!("a step in {file}"),
        );
        missing.unless(by_hand, format!("steps by hand in {file}"));
        for call in [format!("{kind}::new("), format!("{name}::step(")] {
            let what = format!("`{call}` in tests/training");
            missing.unless(trainings.contains(&call), what);
        }
    }
}

/// The gradients of whole networks are checked behind every loss.
#[test]
fn every_loss_ends_a_network_whose_gradient_is_checked() {
    let mut missing = Missing::default();
    let table = text("tests/gradients/losses.rs");
    for entry in OPERATORS.iter().filter(|e| LOSSES.contains(&e.stem)) {
        for method in sources::graph_methods(entry) {
            let call = format!("g.{method}(");
            let what = format!("`{call}` in tests/gradients/losses.rs");
            missing.unless(table.contains(&call), what);
        }
    }
}

/// The other way round: what exists is registered.
#[test]
fn every_file_belongs_to_an_operator() {
    let mut missing = Missing::default();
    let entries = OPERATORS.iter().map(|entry| entry.stem);
    let helpers = HELPERS.iter().map(|helper| helper.stem);
    let known: BTreeSet<&str> = entries.chain(helpers).collect();
    for stem in stems("src/ops") {
        let supports = WITHOUT_OPERATOR.contains(&stem.as_str());
        let what = format!("`{stem}` of src/ops in the registry");
        missing.unless(known.contains(stem.as_str()) != supports, what);
    }
    for stem in stems("tests/ops") {
        // `conv2d_variants` belongs to `conv2d`.
        let belongs = |known: &&str| {
            let rest = stem.strip_prefix(known);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        let what = format!("`{stem}` of tests/ops in the registry");
        let mut tested = known.iter().map(|stem| test_stem(stem));
        missing.unless(tested.any(|known| belongs(&known)) || stem == "mod", what);
    }
    for stem in WITHOUT_OPERATOR {
        let source = text(format!("src/ops/{stem}.rs"));
        missing.unless(!source.is_empty(), format!("src/ops/{stem}.rs"));
        let what = format!("src/ops/{stem}.rs in the registry, as it holds an operator");
        missing.unless(!source.contains("impl Operator for"), what);
    }
    for stem in known {
        let files = [
            format!("src/ops/{stem}.rs"),
            format!("src/ops/{stem}/mod.rs"),
        ];
        let there = files.iter().any(|file| path(file).exists());
        missing.unless(there, format!("src/ops/{stem}.rs"));
    }
}

#[test]
fn every_name_in_the_sources_is_registered() {
    let texts = sources(&path("src/ops"));
    let found: BTreeSet<String> = texts.iter().flat_map(|text| names_in(text)).collect();
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(found, registered());
}

/// The names of all operators in the cases of a stem, with their gradients.
fn operators_of(cases: &[Case]) -> BTreeSet<&'static str> {
    let tasks = cases.iter().flat_map(Case::tasks);
    tasks
        .flat_map(|task| {
            let nodes = task.graph.nodes().iter();
            nodes.map(|node| node.operator.name()).collect::<Vec<_>>()
        })
        .collect()
}

/// The table of cases, which the tests of shaders plan, has every operator.
#[test]
fn every_operator_has_cases_that_reach_its_gradients() {
    let mut missing = Missing::default();
    let cases: BTreeMap<&str, Vec<Case>> = cases::STEMS
        .iter()
        .map(|(stem, fill)| (*stem, cases::of_stem(stem, *fill)))
        .collect();
    let mut seen = BTreeSet::new();
    for entry in OPERATORS {
        let Some(cases) = cases.get(entry.stem) else {
            missing.unless(false, format!("cases of `{}`", entry.stem));
            continue;
        };
        let operators = operators_of(cases);
        for operator in entry.operators {
            let what = format!("`{operator}` in the cases of `{}`", entry.stem);
            missing.unless(operators.contains(operator), what);
        }
        seen.extend(operators);
    }
    seen.extend(
        cases
            .get("training")
            .map(|c| operators_of(c))
            .unwrap_or_default(),
    );
    // These are made in planning; the graph has none.
    let planned = BTreeSet::from(["copy", "rectified_max_pool2d"]);
    for operator in registered().difference(&planned) {
        missing.unless(seen.contains(operator), format!("`{operator}` in a case"));
    }
}

/// What the table says of parameters and views is so.
#[test]
fn entries_say_what_operators_do() {
    for entry in OPERATORS {
        let (_, fill) = cases::STEMS.iter().find(|(s, _)| *s == entry.stem).unwrap();
        let cases = cases::of_stem(entry.stem, *fill);
        let mut learned = BTreeSet::new();
        let mut views = BTreeSet::new();
        for case in &cases {
            for parameter in case.graph.parameters().iter().filter(|p| p.is_trained()) {
                learned.extend(parameter.name.rsplit('.').next().map(str::to_owned));
            }
            let nodes = case.graph.nodes().iter();
            for node in nodes.filter(|node| node.operator.name() == entry.stem) {
                let is_view = |mode| node.operator.is_view(mode);
                views.insert(is_view(Mode::Training) && is_view(Mode::Evaluation));
            }
        }
        let learned: BTreeSet<&str> = learned.iter().map(String::as_str).collect();
        assert_eq!(learned, entry.learns.iter().copied().collect(), "{entry:?}");
        // Dropout with probability 0 is a view too; a view always is.
        assert_eq!(!views.contains(&false), entry.is_view, "{entry:?}");
    }
}

/// A stem's kernels bear its name, or the registry says whose it uses: its cases reach one.
#[test]
fn operators_use_kernels_of_their_own() {
    for entry in OPERATORS.iter().filter(|entry| !entry.is_view) {
        let (_, fill) = cases::STEMS.iter().find(|(s, _)| *s == entry.stem).unwrap();
        let cases = cases::of_stem(entry.stem, *fill);
        let own = cases.iter().any(|case| {
            let planned = profiles().map(|adapter| case.plan(&adapter));
            let mut commands = planned.iter().flatten().flat_map(|p| &p.recording.commands);
            commands.any(|command| command.shader.name == entry.shader)
        });
        assert!(
            own,
            "no case of `{}` uses shaders/{}.wgsl",
            entry.stem, entry.shader
        );
    }
}

/// Random networks are made of every operator that is no loss.
#[test]
fn random_networks_may_have_every_operator() {
    let mut missing = Missing::default();
    let grown: Vec<&str> = random_graph::operators().collect();
    // The losses stand at the end of every network, with a view before them.
    let always = |stem: &str| stem == "reshape" || LOSSES.contains(&stem);
    for entry in OPERATORS.iter().filter(|entry| !always(entry.stem)) {
        let what = format!("`{}` in tests/planning/random_graph.rs", entry.stem);
        missing.unless(grown.contains(&entry.stem), what);
    }
}
