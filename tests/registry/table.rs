//! The table of operators in `docs/OPERATORS.md`, made of the registry, of what the sources and the
//! plans of its cases say, and of the errors that the parity suite measured.
//!
//! `cargo xtask operators` measures and writes it; without, a test compares the committed one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use wgrad::autodiff::{gradients, gradients_from};
use wgrad::ops::registry::{Entry, HELPERS, LOSSES, OPERATORS};

use super::compare::Tolerance;
use super::errors::{DEVICE, ERRORS};
use super::planning::cases::{self, Case};
use super::planning::{differentiable, profiles};
use super::{path, sources, test_stem, text};

/// The document.
const DOCUMENT: &str = "docs/OPERATORS.md";
/// Names the folder with a folder of errors for each driver; then the document is written.
const VARIABLE: &str = "WGRAD_OPERATORS_FROM";
/// The drivers, as folders are named and as the table's columns are headed.
const DRIVERS: [&str; 2] = ["lavapipe", "SwiftShader"];

/// The worst errors of an operator: of a result as a whole, and of one element.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Worst {
    whole: f64,
    element: f64,
}

impl Worst {
    fn larger(self, other: Self) -> Self {
        Self {
            whole: self.whole.max(other.whole),
            element: self.element.max(other.element),
        }
    }

    fn is_allowed(self) -> bool {
        self.whole <= Tolerance::F32.relative && self.element <= Tolerance::F32.element
    }

    fn cell(self) -> String {
        format!("{:.1e}, {:.1e}", self.whole, self.element)
    }

    fn read(cell: &str) -> Option<Self> {
        let (whole, element) = cell.split_once(", ")?;
        Some(Self {
            whole: whole.parse().ok()?,
            element: element.parse().ok()?,
        })
    }
}

/// What was measured on a driver.
struct Measured {
    device: String,
    worst: BTreeMap<&'static str, Worst>,
}

/// The registry's stem for what a comparison is kept under: the name of a test's file, which may
/// have more behind the stem, or of a function such as `HardSwish` or `Celu(0.7)`.
fn stem_of(kept: &str) -> Option<&'static str> {
    let mut name = String::new();
    for letter in kept.split('(').next().unwrap_or(kept).chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    let belongs = |stem: &&str| {
        let rest = name.strip_prefix(stem);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    let stems = OPERATORS.iter().map(|entry| entry.stem);
    stems.filter(belongs).max_by_key(|stem| stem.len())
}

impl Measured {
    fn of(folder: &Path) -> Self {
        let read = |file: &str| {
            let path = folder.join(file);
            fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        };
        let mut worst: BTreeMap<&'static str, Worst> = BTreeMap::new();
        for line in read(ERRORS).lines() {
            let (kept, numbers) = line.split_once(' ').unwrap();
            let error = Worst::read(&numbers.replace(' ', ", ")).unwrap();
            if let Some(stem) = stem_of(kept) {
                let so_far = worst.entry(stem).or_default();
                *so_far = so_far.larger(error);
            }
        }
        Self {
            device: read(DEVICE).trim().to_owned(),
            worst,
        }
    }

    fn cell(&self, stem: &str) -> String {
        let worst = self.worst.get(stem);
        worst.map_or_else(|| "not measured".to_owned(), |worst| worst.cell())
    }
}

/// The stems that stand around an operator in its cases, and what adds δ of values that are used
/// twice.
fn foreign(entry: &Entry, cases: &[Case]) -> BTreeSet<&'static str> {
    let nodes = cases.iter().flat_map(|case| case.graph.nodes());
    let nodes: BTreeSet<&str> = nodes.map(|node| node.operator.name()).collect();
    let stems = OPERATORS.iter().map(|other| other.stem);
    let around = stems.filter(|stem| *stem == "add" || nodes.contains(stem));
    around.filter(|stem| *stem != entry.stem).collect()
}

