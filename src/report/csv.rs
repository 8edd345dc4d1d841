//! A history as comma-separated values, for spreadsheets and data frames.

use std::fmt::Write;
use std::path::Path;

use super::history::{Epoch, History};
use super::{ReportError, file};

const HEADING: &str =
    "epoch,step,train_loss,test_loss,test_accuracy,learning_rate,seconds,images_per_second";

impl History {
    /// The epochs as comma-separated values, a line each, below a heading. A figure that is not
    /// known is empty; others read back as the same number.
    ///
    /// ```
    /// # use wgrad::report::{Epoch, History};
    /// let mut history = History::default();
    /// history.push(Epoch { epoch: 1, step: 23, train_loss: 1.5, learning_rate: 0.05, ..Epoch::default() });
    /// assert_eq!(
    ///     history.to_csv(),
    ///     "epoch,step,train_loss,test_loss,test_accuracy,learning_rate,seconds,images_per_second\n\
    ///      1,23,1.5,,,0.05,0.0,0.0\n"
    /// );
    /// assert_eq!(History::from_csv(&history.to_csv())?, history);
    /// # Ok::<(), wgrad::report::ReportError>(())
    /// ```
    #[must_use]
    pub fn to_csv(&self) -> String {
        let known = |value: Option<f64>| value.map_or(String::new(), |v| format!("{v:?}"));
        let mut text = format!("{HEADING}\n");
        for epoch in self.epochs() {
            // Writing to a string cannot fail. `{:?}` is the shortest text that reads back as the
            // same number, with an exponent where that is shorter.
            let _ = writeln!(
                text,
                "{},{},{:?},{},{},{:?},{:?},{:?}",
                epoch.epoch,
                epoch.step,
                epoch.train_loss,
                known(epoch.test_loss),
                known(epoch.test_accuracy),
                epoch.learning_rate,
                epoch.seconds,
                epoch.images_per_second,
            );
        }
        text
    }

    /// The losses of the steps: `step,loss`.
    #[must_use]
    pub fn losses_to_csv(&self) -> String {
        let lines = self.losses().iter();
        let lines = lines.map(|step| format!("{},{:?}\n", step.step, step.loss));
        "step,loss\n".to_owned() + &lines.collect::<String>()
    }

    /// The PReLU slopes, a line each: `epoch,step,layer,channel,slope`. Channels count from 0.
    #[must_use]
    pub fn slopes_to_csv(&self) -> String {
        let mut text = "epoch,step,layer,channel,slope\n".to_owned();
        for of in self.slopes() {
            let layer = quoted(&of.layer);
            for (channel, slope) in of.slopes.iter().enumerate() {
                let _ = writeln!(text, "{},{},{layer},{channel},{slope:?}", of.epoch, of.step);
            }
        }
        text
    }

    /// Writes [`History::to_csv`] to a file, which is replaced whole or not at all.
    ///
    /// # Errors
    /// [`ReportError::Write`].
    pub fn save_csv(&self, path: impl AsRef<Path>) -> Result<(), ReportError> {
        file::write(path.as_ref(), self.to_csv())
    }

    /// Reads what [`History::to_csv`] wrote: the epochs alone.
    ///
    /// # Errors
    /// [`ReportError::Malformed`] with the line.
    pub fn from_csv(text: &str) -> Result<Self, ReportError> {
        let malformed = |line: usize, reason| ReportError::malformed(line, reason);
        let mut lines = (1..).zip(text.lines());
        match lines.next() {
            Some((_, HEADING)) => {}
            _ => return Err(malformed(1, format!("the heading is not `{HEADING}`"))),
        }
        lines
            .filter(|(_, line)| !line.is_empty())
            .map(|(number, line)| epoch(line).map_err(|reason| malformed(number, reason)))
            .collect()
    }

    /// Reads a file of [`History::save_csv`].
    ///
    /// # Errors
    /// [`ReportError::Read`], and as [`History::from_csv`].
    pub fn load_csv(path: impl AsRef<Path>) -> Result<Self, ReportError> {
        let path = path.as_ref();
        Self::from_csv(&file::read(path)?).map_err(|error| error.of_file(path))
    }
}

fn epoch(line: &str) -> Result<Epoch, String> {
    let fields: Vec<&str> = line.split(',').collect();
    let [
        epoch,
        step,
        train_loss,
        test_loss,
        test_accuracy,
        learning_rate,
        seconds,
        images_per_second,
    ] = fields[..]
    else {
        return Err(format!("{} fields in place of 8", fields.len()));
    };
    Ok(Epoch {
        epoch: number(epoch)?,
        step: number(step)?,
        train_loss: number(train_loss)?,
        test_loss: known(test_loss)?,
        test_accuracy: known(test_accuracy)?,
        learning_rate: number(learning_rate)?,
        seconds: number(seconds)?,
        images_per_second: number(images_per_second)?,
    })
}

fn number<T: std::str::FromStr>(field: &str) -> Result<T, String> {
    let number = field.parse();
    number.map_err(|_| format!("`{field}` is no number of its kind"))
}

fn known(field: &str) -> Result<Option<f64>, String> {
    match field {
        "" => Ok(None),
        _ => number(field).map(Some),
    }
}

/// A field of text, after RFC 4180.
fn quoted(field: &str) -> String {
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}
