//! How a logical tensor lies in device memory.
//!
//! Activations are NHWC with the channels padded to a multiple of four, so that kernels
//! load and store `vec4`; filters are `[kh][kw][ci][co]`. Neither shows through the API:
//! [`Layout::pack`] and [`Layout::unpack`] translate at the border.
//!
//! A layout is a list of axes, outermost first. Each axis knows its stride in the *logical*
//! (row-major, PyTorch) index space. A reshape does not change logical indices, so it keeps
//! the layout: flattening an image is a view, whatever the permutation underneath.

use crate::shape::{Shape, product};

/// Channels are stored in groups of this many (one WGSL `vec4`).
pub const LANES: usize = 4;

/// `n` rounded up to a whole number of `vec4`.
pub const fn padded(n: usize) -> usize {
    n.div_ceil(LANES).saturating_mul(LANES)
}

/// Runs of elements that are copied side by side, for the axis outside the innermost is often the one
/// along which logical elements are neighbours: as many numbers as a few cache lines have, all of which
/// are read while their page is known to the processor.
const RUNS: usize = 64;

/// Elements of each of these runs that are copied before the next run's: a cache line's. So few lines
/// are read from in turn that a cache holds them.
const BREADTH: usize = 16;

/// One axis of a device layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Axis {
    /// Elements that mean something.
    pub len: usize,
    /// Elements stored: `len` and zeros after it.
    pub padded: usize,
    /// Distance of neighbours in the logical, row-major index.
    pub stride: usize,
}

impl Axis {
    fn packed(len: usize, stride: usize) -> Self {
        Self {
            len,
            padded: len,
            stride,
        }
    }

    fn lanes(len: usize, stride: usize) -> Self {
        Self {
            len,
            padded: padded(len),
            stride,
        }
    }
}

/// The order and padding of a tensor's elements on the device.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    axes: Vec<Axis>,
}

impl Layout {
    /// The layout of a sample: `[C, H, W]` as H, W, C4; `[F]` as F4; `[]` as one number;
    /// any other rank row-major with the first axis innermost, as for images.
    pub fn sample(shape: &Shape) -> Self {
        let stride_of = |axis: usize| product(&shape[axis + 1..]);
        let mut axes: Vec<Axis> = (1..shape.len())
            .map(|axis| Axis::packed(shape[axis], stride_of(axis)))
            .collect();
        if let Some(&channels) = shape.first() {
            axes.push(Axis::lanes(channels, stride_of(0)));
        }
        Self { axes }
    }

    /// Row-major without padding.
    pub fn row_major(shape: &Shape) -> Self {
        let mut stride = shape.elements();
        let axes = shape.iter().map(|&len| {
            stride /= len.max(1);
            Axis::packed(len, stride)
        });
        Self {
            axes: axes.collect(),
        }
    }

    /// A convolution filter `[O, I, kh, kw]` as `[kh][kw][I4][O4]`; with groups the input
    /// axis is not padded, because a group may begin at any channel.
    pub fn filter(shape: [usize; 4], grouped: bool) -> Self {
        let [outputs, inputs, height, width] = shape;
        let taps = height.saturating_mul(width);
        let input = if grouped { Axis::packed } else { Axis::lanes };
        Self {
            axes: vec![
                Axis::packed(height, width),
                Axis::packed(width, 1),
                input(inputs, taps),
                Axis::lanes(outputs, inputs.saturating_mul(taps)),
            ],
        }
    }

    /// A linear weight `[out, in]` as `[in][out4]`, the input axes in the order in which
    /// `input` stores them.
    pub fn matrix(outputs: usize, input: &Layout) -> Self {
        let mut axes = input.axes.clone();
        axes.push(Axis::lanes(outputs, input.logical_len()));
        Self { axes }
    }

    /// The axes, outermost first.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Elements stored on the device, padding included.
    pub fn size(&self) -> usize {
        product(self.axes.iter().map(|axis| &axis.padded))
    }

    /// Elements of the logical tensor.
    pub fn logical_len(&self) -> usize {
        product(self.axes.iter().map(|axis| &axis.len))
    }

