//! Two-dimensional convolution: forward, and the three gradients.
//!
//! Shapes: input `[N, C, H, W]`, weight `[O, C/G, kh, kw]`, bias `[O]`, output
//! `[N, O, Ho, Wo]`. Symbols: S stride, P padding, D dilation, G groups, each
//! per axis but G. Group g joins the g-th of G equal parts of the input's
//! channels to the g-th part of the output's; G = C is depthwise.

use super::Tensor;

/// What a convolution needs beside its filters; pairs are (rows, columns).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Filter size K.
    pub kernel: [usize; 2],
    /// Steps S between two outputs.
    pub stride: [usize; 2],
    /// Zeros P put before and after, on each axis.
    pub padding: [[usize; 2]; 2],
    /// Steps D between two taps of the filter; 1 is a dense filter.
    pub dilation: [usize; 2],
    /// Divides both channel counts.
    pub groups: usize,
}

impl Attributes {
    /// A dense filter of this size, stride 1, no padding, one group.
    pub fn new(kernel: [usize; 2]) -> Self {
        Attributes {
            kernel,
            stride: [1; 2],
            padding: [[0; 2]; 2],
            dilation: [1; 2],
            groups: 1,
        }
    }

    /// `⌊(H + P + P′ − D(K−1) − 1)/S⌋ + 1` for each axis, P before and P′ after.
    pub fn output_size(&self, input: [usize; 2]) -> [usize; 2] {
        let size = |axis: usize| {
            let covered = self.reach(axis) + 1;
            let padded = input[axis] + self.padding[axis].iter().sum::<usize>();
            assert!(
                covered <= padded,
                "the filter is larger than the padded input"
            );
            (padded - covered) / self.stride[axis] + 1
        };
        [size(0), size(1)]
    }

    /// D(K−1): how far the filter's last tap lies from its first.
    fn reach(&self, axis: usize) -> usize {
        self.dilation[axis] * (self.kernel[axis] - 1)
    }

    /// P as a border.
    fn border(&self) -> [[isize; 2]; 2] {
        self.padding.map(|sides| sides.map(|side| side as isize))
    }
}

/// `y[n,o,i,j] = b[o] + Σ_{c,u,v} w[o,c,u,v] · x[n,c, i·S+u·D−P, j·S+v·D−P]`:
/// a cross-correlation, zeros outside the input.
pub fn forward(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, a: &Attributes) -> Tensor {
    let [batch, channels, height, width] = x.dims4();
    let [filters, channels_per_group, kh, kw] = weight.dims4();
    assert_eq!([kh, kw], a.kernel, "kernel size");
    assert_eq!(
        channels,
        channels_per_group * a.groups,
        "channels of input and filter"
    );
    assert_eq!(filters % a.groups, 0, "groups divide the filters");
    let [out_height, out_width] = a.output_size([height, width]);
    let padded = pad(x, a.border());

    Tensor::from_fn(&[batch, filters, out_height, out_width], |index| {
        let &[n, o, i, j] = index else { unreachable!() };
        let first_channel = o / (filters / a.groups) * channels_per_group;
        let mut sum = bias.map_or(0.0, |bias| bias.at(&[o]));
        for c in 0..channels_per_group {
            for u in 0..kh {
                for v in 0..kw {
                    let row = i * a.stride[0] + u * a.dilation[0];
                    let column = j * a.stride[1] + v * a.dilation[1];
                    sum +=
                        weight.at(&[o, c, u, v]) * padded.at(&[n, first_channel + c, row, column]);
                }
            }
        }
        sum
    })
}

/// `δx[c] = Σ_o restored(δy[o]) ∗ rot180(w[o,c])`, for an input of `[H, W]`.
///
/// δy is restored to stride 1 by putting S−1 zeros between its elements, then
/// padded, and each filter, turned by 180°, slides over it; the maps of all
/// filters are summed. The filter's taps stay D apart.
///
/// How wide the padding is: turned around, the first tap must be able to touch
/// every input, so D(K−1) − P go before (below zero: crop). The same goes
/// after, plus as many as the forward pass left over when H + P + P′ − D(K−1) − 1
/// was no multiple of S; rows and columns the stride never reached thus meet
/// nothing but zeros, and get zero.
pub fn grad_input(grad_y: &Tensor, weight: &Tensor, input: [usize; 2], a: &Attributes) -> Tensor {
    let [batch, filters, out_height, out_width] = grad_y.dims4();
    let [_, channels_per_group, kh, kw] = weight.dims4();
    assert_eq!(
        [out_height, out_width],
        a.output_size(input),
        "size of the output's gradient"
    );
    let channels = channels_per_group * a.groups;
    let filters_per_group = filters / a.groups;

    let restored = restore(grad_y, a.stride);
    let border = [0, 1].map(|axis| {
        let before = a.reach(axis) as isize - a.padding[axis][0] as isize;
        let total = (input[axis] + a.reach(axis)) as isize - restored.shape[2 + axis] as isize;
        [before, total - before]
    });
    let padded = pad(&restored, border);
    let rotated = rotate_180(weight);

    Tensor::from_fn(&[batch, channels, input[0], input[1]], |index| {
        let &[n, channel, i, j] = index else {
            unreachable!()
        };
        let (group, c) = (channel / channels_per_group, channel % channels_per_group);
        let mut sum = 0.0;
        for o in group * filters_per_group..(group + 1) * filters_per_group {
            for u in 0..kh {
                for v in 0..kw {
                    let (row, column) = (i + u * a.dilation[0], j + v * a.dilation[1]);
                    sum += padded.at(&[n, o, row, column]) * rotated.at(&[o, c, u, v]);
                }
            }
        }
        sum
    })
}

