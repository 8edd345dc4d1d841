//! No file, and no branch of a file, escapes the table of cases.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::variants::ALL;

/// Files that no operator asks for yet, and why. A file that is asked for must not be here.
const NOT_YET: &[(&str, &str)] = &[];

/// Branches that are never, or always, taken, and why.
const ONE_WAY: &[(&str, &str, &str)] = &[];

/// The text of every file in `shaders/`, by stem.
fn files() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            assert_eq!(path.extension().unwrap(), "wgsl", "{path:?}");
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (stem, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// What a file calls itself, if others may import it.
fn import_path(text: &str) -> Option<&str> {
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix("#define_import_path "))
}

fn reached() -> BTreeSet<&'static str> {
    ALL.iter().map(|variant| variant.shader.name).collect()
}

#[test]
fn every_file_is_a_kernel_that_is_asked_for_or_a_module_that_is_imported() {
    let (files, reached) = (files(), reached());
    let mut lost = Vec::new();
    for (stem, text) in &files {
        let used = match import_path(text) {
            Some(path) => files
                .values()
                .any(|other| other.contains(&format!("#import {path}"))),
            None => reached.contains(stem.as_str()),
        };
        let excused = NOT_YET.iter().any(|(name, _)| name == stem);
        match (used, excused) {
            (false, false) => lost.push(format!("`{stem}` is asked for by nothing")),
            (true, true) => lost.push(format!("`{stem}` is asked for; strike it from the list")),
            _ => {}
        }
    }
    for (stem, _) in NOT_YET {
        if !files.contains_key(*stem) {
            lost.push(format!("`{stem}` does not exist; strike it from the list"));
        }
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
    for name in reached {
        assert!(files.contains_key(name), "`{name}` is in no file");
    }
}

/// The names on which a file's text depends.
fn conditions(text: &str) -> BTreeSet<&str> {
    let lines = text.lines().map(str::trim);
    let directives = lines.filter_map(|line| {
        let rest = line.strip_prefix("#ifdef ");
        rest.or_else(|| line.strip_prefix("#ifndef "))
            .or_else(|| line.strip_prefix("#else ifdef "))
    });
    directives.map(str::trim).collect()
}

#[test]
fn every_condition_is_met_and_not_met() {
    let reached = reached();
    let mut wrong = Vec::new();
    for (stem, text) in &files() {
        if !reached.contains(stem.as_str()) {
            continue;
        }
        for condition in conditions(text) {
            let variants = || ALL.iter().filter(|v| v.shader.name == stem);
            let both_ways = variants().any(|v| v.defines(condition))
                && variants().any(|v| !v.defines(condition));
            let excused = ONE_WAY
                .iter()
                .any(|(name, of, _)| name == stem && *of == condition);
            match (both_ways, excused) {
                (false, false) => wrong.push(format!("`{stem}`: {condition} goes one way only")),
                (true, true) => wrong.push(format!("`{stem}`: strike {condition} from the list")),
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
