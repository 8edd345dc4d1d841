//! Mean and deviation in one pass.

/// Count, mean and sum of squared deviations of some values, in `f64`.
///
/// Small groups are summed directly and then merged by T. F. Chan, G. H. Golub and R. J. LeVeque,
/// "Updating formulae and a pairwise algorithm for computing sample variances" (1979). The mean of
/// squares less the squared mean would cancel where the mean is large.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Moments {
    count: f64,
    mean: f64,
    /// Sum of `(x − mean)²`.
    squares: f64,
}

impl Moments {
    /// Those of a few values, which are gone through twice.
    pub(super) fn of(values: impl ExactSizeIterator<Item = f32> + Clone) -> Self {
        let count = values.len() as f64;
        let mean = values.clone().map(f64::from).sum::<f64>() / count.max(1.0);
        let squares = values.map(|x| (f64::from(x) - mean).powi(2)).sum();
        Self {
            count,
            mean,
            squares,
        }
    }

    /// Adds the values that `other` stands for.
    pub(super) fn merge(&mut self, other: Self) {
        let count = self.count + other.count;
        if count == 0.0 {
            return;
        }
        let difference = other.mean - self.mean;
        self.squares += other.squares + difference * difference * self.count * other.count / count;
        self.mean += difference * other.count / count;
        self.count = count;
    }

    /// Mean and population standard deviation; the latter is 1 where nothing varies.
    pub(super) fn mean_std(&self) -> (f32, f32) {
        let std = (self.squares / self.count.max(1.0)).sqrt() as f32;
        (self.mean as f32, if std.is_normal() { std } else { 1.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10,000 ± 0.01: squares of the values need 27 digits of which `f64` has 16.
    #[test]
    fn a_large_mean_does_not_cancel_a_small_deviation() {
        let values: Vec<f32> = (0..1000)
            .map(|i| 10_000.0 + (i % 2) as f32 / 64.0)
            .collect();
        for group in [1, 7, 100, 1000] {
            let mut moments = Moments::default();
            for chunk in values.chunks(group) {
                moments.merge(Moments::of(chunk.iter().copied()));
            }
            let std = (moments.squares / moments.count).sqrt();
            assert!((std - 1.0 / 128.0).abs() < 1e-11, "{group}: {std}");
            assert!(
                (moments.mean - 10_000.0 - 1.0 / 128.0).abs() < 1e-9,
                "{group}"
            );
        }
    }

    #[test]
    fn nothing_and_constants_have_deviation_one() {
        let mut nothing = Moments::default();
        nothing.merge(Moments::default());
        assert_eq!(nothing.mean_std(), (0.0, 1.0));
        let constant = Moments::of([3.0; 4].into_iter());
        assert_eq!(constant.mean_std(), (3.0, 1.0));
    }
}