/// `δw[o,c,u,v] = Σ_{n,i,j} δy[n,o,i,j] · x[n,c, i·S+u·D−P, j·S+v·D−P]`: the
/// padded input cross-correlated with the restored δy, which plays the filter.
///
/// Stride and dilation change places: the zeros between δy's elements are a
/// dilation by S, and the result is taken every D steps.
pub fn grad_weight(x: &Tensor, grad_y: &Tensor, a: &Attributes) -> Tensor {
    let [batch, channels, height, width] = x.dims4();
    let [grad_batch, filters, out_height, out_width] = grad_y.dims4();
    assert_eq!(batch, grad_batch, "batch of input and output's gradient");
    assert_eq!(
        [out_height, out_width],
        a.output_size([height, width]),
        "output size"
    );
    let channels_per_group = channels / a.groups;
    let padded = pad(x, a.border());
    let restored = restore(grad_y, a.stride);
    let [_, _, rows, columns] = restored.dims4();

    Tensor::from_fn(
        &[filters, channels_per_group, a.kernel[0], a.kernel[1]],
        |index| {
            let &[o, c, u, v] = index else { unreachable!() };
            let channel = o / (filters / a.groups) * channels_per_group + c;
            let mut sum = 0.0;
            for n in 0..batch {
                for i in 0..rows {
                    for j in 0..columns {
                        let (row, column) = (u * a.dilation[0] + i, v * a.dilation[1] + j);
                        sum += restored.at(&[n, o, i, j]) * padded.at(&[n, channel, row, column]);
                    }
                }
            }
            sum
        },
    )
}

/// `δb[o] = Σ_{n,i,j} δy[n,o,i,j]`.
pub fn grad_bias(grad_y: &Tensor) -> Tensor {
    let [batch, filters, height, width] = grad_y.dims4();
    let mut grad_bias = Tensor::zeros(&[filters]);
    for n in 0..batch {
        for o in 0..filters {
            for i in 0..height {
                for j in 0..width {
                    *grad_bias.at_mut(&[o]) += grad_y.at(&[n, o, i, j]);
                }
            }
        }
    }
    grad_bias
}

/// Undoes a stride: S−1 zeros between any two neighbours of every map.
pub fn restore(map: &Tensor, stride: [usize; 2]) -> Tensor {
    let [batch, channels, height, width] = map.dims4();
    let (rows, columns) = ((height - 1) * stride[0] + 1, (width - 1) * stride[1] + 1);
    let mut restored = Tensor::zeros(&[batch, channels, rows, columns]);
    for n in 0..batch {
        for c in 0..channels {
            for i in 0..height {
                for j in 0..width {
                    *restored.at_mut(&[n, c, i * stride[0], j * stride[1]]) = map.at(&[n, c, i, j]);
                }
            }
        }
    }
    restored
}

/// Every filter turned by 180°: its rows and its columns in reverse order.
pub fn rotate_180(weight: &Tensor) -> Tensor {
    let [_, _, kh, kw] = weight.dims4();
    Tensor::from_fn(&weight.shape, |index| {
        let &[o, c, u, v] = index else { unreachable!() };
        weight.at(&[o, c, kh - 1 - u, kw - 1 - v])
    })
}

/// Puts zeros around every map, `border[axis] = [before, after]`; a negative
/// border cuts rows or columns off.
pub fn pad(map: &Tensor, border: [[isize; 2]; 2]) -> Tensor {
    let [batch, channels, height, width] = map.dims4();
    let padded = |axis: usize, length: usize| {
        (length as isize + border[axis][0] + border[axis][1]).max(0) as usize
    };
    let shape = [batch, channels, padded(0, height), padded(1, width)];
    Tensor::from_fn(&shape, |index| {
        let &[n, c, i, j] = index else { unreachable!() };
        let (row, column) = (i as isize - border[0][0], j as isize - border[1][0]);
        let inside = (0..height as isize).contains(&row) && (0..width as isize).contains(&column);
        if inside {
            map.at(&[n, c, row as usize, column as usize])
        } else {
            0.0
        }
    })
}

#[cfg(test)]
#[path = "conv2d_tests.rs"]
mod tests;
