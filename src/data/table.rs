//! Tables of comma-separated values.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::file::{self, Contents};
use super::{Classes, DataError, Dataset, FileFault, Samples, Targets};

/// A column, by its number from 0 or by its name in the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// The number, from 0.
    Index(usize),
    /// The name.
    Name(String),
}

impl From<usize> for Column {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Name(name) => write!(f, "`{name}`"),
        }
    }
}

/// How a table of comma-separated values (RFC 4180) becomes a data set, a line a sample.
///
/// ```
/// # use wgrad::data::Csv;
/// let table = "width,height,kind\n1.5,2,oak\n3,4.5,elm\n2,2,oak\n";
/// let data = Csv::labelled("kind").parse(table.as_bytes())?;
/// assert_eq!((data.len(), data.shape()), (3, &[2][..]));
/// assert_eq!(data.classes().unwrap().names(), ["elm", "oak"]);
/// assert_eq!(data.labels(), Some(&[1, 0, 1][..]));
///
/// let error = Csv::labelled("kind").parse(b"width,kind\n1,oak\nwide,elm\n").unwrap_err();
/// assert_eq!(error.to_string(), "table: line 3: `wide` in column `width` is not a number");
/// # Ok::<(), wgrad::data::DataError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Csv {
    target: Kind,
    header: bool,
    delimiter: u8,
    features: Option<Vec<Column>>,
    shape: Option<Vec<usize>>,
    classes: Option<Classes>,
}

#[derive(Clone, Debug)]
enum Kind {
    Label(Column),
    Values(Vec<Column>),
}

impl Csv {
    /// A classification: one column holds the class of each line, as a name or a number.
    ///
    /// The classes are the different entries of that column, in alphabetical order, or, if all
    /// are whole numbers, by size; [`classes`](Self::classes) sets them beforehand.
    pub fn labelled(column: impl Into<Column>) -> Self {
        Self::new(Kind::Label(column.into()))
    }

    /// A regression: these columns hold the numbers to be predicted.
    pub fn predicting<C: Into<Column>>(columns: impl IntoIterator<Item = C>) -> Self {
        Self::new(Kind::Values(columns.into_iter().map(Into::into).collect()))
    }

    fn new(target: Kind) -> Self {
        Self {
            target,
            header: true,
            delimiter: b',',
            features: None,
            shape: None,
            classes: None,
        }
    }

    /// Sets whether the first line holds the columns' names; true unless set.
    pub fn header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }

    /// Sets the byte between two entries; a comma unless set.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Sets the columns that a network sees, in this order; all but the targets unless set.
    pub fn features<C: Into<Column>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.features = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the shape of a sample, such as `[1, 28, 28]` for 784 columns of pixels; the number of
    /// columns unless set.
    pub fn shape(mut self, shape: impl Into<Vec<usize>>) -> Self {
        self.shape = Some(shape.into());
        self
    }

    /// Sets the classes, whose order gives the labels: those of the training set, for a test set.
    pub fn classes(mut self, classes: impl Into<Classes>) -> Self {
        self.classes = Some(classes.into());
        self
    }

    /// Reads a file, as it is or gzipped.
    ///
    /// # Errors
    ///
    /// [`DataError::File`] with the path and, as [`FileFault`]: `Read` for a file that is missing,
    /// `Line` for an entry that is not a finite number or names no class, or a line of another
    /// length, `Column` for a column that does not exist, `Refused` for what makes no data set.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Dataset, DataError> {
        let path = path.as_ref();
        self.parse_file(path, &file::read(path)?)
    }

    /// Reads bytes in memory.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), with `table` as the path.
    pub fn parse(&self, table: &[u8]) -> Result<Dataset, DataError> {
        self.parse_file(Path::new("table"), table)
    }

    fn parse_file(&self, path: &Path, bytes: &[u8]) -> Result<Dataset, DataError> {
        let text = Contents::new(path, bytes).rest()?;
        self.rows(&text)
            .map_err(|fault| DataError::file(path, fault))
    }

    fn rows(&self, text: &[u8]) -> Result<Dataset, FileFault> {
        let fault = |error| fault(text, error);
        let mut reader = ReaderBuilder::new()
            .has_headers(self.header)
            .delimiter(self.delimiter)
            .trim(Trim::All)
            .from_reader(text);
        let mut columns = None;
        if self.header {
            let names = reader.headers().map_err(fault)?;
            columns = Some(Columns::new(self, names, true)?);
        }
        let (mut values, mut targets) = (Vec::new(), Vec::new());
        let (mut labels, mut names) = (Vec::new(), Names::new(self.classes.clone()));
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(fault)? {
            let columns = match &mut columns {
                Some(columns) => columns,
                none => none.insert(Columns::new(self, &record, false)?),
            };
            let place = (text, record.position());
            let entries = (columns as &Columns, place, &record);
            numbers(entries, &columns.features, &mut values)?;
            match columns.label {
                Some(column) => labels.push(names.label(entries, column)?),
                None => numbers(entries, &columns.targets, &mut targets)?,
            }
        }
        let features = columns.as_ref().map_or(0, |columns| columns.features.len());
        let targets = match columns {
            Some(Columns {
                label: None,
                targets: columns,
                ..
            }) => Targets::Values {
                shape: vec![columns.len()],
                values: targets,
            },
            _ => names.into_targets(labels),
        };
        let shape = self.shape.clone().unwrap_or_else(|| vec![features]);
        Dataset::checked(shape, Samples::F32(values), targets).map_err(Into::into)
    }
}

