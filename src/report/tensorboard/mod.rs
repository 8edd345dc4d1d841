//! Event files, which TensorBoard reads.

#[cfg_attr(
    not(feature = "png"),
    allow(dead_code, reason = "only PNG files are written as images")
)]
mod proto;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crc::{CRC_32_ISCSI, Crc};
use prost::Message;

use self::proto::{Event, HistogramProto, SessionLog, Summary, SummaryValue, Value, What};
use super::history::{Epoch, History};
use super::{LayerSlopes, ReportError};

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// Buckets of a histogram.
const BUCKETS: usize = 30;

/// A file of events, which TensorBoard shows as curves (feature `tensorboard`). Each has a tag, by
/// whose first part TensorBoard groups, and a step. What was [flushed](EventFile::flush) can be
/// looked at while more is written.
///
/// ```no_run
/// # use wgrad::report::{EventFile, History};
/// # fn f(history: &History) -> wgrad::Result<()> {
/// // Then: tensorboard --logdir runs
/// let mut events = EventFile::create("runs/first")?;
/// events.history(history)?;
/// events.scalar("loss/of mine", 100, 0.5)?;
/// events.flush()?;
/// # Ok(()) }
/// ```
///
/// [`train::TensorBoard`](crate::train::TensorBoard) writes one during a training.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: BufWriter<File>,
    /// How many losses, slopes and epochs of a history were written.
    written: [usize; 3],
}

impl EventFile {
    /// Begins a new file in a folder, which is made where it is missing. TensorBoard takes a folder
    /// for a run, and of several files in it the last one for the whole run: what earlier ones hold
    /// of the same steps no longer counts.
    ///
    /// # Errors
    /// [`ReportError::Write`].
    pub fn create(folder: impl AsRef<Path>) -> Result<Self, ReportError> {
        let folder = folder.as_ref();
        let failed = |source| ReportError::Write {
            path: folder.to_owned(),
            source,
        };
        fs::create_dir_all(folder).map_err(failed)?;
        // TensorBoard goes through a folder's files by name; the beginning of the name tells it
        // that they are event files.
        let now = now();
        let (seconds, nanos) = (now.as_secs(), now.subsec_nanos());
        let name = format!("events.out.tfevents.{seconds:010}.{nanos:09}.wgrad");
        let path = folder.join(name);
        let file = File::create_new(&path).map_err(failed)?;
        let mut events = Self {
            path,
            file: BufWriter::new(file),
            written: [0; 3],
        };
        events.write(0, What::FileVersion("brain.Event:2".to_owned()))?;
        // Asks to forget the events of earlier files from this step on.
        let status = SessionLog::START;
        events.write(0, What::SessionLog(SessionLog { status }))?;
        events.flush()?;
        Ok(events)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a number, which TensorBoard keeps as f32.
    ///
    /// # Errors
    /// [`ReportError::Write`].
    pub fn scalar(&mut self, tag: &str, step: u64, value: f64) -> Result<(), ReportError> {
        self.value(tag, step, Value::Scalar(value as f32))
    }

    /// Adds some numbers as a histogram of 30 buckets between the smallest and the largest. Those
    /// that are not finite are left out, and a histogram without numbers too.
    ///
    /// # Errors
    /// [`ReportError::Write`].
    pub fn histogram(&mut self, tag: &str, step: u64, values: &[f32]) -> Result<(), ReportError> {
        match histogram(values) {
            Some(histogram) => self.value(tag, step, Value::Histogram(histogram)),
            None => Ok(()),
        }
    }

    /// Adds a picture.
    ///
    /// # Errors
    /// As [`Picture::to_png`](super::plot::Picture::to_png); [`ReportError::Write`].
    #[cfg(feature = "png")]
    #[cfg_attr(docsrs, doc(cfg(feature = "png")))]
    pub fn picture(
        &mut self,
        tag: &str,
        step: u64,
        picture: &super::plot::Picture,
    ) -> Result<(), ReportError> {
        let (png, [width, height]) = picture.rasterise(1.0)?;
        let image = proto::Image {
            height: height as i32,
            width: width as i32,
            colorspace: 4,
            encoded_image_string: png,
        };
        self.value(tag, step, Value::Image(image))
    }

    /// Adds what a history has that this file does not have yet: the losses of steps
    /// (`loss/step`), the figures of epochs (`loss/train`, `loss/test`, `accuracy/test`,
    /// `learning_rate`, `images_per_second`) and PReLU slopes, as the mean over the channels and as a
    /// histogram (`slopes/` and the layer). All of them by optimiser step.
    ///
    /// # Errors
    /// [`ReportError::Write`].
    pub fn history(&mut self, history: &History) -> Result<(), ReportError> {
        let [losses, slopes, epochs] = self.written;
        for step in history.losses().iter().skip(losses) {
            self.scalar("loss/step", step.step, f64::from(step.loss))?;
        }
        for layer in history.slopes().iter().skip(slopes) {
            self.slopes(layer)?;
        }
        for epoch in history.epochs().iter().skip(epochs) {
            self.epoch(epoch)?;
        }
        self.written = [
            history.losses().len(),
            history.slopes().len(),
            history.epochs().len(),
        ];
        Ok(())
    }

    fn epoch(&mut self, epoch: &Epoch) -> Result<(), ReportError> {
        for (tag, figure) in [
            ("loss/train", Some(epoch.train_loss)),
            ("loss/test", epoch.test_loss),
            ("accuracy/test", epoch.test_accuracy),
            ("learning_rate", Some(epoch.learning_rate)),
            ("images_per_second", Some(epoch.images_per_second)),
        ] {
            if let Some(figure) = figure {
                self.scalar(tag, epoch.step, figure)?;
            }
        }
        Ok(())
    }

    fn slopes(&mut self, layer: &LayerSlopes) -> Result<(), ReportError> {
        let (tag, slopes) = (format!("slopes/{}", layer.layer), &layer.slopes);
        if let Some(mean) = layer.mean() {
            self.scalar(&tag, layer.step, mean)?;
        }
        match slopes.len() > 1 {
            true => self.histogram(&tag, layer.step, slopes),
            false => Ok(()),
        }
    }

    /// Hands all that was added to the system, so that TensorBoard sees it.
    ///
    /// # Errors
    /// [`ReportError::Write`].
    pub fn flush(&mut self) -> Result<(), ReportError> {
        self.file.flush().map_err(|source| ReportError::Write {
            path: self.path.clone(),
            source,
        })
    }

    fn value(&mut self, tag: &str, step: u64, value: Value) -> Result<(), ReportError> {
        let value = SummaryValue {
            tag: tag.to_owned(),
            value: Some(value),
        };
        let value = vec![value];
        self.write(step, What::Summary(Summary { value }))
    }

    fn write(&mut self, step: u64, what: What) -> Result<(), ReportError> {
        let event = Event {
            wall_time: now().as_secs_f64(),
            step: step as i64,
            what: Some(what),
        };
        let written = self.file.write_all(&record(&event));
        written.map_err(|source| ReportError::Write {
            path: self.path.clone(),
            source,
        })
    }
}

impl History {
    /// Writes an event file of the whole history into a folder, see [`EventFile::history`].
    ///
    /// # Errors
    /// [`ReportError::Write`].
    #[cfg_attr(docsrs, doc(cfg(feature = "tensorboard")))]
    pub fn save_events(&self, folder: impl AsRef<Path>) -> Result<(), ReportError> {
        let mut events = EventFile::create(folder)?;
        events.history(self)?;
        events.flush()
    }
}

/// Since 1970; nothing where the clock is set to before.
fn now() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default()
}

