//! Initialisers whose elements depend on one another or on their place.

use super::InitError;
use super::error::finite;
use super::law::{Uniform, fill};
use crate::random::{Philox, StandardNormal};

/// A parameter's shape as rows (first dimension) and columns (all others together).
fn matrix(init: &'static str, shape: &[usize]) -> Result<(usize, usize), InitError> {
    match shape {
        [rows, rest @ ..] if !rest.is_empty() => Ok((*rows, rest.iter().product())),
        _ => Err(wrong(init, "two dimensions or more", shape)),
    }
}

fn wrong(init: &'static str, needs: &'static str, shape: &[usize]) -> InitError {
    InitError::WrongShape {
        init,
        needs,
        shape: shape.to_vec(),
    }
}

/// `gain` times a `[rows, columns]` matrix with orthonormal rows, or columns if they are fewer.
pub(super) fn orthogonal(
    shape: &[usize],
    gain: f64,
    stream: &mut Philox,
) -> Result<Vec<f64>, InitError> {
    let (rows, columns) = matrix("orthogonal", shape)?;
    let gain = finite("gain", gain)?;
    let (count, length) = (rows.min(columns), rows.max(columns));
    let vectors = orthonormal(count, length, stream);
    let element = |i: usize| {
        let (row, column) = (i / columns, i % columns);
        if rows <= columns {
            vectors[row][column]
        } else {
            vectors[column][row]
        }
    };
    Ok((0..rows * columns).map(|i| gain * element(i)).collect())
}

/// `count ≤ length` random orthonormal vectors, each direction equally likely.
///
/// Gaussian vectors have no preferred direction; Gram and Schmidt's process makes them
/// orthogonal. Each is projected twice, which takes the rounding error of the first pass out.
fn orthonormal(count: usize, length: usize, stream: &mut Philox) -> Vec<Vec<f64>> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(count);
    while vectors.len() < count {
        let mut vector = fill(&StandardNormal, length, stream);
        for earlier in vectors.iter().chain(&vectors) {
            let along = dot(earlier, &vector);
            for (value, earlier) in vector.iter_mut().zip(earlier) {
                *value -= along * earlier;
            }
        }
        let norm = dot(&vector, &vector).sqrt();
        // All but impossible; dividing would amplify rounding errors, so draw again.
        if norm > 1e-6 {
            vector.iter_mut().for_each(|value| *value /= norm);
            vectors.push(vector);
        }
    }
    vectors
}

/// An orthogonal `[O, I]` matrix in the middle tap of filters `[O, I, ..]`, zeros elsewhere.
pub(super) fn delta_orthogonal(
    shape: &[usize],
    gain: f64,
    stream: &mut Philox,
) -> Result<Vec<f64>, InitError> {
    let [outputs, inputs, taps @ ..] = shape else {
        return Err(wrong(
            "delta-orthogonal",
            "filters [out, in, kh, kw]",
            shape,
        ));
    };
    let middle = orthogonal(&[*outputs, *inputs], gain, stream)?;
    Ok(in_middle_tap(&middle, taps))
}

/// Ones in the middle tap where output channel and input channel have the same place in their
/// group.
pub(super) fn dirac(shape: &[usize], groups: usize) -> Result<Vec<f64>, InitError> {
    let [outputs, inputs, taps @ ..] = shape else {
        return Err(wrong("dirac", "filters [out, in, kh, kw]", shape));
    };
    if groups == 0 || outputs % groups != 0 {
        return Err(wrong(
            "dirac",
            "output channels divisible by its groups",
            shape,
        ));
    }
    let per_group = outputs / groups;
    let [count, middle] = count_and_middle(taps);
    let mut values = vec![0.0; outputs * inputs * count];
    for output in (0..*outputs).filter(|output| output % per_group < *inputs) {
        let filter = output * inputs + output % per_group;
        values[filter * count + middle] = 1.0;
    }
    Ok(values)
}

/// The number of taps of a filter, and which is in the middle: `⌊k/2⌋` on each axis.
fn count_and_middle(taps: &[usize]) -> [usize; 2] {
    let middle = taps.iter().fold(0, |index, size| index * size + size / 2);
    [taps.iter().product(), middle]
}

/// Spreads one number a filter over filters that are zero but for their middle taps.
fn in_middle_tap(numbers: &[f64], taps: &[usize]) -> Vec<f64> {
    let [count, middle] = count_and_middle(taps);
    let mut values = vec![0.0; numbers.len() * count];
    for (filter, number) in values.chunks_mut(count).zip(numbers) {
        filter[middle] = *number;
    }
    values
}

/// Tents that interpolate linearly along both axes, the same in every channel.
///
/// With f = ⌈k/2⌉ and c = (2f − 1 − f mod 2)/2f a tap at x weighs `1 − |x/f − c|` (Caffe's
/// `BilinearFiller`); upsampling by f takes k = 2f − f mod 2, stride f and padding ⌈(f − 1)/2⌉.
pub(super) fn bilinear(shape: &[usize]) -> Result<Vec<f64>, InitError> {
    let [outputs, inputs, height, width] = *shape else {
        return Err(wrong("bilinear", "filters [out, in, k, k]", shape));
    };
    if height != width {
        return Err(wrong("bilinear", "square filters [out, in, k, k]", shape));
    }
    let factor = width.div_ceil(2);
    let centre = (2 * factor - 1 - factor % 2) as f64 / (2 * factor) as f64;
    let tent = |x: usize| 1.0 - (x as f64 / factor as f64 - centre).abs();
    let filter: Vec<f64> = (0..width * width)
        .map(|i| tent(i % width) * tent(i / width))
        .collect();
    Ok(filter.repeat(outputs * inputs))
}

/// Uniform numbers, divided by the sum over each output's inputs.
pub(super) fn positive_unit_ball(shape: &[usize], stream: &mut Philox) -> Vec<f64> {
    let len: usize = shape.iter().product();
    let outputs = shape.first().copied().unwrap_or(1);
    // From 2⁻⁵³, so that no sum is zero.
    let mut values = fill(
        &Uniform {
            low: f64::EPSILON / 2.0,
            high: 1.0,
        },
        len,
        stream,
    );
    for output in values.chunks_mut(len / outputs) {
        let sum: f64 = output.iter().sum();
        output.iter_mut().for_each(|value| *value /= sum);
    }
    values
}
