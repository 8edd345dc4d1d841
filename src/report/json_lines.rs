//! A history as JSON lines, with everything it holds: a line each for an epoch, a step's loss and
//! the slopes of a layer.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use super::history::{Epoch, History, StepLoss};
use super::slopes::LayerSlopes;
use super::{ReportError, file};

impl History {
    /// All that the history holds as [JSON lines](https://jsonlines.org): objects whose `kind` is
    /// `loss` (of a step), `slopes` (of a layer) or `epoch`. JSON has no numbers that are not
    /// finite: those are the strings `NaN`, `Infinity` and `-Infinity`, as in protobuf's JSON.
    ///
    /// ```
    /// # use wgrad::report::{Epoch, History};
    /// let mut history = History::default();
    /// history.push_losses(1, &[2.5]);
    /// history.push(Epoch { epoch: 1, step: 1, train_loss: 2.5, ..Epoch::default() });
    /// let text = history.to_json_lines();
    /// assert_eq!(text.lines().next(), Some(r#"{"kind":"loss","step":1,"loss":2.5}"#));
    /// assert_eq!(History::from_json_lines(&text)?, history);
    /// # Ok::<(), wgrad::report::ReportError>(())
    /// ```
    #[must_use]
    pub fn to_json_lines(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        for StepLoss { step, loss } in self.losses() {
            let loss = json(f64::from(*loss));
            let _ = writeln!(text, r#"{{"kind":"loss","step":{step},"loss":{loss}}}"#);
        }
        for of in self.slopes() {
            let (epoch, step) = (of.epoch, of.step);
            let layer = Value::from(of.layer.as_str());
            let slopes: Vec<String> = of.slopes.iter().map(|&s| json(f64::from(s))).collect();
            let slopes = slopes.join(",");
            let _ = writeln!(
                text,
                r#"{{"kind":"slopes","epoch":{epoch},"step":{step},"layer":{layer},"slopes":[{slopes}]}}"#
            );
        }
        for epoch in self.epochs() {
            let known = |value: Option<f64>| value.map_or("null".to_owned(), json);
            let _ = writeln!(
                text,
                r#"{{"kind":"epoch","epoch":{},"step":{},"train_loss":{},"test_loss":{},"test_accuracy":{},"learning_rate":{},"seconds":{},"images_per_second":{}}}"#,
                epoch.epoch,
                epoch.step,
                json(epoch.train_loss),
                known(epoch.test_loss),
                known(epoch.test_accuracy),
                json(epoch.learning_rate),
                json(epoch.seconds),
                json(epoch.images_per_second),
            );
        }
        text
    }

    /// Writes [`History::to_json_lines`] to a file, which is replaced whole or not at all.
    ///
    /// # Errors
    /// [`ReportError::Write`].
    pub fn save_json_lines(&self, path: impl AsRef<Path>) -> Result<(), ReportError> {
        file::write(path.as_ref(), self.to_json_lines())
    }

    /// Reads what [`History::to_json_lines`] wrote: the same history.
    ///
    /// # Errors
    /// [`ReportError::Malformed`] with the line.
    pub fn from_json_lines(text: &str) -> Result<Self, ReportError> {
        let mut history = Self::default();
        for (line, text) in (1..).zip(text.lines()) {
            if !text.trim().is_empty() {
                let malformed = |reason| ReportError::malformed(line, reason);
                history.read_line(text).map_err(malformed)?;
            }
        }
        Ok(history)
    }

    /// Reads a file of [`History::save_json_lines`].
    ///
    /// # Errors
    /// [`ReportError::Read`], and as [`History::from_json_lines`].
    pub fn load_json_lines(path: impl AsRef<Path>) -> Result<Self, ReportError> {
        let path = path.as_ref();
        Self::from_json_lines(&file::read(path)?).map_err(|error| error.of_file(path))
    }

    fn read_line(&mut self, text: &str) -> Result<(), String> {
        let line: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let field = |name: &'static str| Field(name, line.get(name).unwrap_or(&Value::Null));
        match field("kind").text()? {
            "loss" => {
                let loss = field("loss").number()? as f32;
                self.push_losses(field("step").integer()?, &[loss]);
            }
            "slopes" => self.push_slopes(LayerSlopes {
                epoch: field("epoch").epoch()?,
                step: field("step").integer()?,
                layer: field("layer").text()?.to_owned(),
                slopes: field("slopes").numbers()?,
            }),
            "epoch" => self.push(Epoch {
                epoch: field("epoch").epoch()?,
                step: field("step").integer()?,
                train_loss: field("train_loss").number()?,
                test_loss: field("test_loss").known()?,
                test_accuracy: field("test_accuracy").known()?,
                learning_rate: field("learning_rate").number()?,
                seconds: field("seconds").number()?,
                images_per_second: field("images_per_second").number()?,
            }),
            other => return Err(format!("`{other}` is no kind of line")),
        }
        Ok(())
    }
}

/// A number as JSON; f64 through and through, so that reading it back gives the same bits.
fn json(value: f64) -> String {
    match value {
        v if v.is_nan() => "\"NaN\"".to_owned(),
        f64::INFINITY => "\"Infinity\"".to_owned(),
        f64::NEG_INFINITY => "\"-Infinity\"".to_owned(),
        v => format!("{v:?}"),
    }
}

/// A field of a line, with its name for errors.
#[derive(Clone, Copy)]
struct Field<'a>(&'static str, &'a Value);

impl<'a> Field<'a> {
    fn require<T>(self, found: Option<T>, what: &str) -> Result<T, String> {
        found.ok_or_else(|| format!("`{}` is {}, not {what}", self.0, self.1))
    }

    fn text(self) -> Result<&'a str, String> {
        self.require(self.1.as_str(), "a text")
    }

    fn integer(self) -> Result<u64, String> {
        self.require(self.1.as_u64(), "a count")
    }

    fn epoch(self) -> Result<u32, String> {
        let epoch = self.1.as_u64().and_then(|epoch| epoch.try_into().ok());
        self.require(epoch, "the number of an epoch")
    }

    fn number(self) -> Result<f64, String> {
        self.require(number(self.1), "a number")
    }

    fn known(self) -> Result<Option<f64>, String> {
        match self.1 {
            Value::Null => Ok(None),
            _ => self.number().map(Some),
        }
    }

    fn numbers(self) -> Result<Vec<f32>, String> {
        let numbers = self.1.as_array().and_then(|values| {
            let numbers = values.iter().map(|value| Some(number(value)? as f32));
            numbers.collect()
        });
        self.require(numbers, "a list of numbers")
    }
}

fn number(value: &Value) -> Option<f64> {
    match value.as_str() {
        None => value.as_f64(),
        Some("NaN") => Some(f64::NAN),
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        Some(_) => None,
    }
}