/// An event as a record of the file: its length, the length's checksum, itself, its checksum.
fn record(event: &Event) -> Vec<u8> {
    let data = event.encode_to_vec();
    let length = (data.len() as u64).to_le_bytes();
    let [length_sum, data_sum] = [&length[..], &data].map(|bytes| masked_sum(bytes).to_le_bytes());
    [&length[..], &length_sum, &data, &data_sum].concat()
}

/// CRC-32C, rotated and shifted, so that records within records do not confuse it (TFRecord's
/// format).
fn masked_sum(bytes: &[u8]) -> u32 {
    let sum = CRC.checksum(bytes);
    sum.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// None without a finite number.
fn histogram(values: &[f32]) -> Option<HistogramProto> {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    let finite: Vec<f64> = finite.map(f64::from).collect();
    let min = finite.iter().copied().reduce(f64::min)?;
    let max = finite.iter().copied().reduce(f64::max)?;
    // Equal numbers still have a bucket around them.
    let width = ((max - min) / BUCKETS as f64).max(f64::from(f32::EPSILON) * max.abs().max(1e-30));
    let mut bucket = vec![0.0; BUCKETS];
    for value in &finite {
        let place = ((value - min) / width) as usize;
        bucket[place.min(BUCKETS - 1)] += 1.0;
    }
    Some(HistogramProto {
        min,
        max,
        num: finite.len() as f64,
        sum: finite.iter().sum(),
        sum_squares: finite.iter().map(|value| value * value).sum(),
        bucket_limit: (1..=BUCKETS).map(|i| min + width * i as f64).collect(),
        bucket,
    })
}
