//! Seeded permutations.

use super::{Philox, Seed};

/// The numbers `0..n` in the order of one epoch.
///
/// Fisher and Yates' shuffle in Durstenfeld's form, on a stream keyed by seed and epoch, so
/// epoch 7 of a resumed run has the order of epoch 7 of the run that was never stopped. Every
/// order is equally likely.
///
/// ```
/// # use wgrad::random::{Seed, shuffled};
/// let mut order = shuffled(5, Seed(1), 0);
/// assert_ne!(order, shuffled(5, Seed(1), 1));
/// order.sort();
/// assert_eq!(order, [0, 1, 2, 3, 4]);
/// ```
#[must_use]
pub fn shuffled(n: u32, seed: Seed, epoch: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n).collect();
    permute(
        &mut order,
        &mut Philox::with_lane(seed, "wgrad.shuffle", epoch),
    );
    order
}

/// Puts `items` in random order, each order equally likely.
///
/// Takes the numbers it needs from `stream`. At most 2³² items move: a longer slice keeps its
/// further items in place.
pub fn permute<T>(items: &mut [T], stream: &mut Philox) {
    let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
    for last in (1..count).rev() {
        items.swap(last as usize, stream.below(last + 1) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_a_permutation_fixed_by_seed_and_epoch() {
        for n in [0, 1, 2, 100] {
            let mut order = shuffled(n, Seed(4), 2);
            assert_eq!(order, shuffled(n, Seed(4), 2));
            order.sort_unstable();
            assert_eq!(order, (0..n).collect::<Vec<_>>());
        }
        assert_ne!(shuffled(100, Seed(4), 2), shuffled(100, Seed(4), 3));
        assert_ne!(shuffled(100, Seed(4), 2), shuffled(100, Seed(5), 2));
    }

    /// 2,400 shuffles of three items: each of the six orders within four standard errors
    /// (√(2400·1/6·5/6) ≈ 18.3) of 400.
    #[test]
    fn all_orders_are_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for epoch in 0..2400 {
            *counts.entry(shuffled(3, Seed(8), epoch)).or_insert(0_i32) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(
            counts.values().all(|count| (count - 400).abs() < 74),
            "{counts:?}"
        );
    }

    /// Computed by an independent Python program. A change of these numbers breaks every resumed run: it needs a note in the changelog.
    #[test]
    fn golden_order() {
        assert_eq!(shuffled(10, Seed(7), 0), [2, 1, 0, 6, 3, 4, 7, 9, 8, 5]);
    }
}
