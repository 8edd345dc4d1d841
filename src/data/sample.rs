//! One sample, and what a network should answer to it.

/// The names of the classes, by label.
///
/// Made from a count, or from names:
///
/// ```
/// # use wgrad::data::Classes;
/// assert_eq!(Classes::from(3).names(), ["0", "1", "2"]);
/// assert_eq!(Classes::from(["cat", "dog"]).len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classes(Vec<String>);

impl Classes {
    /// The names, in the order of the labels.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<usize> for Classes {
    fn from(count: usize) -> Self {
        Self((0..count).map(|label| label.to_string()).collect())
    }
}

impl From<&[&str]> for Classes {
    fn from(names: &[&str]) -> Self {
        Self(names.iter().map(ToString::to_string).collect())
    }
}

impl<const N: usize> From<[&str; N]> for Classes {
    fn from(names: [&str; N]) -> Self {
        Self::from(&names[..])
    }
}

impl From<Vec<String>> for Classes {
    fn from(names: Vec<String>) -> Self {
        Self(names)
    }
}

/// What the samples of a data set should be answered with.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Targets {
    /// Classification: one label a sample.
    Labels {
        /// Labels, each below the number of classes.
        labels: Vec<u32>,
        /// The classes.
        classes: Classes,
    },
    /// Regression: one array a sample.
    Values {
        /// Shape of one target.
        shape: Vec<usize>,
        /// All targets, one after the other.
        values: Vec<f32>,
    },
}

/// What one sample should be answered with.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Target {
    /// The index of a class.
    Label(u32),
    /// The elements of a regression target, in row order.
    Values(Vec<f32>),
}

/// One sample as the network sees it: scaled and normalised.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
    pub(super) target: Target,
}

impl Sample {
    /// The sample's shape, `[C, H, W]` for images.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Its elements in row order.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// What it should be answered with.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The class it belongs to; none in a regression.
    #[must_use]
    pub fn label(&self) -> Option<u32> {
        match self.target {
            Target::Label(label) => Some(label),
            Target::Values(_) => None,
        }
    }
}
