//! Drawing a parameter's values, and the variance they have.

use rand_distr::Distribution as Sampled;

use super::error::{at_least, finite};
use super::law::{
    Gaussian, Truncated, Uniform, fill_by_threads, fill_narrowed, narrow, truncated_variance,
};
use super::{Distribution, Fans, Gain, Init, InitError, structured};
use crate::random::{Philox, Seed};

/// A narrower truncation would throw away nearly every draw.
const LEAST_BOUND: f64 = 0.01;

impl Init {
    /// Draws the values of one parameter, in row order of its `shape`.
    ///
    /// The values are a function of the arguments alone, bit for bit, on every platform. `name`
    /// is the parameter's path (`conv1.weight`); parameters of different names get unrelated
    /// values. `fans` is read by [`Init::Scaled`] only.
    ///
    /// # Errors
    ///
    /// [`InitError::At`], which names the parameter and what is wrong: a number of the
    /// initialiser out of its range, a fan of zero where the law divides by it, or a shape that
    /// is empty or unfit for the initialiser.
    ///
    /// ```
    /// # use wgrad::{init::{Fans, Init}, random::Seed};
    /// let bad = Init::Gaussian { mean: 0.0, std: -1.0 };
    /// let error = bad.sample(&[4], Fans::default(), Seed(1), "conv1.bias").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "cannot initialise conv1.bias: standard deviation must be at least 0, found -1"
    /// );
    /// ```
    pub fn sample(
        &self,
        shape: &[usize],
        fans: Fans,
        seed: Seed,
        name: &str,
    ) -> Result<Vec<f32>, InitError> {
        let mut stream = Philox::new(seed, name);
        self.draw(shape, fans, &mut stream)
            .map_err(|source| InitError::At {
                parameter: name.to_owned(),
                source: source.into(),
            })
    }

    /// The variance of one element.
    ///
    /// With it a report can tell whether signals grow or shrink: a layer with ReLU multiplies
    /// the variance by `½·fan_in·variance` on the way forward and by `½·fan_out·variance` on the
    /// way back (see [why the variance matters](crate::init#why-the-variance-matters)).
    ///
    /// # Errors
    ///
    /// A number out of its range, a fan of zero, or [`InitError::NoVariance`] for initialisers
    /// whose elements are not drawn independently.
    pub fn variance(&self, fans: Fans) -> Result<f64, InitError> {
        match *self {
            Self::Constant(value) => finite("constant", value).map(|_| 0.0),
            Self::Uniform { low, high } => {
                let width = range_width(low, high)?;
                Ok(width * width / 12.0)
            }
            Self::Gaussian { mean, std } => {
                gaussian(mean, std).map(|normal| normal.std * normal.std)
            }
            Self::TruncatedGaussian { mean, std, bound } => {
                let normal = gaussian(mean, std)?;
                let bound = at_least("truncation", bound, LEAST_BOUND)?;
                Ok(normal.std * normal.std * truncated_variance(bound))
            }
            Self::Scaled { gain, fan, .. } => {
                let n = fans.get(fan);
                if n == 0.0 {
                    return Err(InitError::ZeroFan { fan });
                }
                Ok(gain_value(gain)? / n)
            }
            Self::Orthogonal { .. }
            | Self::DeltaOrthogonal { .. }
            | Self::Dirac { .. }
            | Self::Bilinear
            | Self::PositiveUnitBall => Err(InitError::NoVariance {
                init: self.to_string(),
            }),
        }
    }

