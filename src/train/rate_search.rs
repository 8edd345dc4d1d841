//! The search for a learning rate: a short training whose rate grows until it diverges.

use std::sync::Arc;

use super::model::Model;
use super::trainer::Trainer;
use super::training::Training;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::report::RateSearch;

/// Steps after which the losses are read. Those after the end of the search are for nothing.
const READ: u64 = 10;

/// Where [`Trainer::find_rate`] looks.
///
/// ```
/// use wgrad::train::RateSearchOptions;
/// let options = RateSearchOptions::new().range(1e-4, 1.0).steps(200);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateSearchOptions {
    lowest: f64,
    highest: f64,
    steps: u32,
    smoothing: f64,
    limit: f64,
}

impl Default for RateSearchOptions {
    fn default() -> Self {
        Self {
            lowest: 1e-6,
            highest: 10.0,
            steps: 100,
            smoothing: 0.98,
            limit: 4.0,
        }
    }
}

impl RateSearchOptions {
    /// From 1e-6 to 10 in 100 steps, losses smoothed by 0.98, up to four times the smallest.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first and the last rate, the former above 0 and below the latter.
    #[must_use]
    pub fn range(mut self, lowest: f64, highest: f64) -> Self {
        (self.lowest, self.highest) = (lowest, highest);
        self
    }

    /// How many steps lead from the first rate to the last, at least 2. Each has its rate, a constant
    /// factor above the one before. Beyond the end of the data set they begin it again.
    #[must_use]
    pub fn steps(mut self, steps: u32) -> Self {
        self.steps = steps;
        self
    }

    /// The decay β of the smoothed loss `aₙ/(1 − βⁿ)`, `aₙ = β·aₙ₋₁ + (1 − β)·lossₙ`, from 0 (not
    /// smoothed) to below 1.
    #[must_use]
    pub fn smoothing(mut self, decay: f64) -> Self {
        self.smoothing = decay;
        self
    }

    /// The search ends where the smoothed loss is more than this many times the smallest so far,
    /// 4 by default; [`f64::INFINITY`] goes on to a loss that is not finite. (Losses may be negative:
    /// what counts is the distance from the smallest, in multiples of its magnitude.)
    #[must_use]
    pub fn stop_at(mut self, times_smallest: f64) -> Self {
        self.limit = times_smallest;
        self
    }

    fn check(&self) -> Result<()> {
        let refuse = |reason: String| Err(Error::Invalid(reason));
        let Self {
            lowest, highest, ..
        } = *self;
        if !(lowest > 0.0 && lowest < highest && highest.is_finite()) {
            return refuse(format!(
                "a search for a learning rate cannot go from {lowest} to {highest}"
            ));
        }
        if self.steps < 2 {
            return refuse(format!(
                "a search for a learning rate needs 2 steps or more, not {}",
                self.steps
            ));
        }
        if !(0.0..1.0).contains(&self.smoothing) {
            return refuse(format!(
                "the smoothing of losses must lie in [0, 1), it is {}",
                self.smoothing
            ));
        }
        match self.limit > 1.0 {
            true => Ok(()),
            false => refuse(format!(
                "a search that ends at {} times the smallest loss finds nothing",
                self.limit
            )),
        }
    }

    /// The rate of a step, counted from 0.
    fn rate(&self, step: u64) -> f64 {
        let way = step as f64 / f64::from(self.steps - 1);
        self.lowest * (self.highest / self.lowest).powf(way)
    }
}

