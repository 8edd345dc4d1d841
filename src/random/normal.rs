//! Normal deviates by inversion, without a platform's mathematics library.

use rand::Rng;
use rand_distr::Distribution;

/// The normal law of mean 0 and variance 1, with the same bits on every platform.
///
/// A uniform number `u` becomes the quantile `Φ⁻¹(u)` by Wichura's rational approximations
/// (Algorithm AS 241, PPND16, Applied Statistics 37, 1988; relative error about 1e-16). Inversion
/// takes exactly one 64-bit number per deviate, so the i-th weight of a parameter is a function
/// of `i`; a ziggurat, which draws again now and then, has no such property.
///
/// ```
/// # use wgrad::random::{Philox, Seed, StandardNormal};
/// use rand_distr::Distribution;
///
/// let mut stream = Philox::new(Seed(42), "noise");
/// let z: f64 = StandardNormal.sample(&mut stream);
/// assert!(z.abs() < 8.3); // the largest deviate that 52 bits can give
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StandardNormal;

impl Distribution<f64> for StandardNormal {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        // Half-way points of 2⁵² equal cells: symmetric about ½, never 0 or 1, and exact.
        const CELL: f64 = 1.0 / (1_u64 << 52) as f64;
        normal_quantile(((rng.next_u64() >> 12) as f64 + 0.5) * CELL)
    }
}

/// `Φ⁻¹(u)` for `0 < u < 1`: the value that a standard normal variable stays below with
/// probability `u`.
pub(super) fn normal_quantile(u: f64) -> f64 {
    let centred = u - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180_625 - centred * centred;
        return centred * ratio(r, &CENTRE);
    }
    let tail = if centred < 0.0 { u } else { 1.0 - u };
    let r = (-ln(tail)).sqrt();
    let magnitude = if r <= 5.0 {
        ratio(r - 1.6, &MIDDLE)
    } else {
        ratio(r - 5.0, &FAR)
    };
    if centred < 0.0 { -magnitude } else { magnitude }
}

/// Natural logarithm of a normal, positive `x`, to about one unit in the last place.
///
/// `x = 2ᵉ·m` with m in `[√½, √2)`, and `ln m = 2·artanh(s)` with `s = (m−1)/(m+1)`, |s| < 0.172.
/// The series `s + s³/3 + s⁵/5 + …` is summed from its smallest term.
fn ln(x: f64) -> f64 {
    use std::f64::consts::{LN_2, SQRT_2};
    const FRACTION: u64 = (1 << 52) - 1;

    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i32 - 1023;
    let mut mantissa = f64::from_bits((bits & FRACTION) | 1.0_f64.to_bits());
    if mantissa >= SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    // 0.172²ⁿ/(2n+1) is below 2⁻⁵³ from n = 10 on.
    let series = (0..=10)
        .rev()
        .fold(0.0, |sum, n| sum * square + 1.0 / f64::from(2 * n + 1));
    f64::from(exponent) * LN_2 + 2.0 * s * series
}

/// Coefficients of a numerator and a denominator, constant term first.
type Rational = ([f64; 8], [f64; 8]);

fn ratio(r: f64, (numerator, denominator): &Rational) -> f64 {
    let polynomial = |terms: &[f64; 8]| terms.iter().rev().fold(0.0, |sum, term| sum * r + term);
    polynomial(numerator) / polynomial(denominator)
}

/// |u − ½| ≤ 0.425, in `0.425² − (u − ½)²`.
const CENTRE: Rational = (
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_66e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
);

/// √(−ln tail) ≤ 5, in `√(−ln tail) − 1.6`.
const MIDDLE: Rational = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);

/// Further out, in `√(−ln tail) − 5`.
const FAR: Rational = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Philox, Seed};

    /// Expected values: Python's mpmath at 40 digits, `erfinv(2*mpf(u) - 1)*sqrt(2)`.
    #[test]
    fn quantiles_match_forty_digit_values() {
        let cases = [
            (0.25, -0.674_489_750_196_081_7),
            (0.9, 1.281_551_565_544_600_6),
            (0.075, -1.439_531_470_938_456),
            (0.0625, -1.534_120_544_352_546_3),
            (0.99, 2.326_347_874_040_840_8),
            (1e-6, -4.753_424_308_822_899),
            (1e-11, -6.706_023_155_495_136),
            (2.0_f64.powi(-53), -8.209_536_151_601_387),
        ];
        for (u, expected) in cases {
            let found = normal_quantile(u);
            let error = (found - expected).abs();
            assert!(
                error <= 4e-16 * expected.abs().max(1.0),
                "{u}: {found} and {expected}"
            );
        }
    }

    #[test]
    fn the_law_is_odd_about_one_half() {
        for u in [0.25, 0.0625, 1.0 / 4096.0, 1.0 / (1_u64 << 40) as f64] {
            assert_eq!(normal_quantile(u), -normal_quantile(1.0 - u));
        }
    }

    #[test]
    fn logarithm_agrees_with_the_standard_library() {
        let mut x = 1.0_f64;
        while x > 1e-16 {
            assert!(
                (ln(x) - x.ln()).abs() <= 4.0 * f64::EPSILON * x.ln().abs().max(0.25),
                "{x}"
            );
            x *= 0.997;
        }
    }

    /// Moments of 200,000 deviates within four standard errors: √(1/n) for the mean, √(2/n) for
    /// the variance, √(96/n) for the fourth moment (Var z⁴ = 105 − 9).
    #[test]
    fn moments_are_those_of_a_standard_normal() {
        let n = 200_000;
        let mut stream = Philox::new(Seed(11), "moments");
        let z: Vec<f64> = (0..n).map(|_| StandardNormal.sample(&mut stream)).collect();
        let moment = |power| z.iter().map(|z| z.powi(power)).sum::<f64>() / f64::from(n);
        let error = |variance: f64| 4.0 * (variance / f64::from(n)).sqrt();
        assert!(moment(1).abs() <= error(1.0));
        assert!((moment(2) - 1.0).abs() <= error(2.0));
        assert!((moment(4) - 3.0).abs() <= error(96.0));
    }
}
