//! Philox 4×32-10 on the host; `shaders/philox.wgsl` is its twin.

use std::convert::Infallible;

use rand::TryRng;

use super::{Seed, split_words, stream_of};

/// Multipliers of the two 32×32→64-bit products in a round.
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// What a round adds to the key: the golden ratio and √3 − 1, as 32-bit fractions.
const KEY_STEPS: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Scrambles a 128-bit `counter` under a 64-bit `key` into 128 random bits.
///
/// A bijection of the counter for every key: no two counters of one key collide. All words are
/// little-endian, first word least significant, as in the authors' Random123 library.
///
/// ```
/// # use wgrad::random::philox4x32_10;
/// // Random123, kat_vectors: philox4x32 10, all zero.
/// let bits = philox4x32_10([0; 4], [0; 2]);
/// assert_eq!(bits, [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
/// ```
#[must_use]
pub const fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let mut c = counter;
    let mut k = key;
    let mut round = 0;
    while round < 10 {
        let [low0, high0] = split_words(c[0] as u64 * MULTIPLIERS[0] as u64);
        let [low1, high1] = split_words(c[2] as u64 * MULTIPLIERS[1] as u64);
        c = [high1 ^ c[1] ^ k[0], low1, high0 ^ c[3] ^ k[1], low0];
        k = [
            k[0].wrapping_add(KEY_STEPS[0]),
            k[1].wrapping_add(KEY_STEPS[1]),
        ];
        round += 1;
    }
    c
}

/// 32 random bits as an `f32` in `[0, 1)`: the upper 24 bits, times 2⁻²⁴.
///
/// Exact (24 bits fit an `f32`), so the shader's `uniform01` gives the same value bit for bit.
///
/// ```
/// # use wgrad::random::uniform01;
/// assert_eq!(uniform01(0), 0.0);
/// assert_eq!(uniform01(1 << 31), 0.5);
/// assert!(uniform01(u32::MAX) < 1.0);
/// ```
#[must_use]
pub const fn uniform01(bits: u32) -> f32 {
    const ULP: f32 = 1.0 / (1 << 24) as f32;
    (bits >> 8) as f32 * ULP
}

/// A stream of Philox numbers, named, and usable wherever `rand` takes a generator.
///
/// The counter's words are `[block, lane, hash(name)]`: `block` counts up as numbers are drawn,
/// `lane` is free for the caller (an epoch, a layer). A stream repeats after 2³⁴ words.
///
/// ```
/// # use wgrad::random::{Philox, Seed};
/// use rand::Rng;
///
/// let mut a = Philox::new(Seed(1), "conv1.weight");
/// let mut b = Philox::new(Seed(1), "conv2.weight");
/// assert_ne!(a.next_u64(), b.next_u64());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Philox {
    key: [u32; 2],
    /// The next counter to scramble.
    counter: [u32; 4],
    /// The words of the counter before it, of which the first `used` are spent.
    words: [u32; 4],
    used: usize,
}

impl Philox {
    /// The stream that belongs to `name` under `seed`, from its start.
    #[must_use]
    pub const fn new(seed: Seed, name: &str) -> Self {
        Self::with_lane(seed, name, 0)
    }

    /// One of 2³² independent streams under the same name.
    #[must_use]
    pub const fn with_lane(seed: Seed, name: &str, lane: u32) -> Self {
        let [low, high] = split_words(stream_of(name));
        Self {
            key: seed.key(),
            counter: [0, lane, low, high],
            words: [0; 4],
            used: 4,
        }
    }

    /// The stream from so many counters, of four words each, further on; what is left of the last
    /// one is dropped.
    pub(crate) const fn skip(mut self, counters: u32) -> Self {
        self.counter[0] = self.counter[0].wrapping_add(counters);
        self.used = self.words.len();
        self
    }

    /// The stream's next 32 bits.
    pub const fn word(&mut self) -> u32 {
        if self.used == self.words.len() {
            self.words = philox4x32_10(self.counter, self.key);
            self.counter[0] = self.counter[0].wrapping_add(1);
            self.used = 0;
        }
        let word = self.words[self.used];
        self.used += 1;
        word
    }

    /// An integer below `bound`, each equally likely; 0 where `bound` is 0.
    ///
    /// Lemire's multiplication with rejection ("Fast random integer generation in an interval",
    /// 2019): the high word of `bits × bound`, drawn again where the low word falls into the
    /// remainder that would favour some results.
    pub const fn below(&mut self, bound: u32) -> u32 {
        if bound == 0 {
            return 0;
        }
        let remainder = bound.wrapping_neg() % bound;
        loop {
            let [low, high] = split_words(self.word() as u64 * bound as u64);
            if low >= remainder {
                return high;
            }
        }
    }
}

impl TryRng for Philox {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let low = u64::from(self.word());
        Ok(low | u64::from(self.word()) << 32)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(4) {
            chunk.copy_from_slice(&self.word().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    /// The known-answer vectors of Random123 1.14 (`tests/kat_vectors`).
    #[test]
    fn known_answers() {
        let cases = [
            (
                [0; 4],
                [0; 2],
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            ),
            (
                [u32::MAX; 4],
                [u32::MAX; 2],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(
                philox4x32_10(counter, key),
                expected,
                "{counter:08x?} {key:08x?}"
            );
        }
    }

    #[test]
    fn a_stream_is_its_counters_in_order() {
        let mut stream = Philox::with_lane(Seed(5), "foobar", 3);
        for block in 0..3 {
            let expected = philox4x32_10([block, 3, 0xf739_67e8, 0x8594_4171], [5, 0]);
            assert_eq!([0; 4].map(|_: u32| stream.word()), expected);
        }
    }

    #[test]
    fn names_seeds_and_lanes_are_separate_streams() {
        let first = |seed, name, lane| Philox::with_lane(Seed(seed), name, lane).next_u64();
        let base = first(1, "a", 0);
        assert_eq!(base, first(1, "a", 0));
        assert_ne!(base, first(2, "a", 0));
        assert_ne!(base, first(1 << 32, "a", 0));
        assert_ne!(base, first(1, "b", 0));
        assert_ne!(base, first(1, "a", 1));
    }

    #[test]
    fn bytes_are_the_words_little_endian() {
        let mut bytes = [0; 7];
        Philox::new(Seed(9), "x").fill_bytes(&mut bytes);
        let mut words = Philox::new(Seed(9), "x");
        let expected = [words.word().to_le_bytes(), words.word().to_le_bytes()].concat();
        assert_eq!(bytes, expected[..7]);
    }

    /// 6,000 draws below 6: each count within four standard errors (√(6000·1/6·5/6) ≈ 28.9).
    #[test]
    fn below_is_uniform_and_bounded() {
        let mut stream = Philox::new(Seed(3), "die");
        let mut counts = [0_i32; 6];
        for _ in 0..6000 {
            counts[stream.below(6) as usize] += 1;
        }
        assert!(
            counts.iter().all(|count| (count - 1000).abs() < 116),
            "{counts:?}"
        );
        assert_eq!(stream.below(1), 0);
        assert_eq!(stream.below(0), 0);
        assert!((0..99).all(|_| stream.below(u32::MAX) < u32::MAX));
    }
}