impl Trainer {
    /// Looks for a learning rate (Smith, "Cyclical learning rates", 2017): trains a copy of the
    /// model for some steps at rates that grow exponentially, until it diverges. The model itself
    /// is only read; batches, loss, augmentation and update rule are this trainer's, its rate and
    /// schedule play no part.
    ///
    /// ```no_run
    /// use wgrad::train::{RateSearchOptions, Sgd, Trainer};
    /// # use wgrad::{data::Dataset, train::Model};
    /// # fn f(model: &mut Model, train: &Dataset, test: &Dataset) -> wgrad::Result<()> {
    /// let trainer = Trainer::new(Sgd::new(0.1).momentum(0.9));
    /// let search = trainer.find_rate(model, train, RateSearchOptions::new())?;
    /// println!("{search}");
    /// let rate = search.valley().unwrap_or(0.1);
    /// Trainer::new(Sgd::new(rate).momentum(0.9)).fit(model, train, test)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Trainer::start`]; [`Error::Invalid`] for options that make no sense, and where the
    /// rule's own rate, which is scaled, is not above 0; [`Error::NonFinite`] if the first loss
    /// already is not finite, which is not the rate's fault.
    pub fn find_rate(
        &self,
        model: &Model,
        train: &Dataset,
        options: RateSearchOptions,
    ) -> Result<RateSearch> {
        pollster::block_on(self.find_rate_async(model, train, options))
    }

    /// The asynchronous form of [`Trainer::find_rate`].
    ///
    /// # Errors
    /// As [`Trainer::find_rate`].
    pub async fn find_rate_async(
        &self,
        model: &Model,
        train: &Dataset,
        options: RateSearchOptions,
    ) -> Result<RateSearch> {
        options.check()?;
        let base = self.rule.learning_rate();
        if !(base > 0.0 && base.is_finite()) {
            return Err(Error::Invalid(format!(
                "a search scales the update rule's learning rate, which is {base}"
            )));
        }
        let trainer = Self {
            schedule: Arc::new(move |step| options.rate(step) / base),
            plateau: None,
            average: None,
            ..self.clone()
        };
        let mut copy = model.duplicate().await?;
        let mut training = Training::new(&trainer, &mut copy, train).await?;
        search(&mut training, options).await
    }
}

async fn search(training: &mut Training<'_>, options: RateSearchOptions) -> Result<RateSearch> {
    let mut search = RateSearch::new(options.smoothing);
    let steps = u64::from(options.steps);
    while training.steps() < steps && !search.diverged {
        training.step_async().await?;
        if !training.steps().is_multiple_of(READ) && training.steps() < steps {
            continue;
        }
        let failed = training.fetch_losses().await?;
        for loss in training.take_losses() {
            if !search.diverged {
                search.push(options.rate(search.points().len() as u64), loss);
                search.diverged = search.is_above(options.limit);
            }
        }
        match failed {
            Some((0, micro_batch)) => return Err(training.diagnose(0, micro_batch).await?),
            Some(_) => search.diverged = true,
            None => {}
        }
    }
    Ok(search)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_grow_by_a_constant_factor() {
        let options = RateSearchOptions::new().range(0.01, 100.0).steps(5);
        let rates: Vec<f64> = (0..5).map(|step| options.rate(step)).collect();
        for (rate, expected) in rates.iter().zip([0.01, 0.1, 1.0, 10.0, 100.0]) {
            assert!((rate / expected - 1.0).abs() <= 1e-12, "{rates:?}");
        }
    }

    #[test]
    fn options_that_make_no_sense() {
        let options = RateSearchOptions::new;
        let cases = [
            (options().range(0.0, 1.0), "cannot go from 0 to 1"),
            (options().range(1.0, 0.1), "cannot go from 1 to 0.1"),
            (options().range(f64::NAN, 1.0), "cannot go from NaN to 1"),
            (options().steps(1), "needs 2 steps or more, not 1"),
            (options().smoothing(1.0), "[0, 1), it is 1"),
            (options().stop_at(1.0), "at 1 times the smallest"),
        ];
        for (options, expected) in cases {
            let error = options.check().map_err(|error| error.to_string());
            assert!(
                error.as_ref().is_err_and(|e| e.contains(expected)),
                "{error:?}"
            );
        }
        assert!(options().check().is_ok());
    }
}
