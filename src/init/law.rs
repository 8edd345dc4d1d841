//! Laws of independent elements, and figures about them.

use rand::Rng;
use rand_distr::Distribution as Sampled;

use super::InitError;
use crate::random::{Philox, StandardNormal};

/// As many numbers as there are, of a law.
pub(super) fn fill<D: Sampled<f64>>(law: &D, len: usize, stream: &mut Philox) -> Vec<f64> {
    (0..len).map(|_| law.sample(stream)).collect()
}

/// As [`fill`], in single precision.
pub(super) fn fill_narrowed<D: Sampled<f64>>(
    law: &D,
    len: usize,
    stream: &mut Philox,
) -> Result<Vec<f32>, InitError> {
    let mut values = vec![0.0; len];
    fill_slice(law, &mut values, 0, stream)?;
    Ok(values)
}

/// As [`fill_narrowed`], from the start of a stream, for a law that takes 64 bits for each number:
/// so every thread knows where in the stream its share begins.
pub(super) fn fill_by_threads<D: Sampled<f64> + Sync>(
    law: &D,
    len: usize,
    stream: &Philox,
) -> Result<Vec<f32>, InitError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(len / SHARE).max(1);
    let share = len.div_ceil(threads).next_multiple_of(2);
    let mut values = vec![0.0; len];
    let fill_share = &|index: usize, values: &mut [f32]| {
        let first = index * share;
        // A counter gives two numbers.
        let mut stream = stream.clone().skip((first / 2) as u32);
        fill_slice(law, values, first, &mut stream)
    };
    if threads == 1 {
        fill_share(0, &mut values)?;
        return Ok(values);
    }
    std::thread::scope(|scope| {
        let shares = values.chunks_mut(share).enumerate();
        let running: Vec<_> = shares
            .map(|(index, values)| scope.spawn(move || fill_share(index, values)))
            .collect();
        running.into_iter().try_for_each(|thread| {
            let outcome = thread.join();
            outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })?;
    Ok(values)
}

/// Numbers that are worth a thread.
const SHARE: usize = 1 << 16;

/// Fills a part of a parameter that begins at its element `first`.
fn fill_slice<D: Sampled<f64>>(
    law: &D,
    values: &mut [f32],
    first: usize,
    stream: &mut Philox,
) -> Result<(), InitError> {
    for (index, value) in values.iter_mut().enumerate() {
        *value = narrow(first + index, law.sample(stream))?;
    }
    Ok(())
}

/// Rounds to `f32`, refusing what would become infinite.
pub(super) fn narrow(element: usize, value: f64) -> Result<f32, InitError> {
    let narrow = value as f32;
    match narrow.is_finite() {
        true => Ok(narrow),
        false => Err(InitError::Overflow { element, value }),
    }
}

/// Uniform on `[low, high)` from 53 random bits.
pub(super) struct Uniform {
    pub low: f64,
    pub high: f64,
}

impl Sampled<f64> for Uniform {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        const ULP: f64 = 1.0 / (1_u64 << 53) as f64;
        self.low + (self.high - self.low) * ((rng.next_u64() >> 11) as f64 * ULP)
    }
}

/// Normal law of a mean and a standard deviation.
pub(super) struct Gaussian {
    pub mean: f64,
    pub std: f64,
}

impl Sampled<f64> for Gaussian {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.mean + self.std * StandardNormal.sample(rng)
    }
}

/// Normal law within `bound` standard deviations of its mean.
pub(super) struct Truncated {
    pub normal: Gaussian,
    pub bound: f64,
}

impl Sampled<f64> for Truncated {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        loop {
            let z = StandardNormal.sample(rng);
            if z.abs() <= self.bound {
                return self.normal.mean + self.normal.std * z;
            }
        }
    }
}

/// The variance of a standard normal truncated to ±b: `1 − 2b·φ(b)/(Φ(b) − Φ(−b))`.
///
/// Computed as the quotient of `∫z²φ` and `∫φ` over `[0, b]` by Simpson's rule, because the
/// closed form cancels for small b. Beyond b = 10 truncation changes nothing.
pub(super) fn truncated_variance(bound: f64) -> f64 {
    const STEPS: u32 = 1000;
    let end = bound.min(10.0);
    let (mut mass, mut second) = (0.0, 0.0);
    for step in 0..=STEPS {
        let z = end * f64::from(step) / f64::from(STEPS);
        let weight = match step {
            0 | STEPS => 1.0,
            odd if odd % 2 == 1 => 4.0,
            _ => 2.0,
        };
        let density = weight * (-0.5 * z * z).exp();
        mass += density;
        second += density * z * z;
    }
    second / mass
}

/// `n^(−1/root)` by Newton's method, which needs no platform's power function; not a number
/// where `n` or `root` is zero.
pub(super) fn inverse_root(n: usize, root: usize) -> f64 {
    if n == 0 || root == 0 {
        return f64::NAN;
    }
    let (target, root) = (1.0 / n as f64, root.min(1024));
    let mut y = 1.0_f64;
    loop {
        // From y = 1 ≥ target the iterates fall towards the root until rounding stops them.
        let power = (1..root).fold(1.0, |power, _| power * y);
        let next = y - (y * power - target) / (root as f64 * power);
        if next >= y {
            return y;
        }
        y = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Python's mpmath at 40 digits: `1 - 2*b*npdf(b)/erf(b/sqrt(2))`.
    #[test]
    fn truncated_variance_matches_the_closed_form() {
        let cases = [
            (0.01, 3.333_288_889_100_531e-5),
            (0.5, 0.080_589_154_600_811_7),
            (2.0, 0.773_741_303_549_923_2),
            (3.0, 0.973_336_924_662_541_5),
            (12.0, 1.0),
        ];
        for (bound, expected) in cases {
            let found = truncated_variance(bound);
            assert!(
                (found - expected).abs() < 1e-10 * expected,
                "{bound}: {found}"
            );
        }
    }

    #[test]
    fn threads_draw_what_one_would() {
        let stream = Philox::new(crate::random::Seed(3), "weight");
        let normal = Gaussian {
            mean: 0.5,
            std: 2.0,
        };
        let len = 3 * SHARE + 5;
        let alone = fill_narrowed(&normal, len, &mut stream.clone()).unwrap();
        assert_eq!(fill_by_threads(&normal, len, &stream).unwrap(), alone);
    }

    #[test]
    fn inverse_roots() {
        assert_eq!(inverse_root(1, 3), 1.0);
        assert_eq!(inverse_root(16, 1), 0.0625);
        for (n, root) in [(16, 2), (27, 3), (10, 4), (1_000_000, 7)] {
            let expected = (n as f64).powf(-1.0 / root as f64);
            assert!(
                (inverse_root(n, root) - expected).abs() < 1e-14,
                "{n} {root}"
            );
        }
        assert!(inverse_root(4, 0).is_nan());
    }
}
