//! Philox 4×32-10, the counter-based generator of the random operators.
//!
//! A counter-based generator is a function, not a state: the random numbers of
//! element e, at step s, in node k are `philox(counter(e, s, k), seed)`, on any
//! device, in any order. That is why a kernel and this file draw the same ones.
//! Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as
//! 1, 2, 3", SC11, and the test vectors of its library, Random123.

/// Multipliers of the two halves of the counter.
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// What the key grows by after each round: the golden ratio and √3 − 1.
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// Four random words for one counter and one key.
pub fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let [mut k0, mut k1] = key;
    for _ in 0..ROUNDS {
        let (high0, low0) = wide_product(MULTIPLIERS[0], c0);
        let (high1, low1) = wide_product(MULTIPLIERS[1], c2);
        [c0, c1, c2, c3] = [high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0];
        k0 = k0.wrapping_add(WEYL[0]);
        k1 = k1.wrapping_add(WEYL[1]);
    }
    [c0, c1, c2, c3]
}

/// The high and the low word of a 32×32-bit product.
fn wide_product(a: u32, b: u32) -> (u32, u32) {
    let product = u64::from(a) * u64::from(b);
    ((product >> 32) as u32, product as u32)
}

/// The random word of one element of one node at one training step.
///
/// Key = (low, high) word of the seed; counter = (element / 4, step, node, 0);
/// the element takes lane element % 4 of the four words.
pub fn element_word(seed: u64, step: u32, node: u32, element: usize) -> u32 {
    let block = u32::try_from(element / 4).expect("fewer than 2^34 elements");
    let key = [seed as u32, (seed >> 32) as u32];
    philox4x32_10([block, step, node, 0], key)[element % 4]
}

/// A word as a number in [0, 1): its upper 24 bits, which an `f32` holds
/// exactly, so that 1.0 never comes out by rounding.
pub fn uniform(word: u32) -> f32 {
    (word >> 8) as f32 * 2f32.powi(-24)
}

/// A stream of draws for test data, on the same generator.
pub struct Draw {
    seed: u64,
    next: usize,
}

impl Draw {
    /// The stream of this seed, from its start.
    pub fn new(seed: u64) -> Self {
        Draw { seed, next: 0 }
    }

    /// The next 32 random bits.
    pub fn word(&mut self) -> u32 {
        let word = element_word(self.seed, 0, 0, self.next);
        self.next += 1;
        word
    }

    /// A draw from N(0, 1), by Box and Muller's transform.
    pub fn normal(&mut self) -> f64 {
        // 1 − u lies in (0, 1], so that the logarithm is finite.
        let radius = (-2.0 * (1.0 - f64::from(uniform(self.word()))).ln()).sqrt();
        radius * (std::f64::consts::TAU * f64::from(uniform(self.word()))).cos()
    }

    /// A whole number in `low..=high`; the tiny bias of `%` is of no concern to
    /// the choice of test shapes.
    pub fn within(&mut self, low: usize, high: usize) -> usize {
        low + self.word() as usize % (high - low + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random123, `tests/kat_vectors`, the three lines `philox4x32 10`.
    #[test]
    fn known_answers() {
        let ones = u32::MAX;
        let cases = [
            (
                [0; 4],
                [0; 2],
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            ),
            (
                [ones; 4],
                [ones; 2],
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
                "counter {counter:x?}"
            );
        }
    }

    #[test]
    fn element_word_places_seed_step_node_and_lane() {
        let words = philox4x32_10([2, 30, 400, 0], [0x5566_7788, 0x1122_3344]);
        assert_eq!(element_word(0x1122_3344_5566_7788, 30, 400, 11), words[3]);
    }

    #[test]
    fn uniform_stays_below_one() {
        assert_eq!(uniform(0), 0.0);
        assert_eq!(uniform(0xff), 0.0);
        assert_eq!(uniform(0x8000_0000), 0.5);
        assert_eq!(uniform(u32::MAX), 1.0 - 2f32.powi(-24));
    }
}
