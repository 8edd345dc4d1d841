//! What a file says about itself beside its tensors.

use std::collections::BTreeMap;
use std::fmt;

/// Named facts of a line each, kept as one text of lines `name=value` under one key of the header.
/// (The header's own map has no order; files of equal contents would differ.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts(BTreeMap<String, String>);

impl Facts {
    /// The crate's version, which every file names.
    pub(crate) fn new() -> Self {
        let mut facts = Self::default();
        facts.set("version", env!("CARGO_PKG_VERSION"));
        facts
    }

    pub(crate) fn set(&mut self, name: &str, value: impl fmt::Display) {
        self.0.insert(name.to_owned(), value.to_string());
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        Self(
            pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            write!(f, "{separator}{name}={value}")?;
        }
        Ok(())
    }
}