/// The operators by which a stem's gradients are computed.
fn gradient_operators(entry: &Entry, cases: &[Case]) -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    for case in cases {
        let mut graph = case.graph.clone();
        let wrt = differentiable(&graph);
        let result = graph.type_of(case.result).clone();
        let forward = graph.nodes().len();
        let found = if result.batched {
            let delta = graph.persistent("delta", result, "delta", 0);
            gradients_from(&mut graph, &[(case.result, delta)], &wrt)
        } else {
            gradients(&mut graph, case.result, &wrt)
        };
        // Some cases have no gradient: evaluation, labels alone.
        if found.is_ok() {
            names.extend(graph.nodes()[forward..].iter().map(|n| n.operator.name()));
        }
    }
    let foreign = foreign(entry, cases);
    let others = OPERATORS
        .iter()
        .filter(|other| foreign.contains(other.stem));
    let others = others.flat_map(|other| other.operators[1..].iter().copied());
    for name in others.chain(["add", "ones"]) {
        names.remove(name);
    }
    names
}

/// The shaders of a stem's cases.
fn shaders(entry: &Entry, cases: &[Case]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for case in cases {
        for planned in profiles().iter().flat_map(|adapter| case.plan(adapter)) {
            let commands = planned.recording.commands.iter();
            names.extend(commands.map(|command| command.shader.name.to_string()));
        }
    }
    let foreign = foreign(entry, cases);
    let is_own = |name: &String| !stem_of(name).is_some_and(|stem| foreign.contains(stem));
    names.retain(|name| is_own(name) && name != "ones");
    names
}

fn listed<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let quoted = names.into_iter().map(|name| format!("`{}`", name.as_ref()));
    quoted.collect::<Vec<_>>().join(", ")
}

fn cases_of(entry: &Entry) -> Vec<Case> {
    let (_, fill) = cases::STEMS.iter().find(|(s, _)| *s == entry.stem).unwrap();
    cases::of_stem(entry.stem, *fill)
}

fn gradient(entry: &Entry, cases: &[Case]) -> String {
    let operators = gradient_operators(entry, cases);
    match () {
        () if LOSSES.contains(&entry.stem) => "with the loss itself".to_owned(),
        () if operators.is_empty() => "δ as it is".to_owned(),
        () => listed(operators),
    }
}

/// The rows of the table of operators, up to the measured errors.
fn rows() -> Vec<(&'static str, String)> {
    let row = |entry: &Entry| {
        let in_graph = sources::graph_methods(entry);
        let in_chain = sources::chain_methods(&in_graph);
        let cases = cases_of(entry);
        let forms = sources::forms(entry).join("<br>");
        let text = format!(
            "| `{}`: {} | {} | {} | {forms} | {} | {} |",
            entry.stem,
            entry.description,
            listed(in_graph),
            listed(in_chain),
            gradient(entry, &cases),
            entry.source
        );
        (entry.stem, text)
    };
    OPERATORS.iter().map(row).collect()
}

/// The table of files: true of the sources, so it is compared whole.
fn files() -> String {
    let mut out = String::from(
        "| operator | kernels (`shaders/`) | reference (`tests/reference/`) | \
         parity (`tests/ops/`) |\n|---|---|---|---|\n",
    );
    for entry in OPERATORS {
        let shaders = listed(shaders(entry, &cases_of(entry)));
        let test = test_stem(entry.stem);
        let stem = entry.stem;
        writeln!(out, "| `{stem}` | {shaders} | `{test}.rs` | `{test}.rs` |").unwrap();
    }
    out.push_str("\n## Operators that serve others\n\n");
    out.push_str("| file | operators | what for | tested with |\n|---|---|---|---|\n");
    for helper in HELPERS {
        let tested = match helper.serves {
            [] => "training (`tests/training/`)".to_owned(),
            stems => listed(stems),
        };
        let (stem, what, operators) = (helper.stem, helper.description, listed(helper.operators));
        writeln!(out, "| `{stem}` | {operators} | {what} | {tested} |").unwrap();
    }
    out
}

const HEAD: &str = "\
# Operators

Every operator that a network may be made of. `cargo xtask operators` makes this page: from
`ops::registry`, from the sources, from the plans of the cases in `tests/planning/`, and from the
errors that the parity suite measures. `cargo xtask test` refuses a page that no longer fits them.

* **graph** and **chain**: the methods of `Graph` and `Network` that apply it. Losses are given to
  `Trainer::loss`.
