//! How weights are loaded, and what came of it.

use std::collections::BTreeSet;
use std::fmt;

use crate::graph::matches;
use crate::shape::Shape;

/// How [`Model::load_with`](crate::train::Model::load_with) treats names and misfits.
///
/// ```
/// use wgrad::checkpoint::LoadOptions;
///
/// // A backbone whose names begin with `module.`, and whose classifier is not wanted.
/// let options = LoadOptions::new().strict(false).rename(|name| {
///     let name = name.strip_prefix("module.")?;
///     (!name.starts_with("fc.")).then(|| name.to_owned())
/// });
/// # let _ = options;
/// ```
pub struct LoadOptions {
    pub(crate) strict: bool,
    pub(crate) rename: Box<Rename>,
    /// Patterns of what is left out.
    except: Vec<String>,
}

type Rename = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Default for LoadOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LoadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadOptions")
            .field("strict", &self.strict)
            .field("except", &self.except)
            .finish_non_exhaustive()
    }
}

impl LoadOptions {
    /// Every parameter must be there under its own name and in its shape, and nothing else.
    pub fn new() -> Self {
        Self {
            strict: true,
            rename: Box::new(|name| Some(name.to_owned())),
            except: Vec::new(),
        }
    }

    /// Whether anything missing, unexpected or misshapen is an error. Otherwise what fits is
    /// loaded, and the [`LoadReport`] has the rest.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// The parameter's path for a tensor's name, or `None` to leave the tensor out.
    ///
    /// PyTorch's counters `num_batches_tracked`, which nothing reads, are always left out.
    #[must_use]
    pub fn rename(mut self, path: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.rename = Box::new(path);
        self
    }

    /// Leaves out the parameters and tensors that a pattern chooses: `fc`, `*.bias` (see
    /// [fine-tuning](crate::train#fine-tuning)). They are as they were, and the rest must fit as
    /// without this. May be called several times.
    ///
    /// A pattern that chooses nothing, neither in the network nor in the file, is an error.
    ///
    /// ```
    /// use wgrad::checkpoint::LoadOptions;
    ///
    /// // A network with a last layer of its own, and weights for other classes.
    /// let options = LoadOptions::new().except("fc");
    /// # let _ = options;
    /// ```
    #[must_use]
    pub fn except(mut self, pattern: impl Into<String>) -> Self {
        self.except.push(pattern.into());
        self
    }

    /// Whether a parameter, or a tensor by its new name, is to be left out.
    pub(crate) fn leaves_out(&self, path: &str) -> bool {
        self.except.iter().any(|pattern| matches(pattern, path))
    }

    /// The first pattern of [`LoadOptions::except`] that chooses none of these.
    pub(crate) fn idle_pattern(&self, left_out: &BTreeSet<String>) -> Option<&str> {
        let chooses = |pattern: &String| left_out.iter().any(|path| matches(pattern, path));
        let idle = self.except.iter().find(|pattern| !chooses(pattern));
        idle.map(String::as_str)
    }

    /// The parameter that a tensor of the file is for.
    pub(crate) fn path(&self, name: &str) -> Option<String> {
        if name.starts_with(super::TRAINING_PREFIX) {
            return None;
        }
        let path = (self.rename)(name)?;
        (path.rsplit('.').next() != Some("num_batches_tracked")).then_some(path)
    }
}

/// What became of the tensors of a file and of the parameters of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadReport {
    /// Parameters that were loaded.
    pub loaded: Vec<String>,
    /// Parameters that the file does not have.
    pub missing: Vec<String>,
    /// Tensors (by their names after renaming) that the network does not have.
    pub unexpected: Vec<String>,
    /// Tensors of another shape, or of elements that are not floating-point numbers.
    pub misfits: Vec<Misfit>,
    /// Parameters and tensors that [`LoadOptions::except`] left out.
    pub left_out: Vec<String>,
}

impl LoadReport {
    /// Whether the file holds exactly the network's parameters, but for what was left out.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misfits.is_empty()
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let loaded = self.loaded.len();
        match (self.is_complete(), self.left_out.is_empty()) {
            (true, true) => return write!(f, "all {loaded} parameters are there"),
            (true, false) => write!(f, "{loaded} loaded; ")?,
            (false, _) => {}
        }
        let misfits: Vec<String> = self.misfits.iter().map(Misfit::to_string).collect();
        let lists = [
            ("missing", &self.missing),
            ("unexpected", &self.unexpected),
            ("misshapen", &misfits),
            ("left out", &self.left_out),
        ];
        let lists = lists.iter().filter(|(_, names)| !names.is_empty());
        for (i, (what, names)) in lists.enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{what}: {}", names.join(", "))?;
        }
        Ok(())
    }
}

/// A tensor that cannot become the parameter of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Misfit {
    /// The parameter.
    pub name: String,
    /// Its shape.
    pub expected: Shape,
    /// The tensor's shape.
    pub found: Shape,
    /// The type of the tensor's elements: `F32`, `I64`.
    pub element: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            expected,
            found,
            element,
        } = self;
        match expected == found {
            true => write!(f, "{name} ({element} is not floating-point)"),
            false => write!(f, "{name} ({found} in place of {expected})"),
        }
    }
}
