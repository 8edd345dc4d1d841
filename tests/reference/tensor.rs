//! A dense row-major array of `f64`: all the data structure the references need.

use super::philox;

/// Row-major values with their shape; axis 0 is the batch for activations.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Length of every axis, e.g. `[N, C, H, W]`.
    pub shape: Vec<usize>,
    /// The elements, last axis fastest; as many as the shape's product.
    pub data: Vec<f64>,
}

impl Tensor {
    /// Takes `data` as it is. Panics unless its length fits the shape.
    pub fn new(shape: &[usize], data: Vec<f64>) -> Self {
        assert_eq!(
            shape.iter().product::<usize>(),
            data.len(),
            "shape {shape:?}"
        );
        Tensor {
            shape: shape.to_vec(),
            data,
        }
    }

    /// All zeros.
    pub fn zeros(shape: &[usize]) -> Self {
        Tensor::new(shape, vec![0.0; shape.iter().product()])
    }

    /// Widens what a kernel was given, or gave back.
    pub fn from_f32(shape: &[usize], data: &[f32]) -> Self {
        Tensor::new(shape, data.iter().map(|&value| f64::from(value)).collect())
    }

    /// Asks `value` for the element at every index, in row-major order.
    pub fn from_fn(shape: &[usize], mut value: impl FnMut(&[usize]) -> f64) -> Self {
        let mut tensor = Tensor::zeros(shape);
        let mut index = vec![0; shape.len()];
        for element in 0..tensor.data.len() {
            tensor.data[element] = value(&index);
            // The odometer: the last axis turns fastest and carries leftwards.
            for axis in (0..shape.len()).rev() {
                index[axis] += 1;
                if index[axis] < shape[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
        tensor
    }

    /// Independent draws from N(0, 1), fixed by `seed`.
    ///
    /// Every value is exactly an `f32`, so that a kernel and its reference can
    /// be given the very same numbers.
    pub fn normal(shape: &[usize], seed: u64) -> Self {
        let mut draw = philox::Draw::new(seed);
        Tensor::from_fn(shape, |_| f64::from(draw.normal() as f32))
    }

    /// Rounded to what a kernel is given.
    pub fn to_f32(&self) -> Vec<f32> {
        self.data.iter().map(|&value| value as f32).collect()
    }

    /// The place of `index` in `data`. An index outside any axis panics: it
    /// must not silently read from the neighbouring row.
    #[inline]
    pub fn offset(&self, index: &[usize]) -> usize {
        assert_eq!(index.len(), self.shape.len(), "rank of index");
        let mut offset = 0;
        for (&position, &length) in index.iter().zip(&self.shape) {
            assert!(
                position < length,
                "index {index:?} outside shape {:?}",
                self.shape
            );
            offset = offset * length + position;
        }
        offset
    }

    /// The element at `index`.
    #[inline]
    pub fn at(&self, index: &[usize]) -> f64 {
        self.data[self.offset(index)]
    }

    /// The element at `index`, to be written.
    #[inline]
    pub fn at_mut(&mut self, index: &[usize]) -> &mut f64 {
        let offset = self.offset(index);
        &mut self.data[offset]
    }

    /// `[N, C, H, W]` of an image, `[O, C/G, kh, kw]` of a filter.
    pub fn dims4(&self) -> [usize; 4] {
        self.shape
            .as_slice()
            .try_into()
            .expect("a tensor of rank 4")
    }

    /// `[N, F]` of features, `[out, in]` of a linear weight.
    pub fn dims2(&self) -> [usize; 2] {
        self.shape
            .as_slice()
            .try_into()
            .expect("a tensor of rank 2")
    }

    /// The same elements as `[N, C, H·W]`; features are the case H·W = 1.
    /// For operators that treat every position of a channel alike.
    pub fn by_channel(&self) -> Tensor {
        assert!(self.shape.len() >= 2, "no channel axis in {:?}", self.shape);
        let positions = self.shape[2..].iter().product();
        Tensor::new(
            &[self.shape[0], self.shape[1], positions],
            self.data.clone(),
        )
    }

    /// The same elements under another shape of equal size.
    pub fn reshaped(&self, shape: &[usize]) -> Tensor {
        Tensor::new(shape, self.data.clone())
    }

    /// `f` of every element.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Tensor {
        Tensor::new(
            &self.shape,
            self.data.iter().map(|&value| f(value)).collect(),
        )
    }

    /// `f` of every pair of elements of two tensors of one shape.
    pub fn zip(&self, other: &Tensor, f: impl Fn(f64, f64) -> f64) -> Tensor {
        assert_eq!(self.shape, other.shape, "shapes to be paired");
        let pairs = self.data.iter().zip(&other.data);
        Tensor::new(&self.shape, pairs.map(|(&a, &b)| f(a, b)).collect())
    }

    /// Σ self·other over all elements. `forward(x).dot(δ)` is the scalar whose
    /// gradient with respect to x is the operator's gradient for δ.
    pub fn dot(&self, other: &Tensor) -> f64 {
        self.zip(other, |a, b| a * b).data.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_row_major() {
        let tensor = Tensor::from_fn(&[2, 3, 4], |i| (100 * i[0] + 10 * i[1] + i[2]) as f64);
        assert_eq!(tensor.data[0..5], [0.0, 1.0, 2.0, 3.0, 10.0]);
        assert_eq!(tensor.data[23], 123.0);
        assert_eq!(tensor.at(&[1, 0, 2]), 102.0);
    }

    #[test]
    #[should_panic(expected = "outside shape")]
    fn an_index_past_its_row_is_refused() {
        Tensor::zeros(&[2, 3]).at(&[0, 3]);
    }

    #[test]
    fn normal_draws_have_zero_mean_and_unit_variance() {
        let draws = Tensor::normal(&[40_000], 7);
        let mean = draws.data.iter().sum::<f64>() / 40_000.0;
        let variance = draws.map(|x| (x - mean).powi(2)).data.iter().sum::<f64>() / 40_000.0;
        // Five standard errors: 5/√40000 and 5·√(2/40000).
        assert!(mean.abs() <= 0.025, "mean {mean}");
        assert!((variance - 1.0).abs() <= 0.036, "variance {variance}");
        assert_eq!(
            draws
                .to_f32()
                .iter()
                .map(|&x| f64::from(x))
                .collect::<Vec<_>>(),
            draws.data
        );
    }
}