* **attributes**: how they are given, then the options with their defaults.
* **gradient**: the operators that compute it from δ of the result.
* **lavapipe**, **SwiftShader**: the largest errors of its parity tests on two Vulkan drivers, for the
  result and every gradient against the reference in f64, over fixed cases and random shapes. The
  first number is ‖out − ref‖/‖ref‖ of a whole result (at most 1e-5 is allowed), the second the worst
  element's |out − ref|/(rms(ref) + |ref|) (at most 8e-5). Where the reference is zero both are
  |out|. Random cases differ from run to run, and so do the last digits of these numbers.
";

const COLUMNS: &str = "| operator | graph | chain | attributes | gradient | reference |";

fn document(date: &str, measured: [Measured; 2]) -> String {
    let mut out = format!("{HEAD}\nMeasured {date}:\n\n");
    for (driver, measured) in DRIVERS.iter().zip(&measured) {
        writeln!(out, "* {driver}: {}", measured.device).unwrap();
    }
    let drivers = DRIVERS.join(" | ");
    writeln!(
        out,
        "\n{COLUMNS} {drivers} |\n|---|---|---|---|---|---|---|---|"
    )
    .unwrap();
    for (stem, row) in rows() {
        let [first, second] = measured.each_ref().map(|measured| measured.cell(stem));
        writeln!(out, "{row} {first} | {second} |").unwrap();
    }
    writeln!(out, "\n## Files\n\n{}", files().trim_end()).unwrap();
    out
}

/// Writes the document if the variable asks for it; compares the committed one always.
#[test]
fn the_table_of_operators_is_up_to_date() {
    if let Some(folder) = std::env::var_os(VARIABLE).map(PathBuf::from) {
        let date = fs::read_to_string(folder.join("date.txt")).unwrap();
        let measured = DRIVERS.map(|driver| Measured::of(&folder.join(driver)));
        fs::write(path(DOCUMENT), document(date.trim(), measured)).unwrap();
    }
    let committed = text(DOCUMENT);
    let mut stale = super::Missing::default();
    let mut unless = |holds: bool, what: String| {
        stale.unless(
            holds,
            format!("{what} ({DOCUMENT}; `cargo xtask operators`)"),
        );
    };
    unless(committed.starts_with(HEAD), "the page's head".to_owned());
    unless(
        committed.contains(files().trim_end()),
        "the tables of files".to_owned(),
    );
    let lines = committed.lines().filter(|line| line.starts_with("| `"));
    unless(
        lines.count() > 2 * OPERATORS.len(),
        "a row too few".to_owned(),
    );
    for (stem, row) in rows() {
        let measured = committed.lines().find_map(|line| line.strip_prefix(&row));
        let Some(measured) = measured else {
            unless(false, format!("the row of `{stem}` is not\n{row}"));
            continue;
        };
        let cells = measured.trim_end_matches(" |").split('|');
        let worst: Vec<_> = cells.map(|cell| Worst::read(cell.trim())).collect();
        let allowed = |worst: &Option<Worst>| worst.is_some_and(Worst::is_allowed);
        let fits = worst.len() == DRIVERS.len() && worst.iter().all(allowed);
        unless(fits, format!("the errors of `{stem}`:{measured}"));
    }
}

#[test]
fn comparisons_belong_to_operators() {
    assert_eq!(stem_of("conv2d_variants"), Some("conv2d"));
    assert_eq!(stem_of("conv_transpose2d"), Some("conv_transpose2d"));
    assert_eq!(stem_of("GeluTanh"), Some("gelu"));
    assert_eq!(stem_of("Celu(0.7)"), Some("celu"));
    assert_eq!(stem_of("HardSwish"), Some("hard_swish"));
    assert_eq!(
        stem_of("softmax_cross_entropy"),
        Some("softmax_cross_entropy")
    );
    assert_eq!(stem_of("relayout"), None);
}

#[test]
fn errors_beyond_the_tolerance_or_not_a_number_are_refused() {
    let worst = |cell| Worst::read(cell).is_some_and(Worst::is_allowed);
    assert!(worst("1.0e-5, 8.0e-5") && worst("0e0, 0e0"));
    assert!(!worst("1.1e-5, 1.0e-6") && !worst("1.0e-6, 8.1e-5"));
    assert!(!worst("NaN, 1.0e-6") && !worst("not measured") && !worst("1.0e-6"));
}