    fn draw(
        &self,
        shape: &[usize],
        fans: Fans,
        stream: &mut Philox,
    ) -> Result<Vec<f32>, InitError> {
        let len = element_count(shape)?;
        let values = match *self {
            Self::Constant(value) => return Ok(vec![narrow(0, finite("constant", value)?)?; len]),
            Self::Uniform { low, high } => {
                range_width(low, high)?;
                return fill_by_threads(&Uniform { low, high }, len, stream);
            }
            Self::Gaussian { mean, std } => {
                return fill_by_threads(&gaussian(mean, std)?, len, stream);
            }
            Self::TruncatedGaussian { mean, std, bound } => {
                let normal = gaussian(mean, std)?;
                let bound = at_least("truncation", bound, LEAST_BOUND)?;
                return fill_narrowed(&Truncated { normal, bound }, len, stream);
            }
            Self::Scaled { distribution, .. } => {
                let variance = self.variance(fans)?;
                return match distribution {
                    Distribution::Normal => {
                        let std = variance.sqrt();
                        fill_by_threads(&Gaussian { mean: 0.0, std }, len, stream)
                    }
                    Distribution::Uniform => {
                        let high = (3.0 * variance).sqrt();
                        fill_by_threads(&Uniform { low: -high, high }, len, stream)
                    }
                };
            }
            Self::Orthogonal { gain } => structured::orthogonal(shape, gain, stream)?,
            Self::DeltaOrthogonal { gain } => structured::delta_orthogonal(shape, gain, stream)?,
            Self::Dirac { groups } => structured::dirac(shape, groups)?,
            Self::Bilinear => structured::bilinear(shape)?,
            Self::PositiveUnitBall => structured::positive_unit_ball(shape, stream),
        };
        narrowed(&values)
    }
}

/// Draws `len` values from any law of `rand_distr`, on the stream of `seed` and `name`.
///
/// The generator is this crate's and fixed; whether a law of another crate keeps its values from
/// one release to the next is that crate's promise.
///
/// ```
/// # use wgrad::{init::sample_from, random::Seed};
/// let law = rand_distr::Cauchy::new(0.0, 0.01)?;
/// let values = sample_from(&law, 100, Seed(3), "embedding.weight");
/// assert_eq!(values, sample_from(&law, 100, Seed(3), "embedding.weight"));
/// # Ok::<(), rand_distr::CauchyError>(())
/// ```
#[must_use]
pub fn sample_from<D: Sampled<f64>>(law: &D, len: usize, seed: Seed, name: &str) -> Vec<f32> {
    let mut stream = Philox::new(seed, name);
    (0..len).map(|_| law.sample(&mut stream) as f32).collect()
}

/// The product of a shape's sizes, below 2³² as a stream's numbers repeat beyond it.
fn element_count(shape: &[usize]) -> Result<usize, InitError> {
    let len = shape.iter().try_fold(1_u32, |len, &size| {
        len.checked_mul(u32::try_from(size).ok()?)
    });
    match len {
        Some(len @ 1..) => Ok(len as usize),
        _ => Err(InitError::BadShape {
            shape: shape.to_vec(),
        }),
    }
}

/// In single precision.
fn narrowed(values: &[f64]) -> Result<Vec<f32>, InitError> {
    let values = values.iter().enumerate();
    values
        .map(|(element, &value)| narrow(element, value))
        .collect()
}

fn gaussian(mean: f64, std: f64) -> Result<Gaussian, InitError> {
    let mean = finite("mean", mean)?;
    let std = at_least("standard deviation", std, 0.0)?;
    Ok(Gaussian { mean, std })
}

/// `high − low`, if both are numbers, in order, and not too far apart for `f64`.
fn range_width(low: f64, high: f64) -> Result<f64, InitError> {
    finite("low", low)?;
    finite("high", high)?;
    if low > high {
        return Err(InitError::ReversedRange { low, high });
    }
    finite("width of the range", high - low)
}

fn gain_value(gain: Gain) -> Result<f64, InitError> {
    if let Gain::Rectifier { negative_slope } = gain {
        finite("negative slope", negative_slope)?;
    }
    at_least("gain", gain.value(), 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_f32_are_refused() {
        let error = narrowed(&[0.0, 1e39]);
        assert_eq!(
            error,
            Err(InitError::Overflow {
                element: 1,
                value: 1e39
            })
        );
    }
}
