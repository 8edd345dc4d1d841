//! Where pooling windows and bins lie: shared by max and mean pooling.

/// How many windows fit on one axis.
///
/// `⌊(L + P + P′ − K)/S⌋ + 1`, P before the input and P′ after; with `ceil_mode` the quotient is rounded up, and then
/// the last window is dropped again if it would start in the padding after the
/// input (PyTorch's rule, after Caffe's): every window starts inside the input
/// or in the padding before it.
pub fn output_length(
    input: usize,
    kernel: usize,
    stride: usize,
    [before, after]: [usize; 2],
    ceil_mode: bool,
) -> usize {
    assert!(
        before.max(after) <= kernel / 2,
        "padding at most half the kernel, so no window is empty"
    );
    assert!(
        kernel <= input + before + after,
        "the window is larger than the padded input"
    );
    let steps = input + before + after - kernel;
    if !ceil_mode {
        return steps / stride + 1;
    }
    let count = steps.div_ceil(stride) + 1;
    let last_start = (count - 1) * stride;
    if last_start >= input + before {
        count - 1
    } else {
        count
    }
}

/// The `o`-th window's positions on one axis, in coordinates of the input:
/// from −P, ending at most at L + P′.
pub fn window(
    o: usize,
    input: usize,
    kernel: usize,
    stride: usize,
    [before, after]: [usize; 2],
) -> std::ops::Range<isize> {
    let start = (o * stride) as isize - before as isize;
    start..(start + kernel as isize).min((input + after) as isize)
}

/// The padding of `Same`, before and after: as much as ⌈L/S⌉ windows need that begin with it and
/// follow each other at distance S, an odd one after (TensorFlow's `SAME`).
pub fn same(input: usize, reach: usize, stride: usize) -> [usize; 2] {
    let windows = input.div_ceil(stride);
    let total = ((windows - 1) * stride + reach).saturating_sub(input);
    [total / 2, total - total / 2]
}

/// The `i`-th of `bins` bins over `input` positions, for adaptive pooling: from `⌊i·L/B⌋` to
/// before `⌈(i+1)·L/B⌉` (PyTorch's rule).
pub fn bin(i: usize, input: usize, bins: usize) -> std::ops::Range<usize> {
    i * input / bins..((i + 1) * input).div_ceil(bins)
}

/// The part of a window that lies on the input.
pub fn inside(window: &std::ops::Range<isize>, input: usize) -> std::ops::Range<usize> {
    window.start.max(0) as usize..window.end.min(input as isize) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reach 4 on 5: stride 1 needs 3 more, stride 2 begins at −1, 1 and 3 and ends at 6.
    #[test]
    fn same_by_hand() {
        assert_eq!(same(5, 4, 1), [1, 2]);
        assert_eq!(same(5, 4, 2), [1, 2]);
        assert_eq!(same(6, 4, 2), [1, 1]);
        assert_eq!(same(6, 1, 3), [0, 0]);
    }

    /// `[torch.nn.functional.max_pool1d(torch.zeros(1, l), k, s, p,
    /// ceil_mode=c).shape[-1] for …]`, torch 2.15.
    #[test]
    fn output_length_as_pytorch() {
        for (l, k, s, p, ceil, expected) in [
            (5, 2, 2, 0, false, 2),
            (5, 2, 2, 0, true, 3),
            // Three windows would fit by rounding up, the third at 6 = L + P.
            (5, 2, 2, 1, false, 3),
            (5, 2, 2, 1, true, 3),
            (6, 3, 2, 1, true, 4),
            (7, 3, 3, 1, true, 3),
            (1, 2, 3, 1, true, 1),
            (4, 2, 5, 0, true, 1),
            (6, 2, 5, 0, true, 2),
        ] {
            let length = output_length(l, k, s, [p; 2], ceil);
            assert_eq!(length, expected, "L {l} K {k} S {s} P {p} ceil {ceil}");
        }
    }
}
