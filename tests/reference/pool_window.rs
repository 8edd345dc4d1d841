//! Where a pooling window lies: shared by max and mean pooling.

/// How many windows fit on one axis.
///
/// `⌊(L + 2P − K)/S⌋ + 1`; with `ceil_mode` the quotient is rounded up, and then
/// the last window is dropped again if it would start in the padding after the
/// input (PyTorch's rule, after Caffe's): every window starts inside the input
/// or in the padding before it.
pub fn output_length(
    input: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    ceil_mode: bool,
) -> usize {
    assert!(
        padding <= kernel / 2,
        "padding at most half the kernel, so no window is empty"
    );
    assert!(
        kernel <= input + 2 * padding,
        "the window is larger than the padded input"
    );
    let steps = input + 2 * padding - kernel;
    if !ceil_mode {
        return steps / stride + 1;
    }
    let count = steps.div_ceil(stride) + 1;
    let last_start = (count - 1) * stride;
    if last_start >= input + padding {
        count - 1
    } else {
        count
    }
}

/// The `o`-th window's positions on one axis, in coordinates of the input:
/// from −P, ending at most at L + P.
pub fn window(
    o: usize,
    input: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
) -> std::ops::Range<isize> {
    let start = (o * stride) as isize - padding as isize;
    start..(start + kernel as isize).min((input + padding) as isize)
}

/// The part of a window that lies on the input.
pub fn inside(window: &std::ops::Range<isize>, input: usize) -> std::ops::Range<usize> {
    window.start.max(0) as usize..window.end.min(input as isize) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let length = output_length(l, k, s, p, ceil);
            assert_eq!(length, expected, "L {l} K {k} S {s} P {p} ceil {ceil}");
        }
    }
}