    /// Calls `visit` with the stored and the logical index of the first element of every run along
    /// the innermost axis, some runs at a time, in the order in which they are stored. Runs that are
    /// padding are left out.
    fn for_runs(&self, mut visit: impl FnMut(&[[usize; 2]])) {
        let Some((innermost, outer)) = self.axes.split_last() else {
            return visit(&[[0, 0]]);
        };
        let mut position = vec![0; outer.len()];
        let mut runs = Vec::with_capacity(RUNS);
        for _ in 0..product(outer.iter().map(|axis| &axis.len)) {
            let (mut stored, mut logical) = (0, 0);
            for (axis, i) in outer.iter().zip(&position) {
                stored = stored * axis.padded + i;
                logical += i * axis.stride;
            }
            runs.push([stored * innermost.padded, logical]);
            if runs.len() == RUNS {
                visit(&runs);
                runs.clear();
            }
            for (axis, i) in outer.iter().zip(&mut position).rev() {
                *i += 1;
                if *i < axis.len {
                    break;
                }
                *i = 0;
            }
        }
        visit(&runs);
    }

    /// Length and logical stride of a run along the innermost axis.
    fn run(&self) -> [usize; 2] {
        self.axes
            .last()
            .map_or([1, 1], |axis| [axis.len, axis.stride])
    }

    /// The logical index of every stored element, `None` for padding.
    pub fn logical_indices(&self) -> Vec<Option<usize>> {
        let mut indices = vec![None; self.size()];
        let [len, stride] = self.run();
        self.for_runs(|runs| {
            for [stored, logical] in runs {
                for i in 0..len {
                    indices[stored + i] = Some(logical + i * stride);
                }
            }
        });
        indices
    }

    /// Device order from logical order; padding becomes zero. `logical` may hold any whole
    /// number of tensors (a batch).
    pub fn pack<T: Copy + Default>(&self, logical: &[T]) -> Vec<T> {
        let (from, to) = (self.logical_len().max(1), self.size().max(1));
        let mut device = vec![T::default(); logical.len() / from * to];
        let [len, stride] = self.run();
        for (tensor, packed) in logical.chunks_exact(from).zip(device.chunks_mut(to)) {
            self.for_runs(|runs| {
                for first in (0..len).step_by(BREADTH) {
                    for [stored, logical] in runs {
                        for i in first..len.min(first + BREADTH) {
                            packed[stored + i] = tensor[logical + i * stride];
                        }
                    }
                }
            });
        }
        device
    }

    /// Logical order from device order, the inverse of [`Layout::pack`].
    pub fn unpack<T: Copy + Default>(&self, device: &[T]) -> Vec<T> {
        let (from, to) = (self.size().max(1), self.logical_len().max(1));
        let mut logical = vec![T::default(); device.len() / from * to];
        let [len, stride] = self.run();
        for (tensor, unpacked) in device.chunks_exact(from).zip(logical.chunks_mut(to)) {
            self.for_runs(|runs| {
                for first in (0..len).step_by(BREADTH) {
                    for [stored, logical] in runs {
                        for i in first..len.min(first + BREADTH) {
                            unpacked[logical + i * stride] = tensor[stored + i];
                        }
                    }
                }
            });
        }
        logical
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_stored_channels_last_and_padded() {
        let layout = Layout::sample(&[2, 1, 3].into());
        let device = layout.pack(&[1, 2, 3, 10, 20, 30]);
        assert_eq!(device, [1, 10, 0, 0, 2, 20, 0, 0, 3, 30, 0, 0]);
        assert_eq!(layout.unpack(&device), [1, 2, 3, 10, 20, 30]);
    }

    #[test]
    fn a_filter_has_its_outputs_innermost() {
        let layout = Layout::filter([2, 1, 1, 2], false);
        let device = layout.pack(&[1, 2, 3, 4]);
        assert_eq!(layout.size(), 2 * 4 * 4);
        assert_eq!(&device[..4], [1, 3, 0, 0]);
        assert_eq!(&device[16..20], [2, 4, 0, 0]);
    }

    #[test]
    fn a_matrix_follows_the_order_of_its_input() {
        let image = Layout::sample(&[2, 1, 2].into());
        let layout = Layout::matrix(1, &image);
        // The input [c0w0, c0w1, c1w0, c1w1] is stored as [c0w0, c1w0, -, -, c0w1, c1w1, -, -].
        let device = layout.pack(&[1, 2, 3, 4]);
        let first_output: Vec<i32> = device.iter().step_by(4).copied().collect();
        assert_eq!(first_output, [1, 3, 0, 0, 2, 4, 0, 0]);
        assert_eq!(layout.unpack(&device), [1, 2, 3, 4]);
    }

    #[test]
    fn packing_a_batch_is_packing_its_samples() {
        let layout = Layout::sample(&[3, 2, 2].into());
        let batch: Vec<f32> = (0..24).map(|i| i as f32).collect();
        let mut one_by_one = layout.pack(&batch[..12]);
        one_by_one.extend(layout.pack(&batch[12..]));
        assert_eq!(layout.pack(&batch), one_by_one);
        assert_eq!(layout.unpack(&one_by_one), batch);
    }
}
