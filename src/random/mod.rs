//! Random numbers that are the same on every platform, in every release.
//!
//! Everything random in this crate, on the host and in the shaders, comes from one named
//! algorithm: **Philox 4×32-10** (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
//! easy as 1, 2, 3", SC 2011). Philox is *counter-based*: it has no state that must be walked
//! through, it scrambles a 128-bit counter under a 64-bit key. The key is the [`Seed`]; half of
//! the counter says *what* is drawn (the hash of a name), the other half *which* draw it is.
//! So a parameter's values depend on the seed and on the parameter's name alone: adding a layer
//! changes no other layer's weights, and a GPU thread finds its number without its neighbours.
//!
//! | item | host | shader |
//! |---|---|---|
//! | ten rounds of Philox | [`philox4x32_10`] | `wgrad::philox::philox4x32_10` |
//! | bits to `[0, 1)` | [`uniform01`] | `wgrad::philox::uniform01` |
//!
//! # Why not `rand`'s own generators and `rand_distr`'s own laws?
//!
//! [`Philox`] implements `rand`'s generator traits and [`StandardNormal`] implements
//! `rand_distr`'s [`Distribution`](rand_distr::Distribution), so both mix freely with those
//! crates. The numbers themselves are computed here because `rand` permits value-breaking
//! changes in minor releases, and because a logarithm from the system's mathematics library may
//! differ in its last bit from one platform to the next. Here a draw uses integer operations
//! and `+ − × ÷ √` in `f64` only, which IEEE 754 rounds in exactly one way.

mod normal;
mod philox;
mod shuffle;

pub use normal::StandardNormal;
pub use philox::{Philox, philox4x32_10, uniform01};
pub use shuffle::{permute, shuffled};

use std::fmt;

/// The number from which every random choice of a run follows.
///
/// One seed gives the same weights, the same shuffles and the same dropout masks on every
/// platform. Seeds that differ in one bit give unrelated numbers.
///
/// ```
/// # use wgrad::random::Seed;
/// assert_eq!(Seed::from(7), Seed(7));
/// assert_eq!(Seed(7).to_string(), "7");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub u64);

impl Seed {
    /// The seed as a Philox key, low word first; what a shader takes as `vec2u`.
    #[must_use]
    pub const fn key(self) -> [u32; 2] {
        split_words(self.0)
    }
}

impl From<u64> for Seed {
    fn from(value: u64) -> Self {
        Self(value)
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The 64-bit FNV-1a hash of a name, which numbers the name's random stream.
///
/// Fixed here rather than taken from `std`, whose hashers may change between releases.
const fn stream_of(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        i += 1;
    }
    hash
}

/// A 64-bit value as two words, low word first.
const fn split_words(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

/// The named buffer from which kernels read the state of the random operators.
pub(crate) const STATE_BUFFER: &str = "step";

/// Its words that belong to the random operators.
pub(crate) const STATE_LEN: usize = 8;

/// The contents of the state: the step (its micro-batches counted singly), an unused word, the seed (low word first), and zeros.
pub(crate) const fn state_words(seed: Seed, step: u32) -> [u32; STATE_LEN] {
    let [low, high] = seed.key();
    [step, 0, low, high, 0, 0, 0, 0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published FNV-1a vectors (draft-eastlake-fnv).
    #[test]
    fn name_hash_is_fnv_1a() {
        assert_eq!(stream_of(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(stream_of("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(stream_of("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn the_key_is_low_word_first() {
        assert_eq!(
            Seed(0x0123_4567_89ab_cdef).key(),
            [0x89ab_cdef, 0x0123_4567]
        );
    }
}
