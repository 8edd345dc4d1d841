//! How many inputs a unit reads and how many units read an input.

use std::fmt;

/// Which number of connections divides the variance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fan {
    /// Inputs of one unit: keeps the variance of activations in the forward pass.
    #[default]
    In,
    /// Units that read one input: keeps the variance of gradients in the backward pass.
    Out,
    /// The mean of the two, a compromise.
    Average,
}

impl fmt::Display for Fan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::In => "fan_in",
            Self::Out => "fan_out",
            Self::Average => "the average fan",
        })
    }
}

/// A parameter's connections.
///
/// Strides are left out, as is customary: with stride S an input is read by fewer than `fan_out`
/// units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fans {
    /// Inputs of one unit: `C/G·kh·kw`, or a linear layer's inputs.
    pub fan_in: usize,
    /// Units that read one input: `O/G·kh·kw`, or a linear layer's outputs.
    pub fan_out: usize,
}

impl Fans {
    /// The fans of linear weights `[out, in]` or of filters `[out, in, kh, kw]` in one group.
    ///
    /// Vectors (biases, scales) connect nothing: both fans are zero, and an initialiser that
    /// divides by one reports it.
    ///
    /// ```
    /// # use wgrad::init::Fans;
    /// assert_eq!(Fans::of(&[10, 64]), Fans { fan_in: 64, fan_out: 10 });
    /// assert_eq!(Fans::of(&[32, 16, 3, 3]), Fans { fan_in: 144, fan_out: 288 });
    /// ```
    #[must_use]
    pub fn of(shape: &[usize]) -> Self {
        let [outputs, inputs, taps @ ..] = shape else {
            return Self::default();
        };
        let times_taps =
            |channels: usize| taps.iter().copied().fold(channels, usize::saturating_mul);
        Self {
            fan_in: times_taps(*inputs),
            fan_out: times_taps(*outputs),
        }
    }

    /// The fans of filters `[out, in_per_group, kh, kw]` in `groups` groups: an input is read by
    /// its own group's `out/groups` filters only.
    ///
    /// ```
    /// # use wgrad::init::Fans;
    /// // Depthwise 3×3 on 32 channels: nine connections either way.
    /// assert_eq!(Fans::conv(32, 1, 3, 3, 32), Fans { fan_in: 9, fan_out: 9 });
    /// ```
    #[must_use]
    pub fn conv(out: usize, in_per_group: usize, kh: usize, kw: usize, groups: usize) -> Self {
        Self::of(&[out.checked_div(groups).unwrap_or(0), in_per_group, kh, kw])
    }

    /// The number of connections that `fan` speaks of; an average may be half-integral.
    #[must_use]
    pub fn get(self, fan: Fan) -> f64 {
        let (fan_in, fan_out) = (self.fan_in as f64, self.fan_out as f64);
        match fan {
            Fan::In => fan_in,
            Fan::Out => fan_out,
            Fan::Average => 0.5 * (fan_in + fan_out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fans_follow_the_shape() {
        let cases: [(&[usize], usize, usize); 5] = [
            (&[], 0, 0),
            (&[7], 0, 0),
            (&[2, 3], 3, 2),
            (&[2, 3, 5], 15, 10),
            (&[2, 3, 5, 7], 105, 70),
        ];
        for (shape, fan_in, fan_out) in cases {
            assert_eq!(Fans::of(shape), Fans { fan_in, fan_out }, "{shape:?}");
        }
    }

    #[test]
    fn groups_divide_both_channel_counts() {
        assert_eq!(
            Fans::conv(8, 2, 3, 1, 2),
            Fans {
                fan_in: 6,
                fan_out: 12
            }
        );
        assert_eq!(Fans::conv(8, 2, 3, 1, 0).fan_out, 0);
    }

    #[test]
    fn the_average_keeps_halves() {
        assert_eq!(
            Fans {
                fan_in: 3,
                fan_out: 2
            }
            .get(Fan::Average),
            2.5
        );
    }
}
