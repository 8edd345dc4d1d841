//! Groups of parameters, chosen by patterns: frozen, or with learning rates of their own.

use super::model::{Model, names};
use crate::error::{Error, Result};
use crate::graph::{Parameter, matches};

/// # Groups of parameters
///
/// A pattern is a parameter's path or a path above it (`conv1`, `layer2.0`), with `*` for any
/// characters, dots too, and `?` for one: `layer1.*.weight`, `*.bias`, `*` for all.
impl Model {
    /// Leaves the parameters and running statistics that a pattern chooses as they are in the
    /// trainings that follow. A batch normalisation whose running averages are frozen normalises
    /// by them in training, as it does in evaluation.
    ///
    /// ```no_run
    /// # fn f(model: &mut wgrad::train::Model) -> wgrad::Result<()> {
    /// // Only the last layer learns.
    /// model.freeze("*")?;
    /// model.unfreeze("linear2")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownName`] when the pattern chooses none.
    pub fn freeze(&mut self, pattern: &str) -> Result<()> {
        self.configure(pattern, |p| p.frozen = true)
    }

    /// Undoes [`Model::freeze`].
    ///
    /// # Errors
    /// [`Error::UnknownName`] when the pattern chooses no parameter.
    pub fn unfreeze(&mut self, pattern: &str) -> Result<()> {
        self.configure(pattern, |p| p.frozen = false)
    }

    /// Trains the parameters that a pattern chooses with so many times the learning rate. A later
    /// call replaces an earlier one.
    ///
    /// ```no_run
    /// # fn f(model: &mut wgrad::train::Model) -> wgrad::Result<()> {
    /// // A tenth for all, three tenths for one stage, and the full rate for the last layer.
    /// model.set_learning_rate_factor("*", 0.1)?;
    /// model.set_learning_rate_factor("layer4.*", 0.3)?;
    /// model.set_learning_rate_factor("fc", 1.0)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownName`] when the pattern chooses no parameter, [`Error::Invalid`] for a
    /// factor that is negative or not finite.
    pub fn set_learning_rate_factor(&mut self, pattern: &str, factor: f32) -> Result<()> {
        if !(factor >= 0.0 && factor.is_finite()) {
            return Err(Error::Invalid(format!(
                "the factor on the learning rate of `{pattern}` must be 0 or more, it is {factor}"
            )));
        }
        self.configure(pattern, |p| p.learning_rate_factor = factor)
    }

    /// Changes how the parameters that a pattern chooses are trained: their learning-rate factor,
    /// decay factor, or whether they are frozen.
    ///
    /// ```no_run
    /// # fn f(model: &mut wgrad::train::Model) -> wgrad::Result<()> {
    /// model.configure("*.bias", |parameter| parameter.decay_factor = 1.0)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownName`] when the pattern chooses none.
    pub fn configure(&mut self, pattern: &str, change: impl Fn(&mut Parameter)) -> Result<()> {
        let known = self.parameters().iter();
        if !known.clone().any(|p| matches(pattern, &p.name)) {
            return Err(Error::UnknownName {
                kind: "parameter",
                name: pattern.to_owned(),
                known: names(self.parameters()),
            });
        }
        let parameters = self.graph.parameters_mut().iter_mut();
        parameters
            .filter(|p| matches(pattern, &p.name))
            .for_each(change);
        Ok(())
    }
}