/// Which columns hold what.
struct Columns {
    names: Option<Vec<String>>,
    label: Option<usize>,
    features: Vec<usize>,
    targets: Vec<usize>,
}

impl Columns {
    /// From the first line, which holds names if `header`.
    fn new(csv: &Csv, first: &StringRecord, header: bool) -> Result<Self, FileFault> {
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

/// The columns, where the line begins, its entries.
type Entries<'a> = (&'a Columns, Place<'a>, &'a StringRecord);

/// A whole text, and where the reader began to look for a line in it.
type Place<'a> = (&'a [u8], Option<&'a csv::Position>);

/// The number of a line from 1. The reader's own count leaves out empty lines before it.
fn line((text, position): Place<'_>) -> u64 {
    let start = position.map_or(0, csv::Position::byte) as usize;
    let (before, after) = text.split_at(start.min(text.len()));
    let empty = after.iter().take_while(|byte| b"\r\n".contains(byte));
    let ends = before.iter().chain(empty).filter(|byte| **byte == b'\n');
    1 + ends.count() as u64
}

/// The numbers in some columns of a line.
fn numbers(
    (all, place, record): Entries<'_>,
    columns: &[usize],
    out: &mut Vec<f32>,
) -> Result<(), FileFault> {
    for &column in columns {
        let entry = record.get(column).unwrap_or("");
        match entry.parse::<f32>() {
            Ok(value) if value.is_finite() => out.push(value),
            _ => {
                let what = if entry.is_empty() { "nothing" } else { entry };
                let column = all.name(column);
                let reason = format!("`{what}` in column {column} is not a number");
                return Err(FileFault::Line {
                    line: line(place),
                    reason,
                });
            }
        }
    }
    Ok(())
}

/// The classes as they are met.
struct Names {
    /// Whether the classes were known beforehand.
    fixed: bool,
    names: Vec<String>,
    labels: HashMap<String, u32>,
}

impl Names {
    fn new(classes: Option<Classes>) -> Self {
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

    fn label(
        &mut self,
        (all, place, record): Entries<'_>,
        column: usize,
    ) -> Result<u32, FileFault> {
        let entry = record.get(column).unwrap_or("");
        if let Some(label) = self.labels.get(entry) {
            return Ok(*label);
        }
        let column = all.name(column);
        if entry.is_empty() {
            let reason = format!("column {column}, the label, is empty");
            return Err(FileFault::Line {
                line: line(place),
                reason,
            });
        }
        if self.fixed {
            let reason = format!("`{entry}` in column {column} is none of the classes");
            return Err(FileFault::Line {
                line: line(place),
                reason,
            });
        }
        let label = self.names.len() as u32;
        self.names.push(entry.to_owned());
        self.labels.insert(entry.to_owned(), label);
        Ok(label)
    }

    /// Sorts the classes, unless they were given, and numbers the labels anew.
    fn into_targets(self, mut labels: Vec<u32>) -> Targets {
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
fn fault(text: &[u8], error: csv::Error) -> FileFault {
    use csv::ErrorKind;
    let line = line((text, error.position()));
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

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
