//! A folder of checkpoints.

use std::fs;
use std::path::{Path, PathBuf};

use super::container::FIGURE;
use super::{CheckpointError, Container, Extra, file};
use crate::error::Result;
use crate::train::Training;

/// The checkpoints of one training in a folder of their own: the last few, and the best.
///
/// [`Trainer::checkpoints`](crate::train::Trainer::checkpoints) has
/// [`Trainer::fit`](crate::train::Trainer::fit) keep them; in a loop of one's own:
///
/// ```no_run
/// # use wgrad::{data::Dataset, train::{Model, Sgd, Trainer}};
/// use wgrad::checkpoint::Checkpoints;
///
/// # fn f(model: &mut Model, train: &Dataset, test: &Dataset) -> wgrad::Result<()> {
/// let checkpoints = Checkpoints::new("run-1").keep_last(3);
/// let trainer = Trainer::new(Sgd::new(0.1));
/// let mut training = match checkpoints.latest()? {
///     Some(path) => trainer.resume(model, train, path)?,
///     None => trainer.start(model, train)?,
/// };
/// while training.steps() < 10_000 {
///     training.step()?;
///     if training.steps() % 1000 == 0 {
///         let loss = training.model().evaluate(test)?.loss;
///         checkpoints.save(&mut training, Some(loss))?;
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    keep_last: usize,
}

impl From<&str> for Checkpoints {
    fn from(folder: &str) -> Self {
        Self::new(folder)
    }
}

impl From<&Path> for Checkpoints {
    fn from(folder: &Path) -> Self {
        Self::new(folder)
    }
}

impl From<PathBuf> for Checkpoints {
    fn from(folder: PathBuf) -> Self {
        Self::new(folder)
    }
}

const BEST: &str = "best.safetensors";

impl Checkpoints {
    /// In this folder, which is made when it is needed. The last three are kept, and the best.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            keep_last: 3,
        }
    }

    /// How many of the last ones are kept, at least one.
    #[must_use]
    pub fn keep_last(mut self, count: usize) -> Self {
        self.keep_last = count.max(1);
        self
    }

    /// Saves `step-<steps>.safetensors`, deletes what is older than the last few, and gives the
    /// path. With a figure that is small when the model is good, such as its loss on a test set,
    /// the one with the smallest is kept as `best.safetensors` too.
    ///
    /// # Errors
    /// As [`Training::save`]; [`CheckpointError::Write`] when the folder cannot be made or an old
    /// file not be deleted; as [`Trainer::resume`](crate::train::Trainer::resume) when the best one
    /// so far cannot be read.
    pub fn save(&self, training: &mut Training<'_>, figure: Option<f64>) -> Result<PathBuf> {
        let extra = Extra::with_figure(figure);
        let bytes = pollster::block_on(training.encode(extra))?;
        self.put(training.steps(), &bytes, figure)
    }

    /// As [`Checkpoints::save`], with the file's contents.
    pub(crate) fn put(&self, steps: u64, bytes: &[u8], figure: Option<f64>) -> Result<PathBuf> {
        fs::create_dir_all(&self.folder).map_err(|source| refused(&self.folder, source))?;
        let path = self.folder.join(name(steps));
        file::replace(&path, bytes)?;
        if let Some(figure) = figure {
            let best = self.best_figure()?;
            // A figure that is not a number is better than none, and worse than any.
            if best.is_none_or(|best| figure < best || (best.is_nan() && !figure.is_nan())) {
                file::replace(&self.folder.join(BEST), bytes)?;
            }
        }
        let all = self.list()?;
        for (_, old) in all.iter().rev().skip(self.keep_last) {
            fs::remove_file(old).map_err(|source| refused(old, source))?;
        }
        Ok(path)
    }

    /// The checkpoint with the most steps; none if there is none.
    ///
    /// # Errors
    /// [`CheckpointError::Read`] when the folder cannot be listed.
    pub fn latest(&self) -> Result<Option<PathBuf>> {
        Ok(self.list()?.pop().map(|(_, path)| path))
    }

    /// All but the best, that with the most steps first.
    pub(crate) fn newest_first(&self) -> Result<Vec<PathBuf>> {
        let newest = self.list()?.into_iter().rev();
        Ok(newest.map(|(_, path)| path).collect())
    }

    /// Renames a damaged checkpoint, so that it is none of the last ones any more.
    pub(crate) fn put_aside(&self, path: &Path) -> Result<()> {
        let aside = path.with_extension("damaged");
        Ok(fs::rename(path, &aside).map_err(|source| refused(&aside, source))?)
    }

    /// The checkpoint with the smallest figure; none if there is none.
    pub fn best(&self) -> Option<PathBuf> {
        let path = self.folder.join(BEST);
        path.is_file().then_some(path)
    }

    fn best_figure(&self) -> Result<Option<f64>> {
        let Some(path) = self.best() else {
            return Ok(None);
        };
        let bytes = file::read(&path)?;
        let container = Container::decode(&bytes, path.display().to_string())?;
        Ok(container.fact(FIGURE).and_then(|text| text.parse().ok()))
    }

    /// Steps and paths, in the order of the steps.
    fn list(&self) -> Result<Vec<(u64, PathBuf)>> {
        let unreadable = |source| CheckpointError::Read {
            path: self.folder.clone(),
            source,
        };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(unreadable(source).into()),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(unreadable)?.path();
            if let Some(step) = step_of(&path) {
                found.push((step, path));
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

fn name(step: u64) -> String {
    format!("step-{step:010}.safetensors")
}

fn step_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let digits = name.strip_prefix("step-")?.strip_suffix(".safetensors")?;
    digits.parse().ok()
}

fn refused(path: &Path, source: std::io::Error) -> CheckpointError {
    CheckpointError::Write {
        path: path.to_owned(),
        source,
    }
}
