//! Tables of comma-separated values.

mod columns;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use columns::{Columns, Line, Names, fault};

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
/// assert_eq!(error.to_string(), "table: line 3: column `width` holds `wide`, not a number");
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
    /// length, `Column` for a column that does not exist, `OneClass` where all samples have the
    /// same, `Refused` for what makes no data set.
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
            let line = Line {
                text,
                columns,
                entries: &record,
            };
            line.numbers(&columns.features, &mut values)?;
            match columns.label {
                Some(column) => labels.push(names.label(&line, column)?),
                None => line.numbers(&columns.targets, &mut targets)?,
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
        let data = Dataset::checked(shape, Samples::F32(values), targets)?;
        match (data.classes().map(Classes::names), &self.classes) {
            (Some([class]), None) => Err(FileFault::OneClass {
                class: class.clone(),
            }),
            _ => Ok(data),
        }
    }
}
