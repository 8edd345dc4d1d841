//! What a file says about itself beside its tensors.

use std::collections::BTreeMap;
use std::fmt;

/// Named facts of a line each, kept as one text of lines `name=value` under one key of the header. (The header's
/// own map has no order; files of equal contents would differ.)
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
                .map(|(name, value)| (name.to_owned(), unescaped(value)))
                .collect(),
        )
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            write!(f, "{separator}{name}={}", escaped(value))?;
        }
        Ok(())
    }
}

/// A value, which may have several lines (a history has), on one.
fn escaped(value: &str) -> String {
    let value = value.replace('\\', r"\\");
    value.replace('\n', r"\n").replace('\r', r"\r")
}

fn unescaped(line: &str) -> String {
    let mut value = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' => value.extend(match rest.next() {
                Some('n') => Some('\n'),
                Some('r') => Some('\r'),
                other => other,
            }),
            _ => value.push(character),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_several_lines_read_back_as_they_were() {
        let mut facts = Facts::new();
        facts.set("history", "{\"a\":1}\n{\"b\":\"c=\\n\\\\\"}\n");
        facts.set("windows", "a\r\nb\r");
        facts.set("empty", "");
        assert_eq!(Facts::parse(&facts.to_string()), facts);
    }
}
