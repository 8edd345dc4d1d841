//! What can be wrong with an initialiser.

use super::Fan;

/// Why no values could be drawn.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// A number of the initialiser is infinite or not a number.
    #[error("{what} must be finite, found {value}")]
    NotFinite {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// A number of the initialiser is below its least value.
    #[error("{what} must be at least {least}, found {value}")]
    TooSmall {
        /// Which number.
        what: &'static str,
        /// The least value allowed.
        least: f64,
        /// The value found.
        value: f64,
    },
    /// A uniform law whose upper end lies below its lower end.
    #[error("a uniform law needs low <= high, found {low}..{high}")]
    ReversedRange {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// The law divides by a fan that is zero: the parameter is a vector, or has no elements.
    #[error("the law divides by {fan}, which is zero for this parameter")]
    ZeroFan {
        /// The fan that the law reads.
        fan: Fan,
    },
    /// The shape has no elements, or 2³² and more.
    #[error("a parameter of shape {shape:?} cannot be filled")]
    BadShape {
        /// The parameter's shape.
        shape: Vec<usize>,
    },
    /// The initialiser needs another kind of parameter.
    #[error("{init} needs {needs}, found shape {shape:?}")]
    WrongShape {
        /// Which initialiser.
        init: &'static str,
        /// The kind of shape that it needs.
        needs: &'static str,
        /// The parameter's shape.
        shape: Vec<usize>,
    },
    /// A value was drawn that `f32` cannot hold.
    #[error("the value {value} at element {element} does not fit f32")]
    Overflow {
        /// Index in the flat parameter.
        element: usize,
        /// The value.
        value: f64,
    },
    /// The initialiser's elements depend on one another or on their place, so that their
    /// variance is not a function of the fans.
    #[error("the variance of {init} does not follow from the fans")]
    NoVariance {
        /// Which initialiser.
        init: String,
    },
    /// One of the above, with the parameter it was found at.
    #[error("cannot initialise {parameter}: {source}")]
    At {
        /// The parameter's name.
        parameter: String,
        /// What is wrong.
        source: Box<InitError>,
    },
}

/// `value`, if it is a finite number not below `least`.
pub(super) fn at_least(what: &'static str, value: f64, least: f64) -> Result<f64, InitError> {
    let value = finite(what, value)?;
    if value >= least {
        Ok(value)
    } else {
        Err(InitError::TooSmall { what, least, value })
    }
}

/// `value`, if it is a finite number.
pub(super) fn finite(what: &'static str, value: f64) -> Result<f64, InitError> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(InitError::NotFinite { what, value })
    }
}
