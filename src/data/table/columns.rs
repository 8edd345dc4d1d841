//! Which columns hold what, and what their entries mean.

use std::collections::HashMap;

use csv::StringRecord;

use super::super::{Classes, FileFault, Targets};
use super::{Column, Csv, Kind};

/// Which columns hold what.
pub(super) struct Columns {
    names: Option<Vec<String>>,
    pub label: Option<usize>,
    pub features: Vec<usize>,
    pub targets: Vec<usize>,
}

impl Columns {
    /// From the first line, which holds names if `header`.
    pub fn new(csv: &Csv, first: &StringRecord, header: bool) -> Result<Self, FileFault> {
        let find = |column: &Column| {
            let found = match column {
                Column::Index(index) => Some(*index).filter(|index| *index < first.len()),
                Column::Name(name) if header => first.iter().position(|entry| entry == name),
                Column::Name(_) => None,
            };
            found.ok_or_else(|| FileFault::Column {
                column: column.to_string(),
                known: match header {
                    true => first.iter().collect::<Vec<_>>().join(", "),
                    false => format!("0 to {}, without names", first.len().saturating_sub(1)),
                },
            })
        };
        let all = |columns: &[Column]| columns.iter().map(find).collect::<Result<Vec<_>, _>>();
        let (label, targets) = match &csv.target {
            Kind::Label(column) => (Some(find(column)?), Vec::new()),
            Kind::Values(columns) => (None, all(columns)?),
        };
        let features = match &csv.features {
            Some(columns) => all(columns)?,
            None => (0..first.len())
                .filter(|index| label != Some(*index) && !targets.contains(index))
                .collect(),
        };
        Ok(Self {
            names: header.then(|| first.iter().map(str::to_owned).collect()),
            label,
            features,
            targets,
        })
    }

    /// A column as the user knows it.
    fn name(&self, index: usize) -> String {
        let name = self.names.as_ref().and_then(|names| names.get(index));
        name.map_or_else(|| index.to_string(), |name| format!("`{name}`"))
    }
}

/// A line of a table.
pub(super) struct Line<'a> {
    /// The whole table.
    pub text: &'a [u8],
    pub columns: &'a Columns,
    pub entries: &'a StringRecord,
}

impl Line<'_> {
    /// Adds the numbers in some columns.
    pub fn numbers(&self, columns: &[usize], out: &mut Vec<f32>) -> Result<(), FileFault> {
        for &column in columns {
            let entry = self.entry(column);
            match entry.parse::<f32>() {
                Ok(value) if value.is_finite() => out.push(value),
                _ if entry.is_empty() => return Err(self.fault(column, "is empty")),
                _ => return Err(self.fault(column, &format!("holds `{entry}`, not a number"))),
            }
        }
        Ok(())
    }

    fn entry(&self, column: usize) -> &str {
        self.entries.get(column).unwrap_or("")
    }

    fn fault(&self, column: usize, what: &str) -> FileFault {
        FileFault::Line {
            line: line_number(self.text, self.entries.position()),
            reason: format!("column {} {what}", self.columns.name(column)),
        }
    }
}

/// The number, from 1, of the line before which the reader stood at `position`. Its own count
/// leaves out empty lines in between.
fn line_number(text: &[u8], position: Option<&csv::Position>) -> u64 {
    let start = position.map_or(0, csv::Position::byte) as usize;
    let (before, after) = text.split_at(start.min(text.len()));
    let empty = after.iter().take_while(|byte| b"\r\n".contains(byte));
    let ends = before.iter().chain(empty).filter(|byte| **byte == b'\n');
    1 + ends.count() as u64
}

/// The classes as they are met.
pub(super) struct Names {
    /// Whether the classes were known beforehand.
    fixed: bool,
    names: Vec<String>,
    labels: HashMap<String, u32>,
}

impl Names {
    pub fn new(classes: Option<Classes>) -> Self {
        let names = classes
            .as_ref()
            .map_or(Vec::new(), |classes| classes.names().to_vec());
        let labels = (0..)
            .zip(&names)
            .map(|(label, name)| (name.clone(), label))
            .collect();
        Self {
            fixed: classes.is_some(),
            names,
            labels,
        }
    }

    pub fn label(&mut self, line: &Line<'_>, column: usize) -> Result<u32, FileFault> {
        let entry = line.entry(column);
        if let Some(label) = self.labels.get(entry) {
            return Ok(*label);
        }
        if entry.is_empty() {
            return Err(line.fault(column, "is empty"));
        }
        if self.fixed {
            let what = format!("holds `{entry}`, which is none of the classes");
            return Err(line.fault(column, &what));
        }
        let label = self.names.len() as u32;
        self.names.push(entry.to_owned());
        self.labels.insert(entry.to_owned(), label);
        Ok(label)
    }

    /// Sorts the classes, unless they were given, and numbers the labels anew.
    pub fn into_targets(self, mut labels: Vec<u32>) -> Targets {
        if self.fixed {
            let classes = Classes::from(self.names);
            return Targets::Labels { labels, classes };
        }
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        let by_size: Result<Vec<i64>, _> = self.names.iter().map(|name| name.parse()).collect();
        match by_size {
            Ok(sizes) => order.sort_by_key(|index| sizes[*index]),
            Err(_) => order.sort_by_key(|index| &self.names[*index]),
        }
        let mut places = vec![0; order.len()];
        for (place, index) in (0_u32..).zip(&order) {
            places[*index] = place;
        }
        labels
            .iter_mut()
            .for_each(|label| *label = places[*label as usize]);
        let names: Vec<String> = order
            .iter()
            .map(|index| self.names[*index].clone())
            .collect();
        let classes = Classes::from(names);
        Targets::Labels { labels, classes }
    }
}

/// An error of the reader, with its line.
pub(super) fn fault(text: &[u8], error: csv::Error) -> FileFault {
    use csv::ErrorKind;
    let line = line_number(text, error.position());
    let reason = match error.into_kind() {
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("has {len} entries, the first line has {expected_len}")
        }
        ErrorKind::Utf8 { err, .. } => format!("is not UTF-8: {err}"),
        other => format!("{other:?}"),
    };
    FileFault::Line { line, reason }
}
