//! Data sets from arrays of the `ndarray` crate.

use ndarray::{ArrayView, Dimension};

use super::{Classes, DataError, Dataset, Element, Targets};

/// # From `ndarray`
impl Dataset {
    /// Samples along the first axis of an array of `f32` or `u8`, to be classified.
    ///
    /// The array may lie in memory in any order. Bytes are seen as 0 to 1, as in
    /// [`images_u8`](Self::images_u8). An array with one axis gives samples of one element.
    ///
    /// # Errors
    ///
    /// As [`from_f32`](Self::from_f32).
    ///
    /// ```
    /// # use wgrad::data::Dataset;
    /// use ndarray::array;
    ///
    /// let columns = array![[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]];
    /// let data = Dataset::from_ndarray(columns.t(), vec![0, 1, 1], 2)?;
    /// assert_eq!(data.shape(), [2]);
    /// assert_eq!(data.image(1)?.values(), [2.0, 5.0]);
    /// # Ok::<(), wgrad::data::DataError>(())
    /// ```
    pub fn from_ndarray<T: Element, D: Dimension>(
        samples: ArrayView<'_, T, D>,
        labels: impl Into<Vec<u32>>,
        classes: impl Into<Classes>,
    ) -> Result<Self, DataError> {
        let targets = Targets::Labels {
            labels: labels.into(),
            classes: classes.into(),
        };
        let (shape, values) = rows(samples);
        Self::checked(shape, T::into_samples(values), targets)
    }

    /// Samples along the first axis of one array, and what is to be predicted along that of
    /// another.
    ///
    /// # Errors
    ///
    /// As [`regression`](Self::regression).
    ///
    /// ```
    /// # use wgrad::data::Dataset;
    /// use ndarray::array;
    ///
    /// let (x, y) = (array![[1.0_f32, 2.0], [3.0, 4.0]], array![0.5, 1.5]);
    /// let data = Dataset::regression_from_ndarray(x.view(), y.view())?;
    /// assert_eq!((data.len(), data.shape()), (2, &[2][..]));
    /// # Ok::<(), wgrad::data::DataError>(())
    /// ```
    pub fn regression_from_ndarray<T: Element, D: Dimension, E: Dimension>(
        samples: ArrayView<'_, T, D>,
        targets: ArrayView<'_, f32, E>,
    ) -> Result<Self, DataError> {
        let (shape, values) = rows(samples);
        let (target_shape, targets) = rows(targets);
        let targets = Targets::Values {
            shape: target_shape,
            values: targets,
        };
        Self::checked(shape, T::into_samples(values), targets)
    }
}

/// The shape behind the first axis, and the elements in row order.
fn rows<T: Copy, D: Dimension>(array: ArrayView<'_, T, D>) -> (Vec<usize>, Vec<T>) {
    let shape = match array.shape() {
        [] | [_] => vec![1],
        [_, shape @ ..] => shape.to_vec(),
    };
    (shape, array.iter().copied().collect())
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array3, Array4, s};

    use super::*;
    use crate::data::testing::text;

    #[test]
    fn views_are_read_in_row_order() {
        let images = Array4::from_shape_fn((3, 1, 2, 4), |(n, _, y, x)| (16 * n + 4 * y + x) as u8);
        // Every second column, from the right.
        let view = images.slice(s![.., .., .., ..;-2]);
        let data = Dataset::from_ndarray(view, [0, 1, 0], 2).unwrap();
        let expected = [3, 1, 7, 5, 19, 17, 23, 21, 35, 33, 39, 37].to_vec();
        let expected = Dataset::images_u8([1, 2, 2], expected, vec![0, 1, 0], 2);
        assert_eq!(data, expected.unwrap());
    }

    #[test]
    fn one_axis_is_one_element_a_sample() {
        let (x, y) = (Array1::from(vec![1.0_f32, 2.0]), Array3::zeros((2, 1, 3)));
        let data = Dataset::regression_from_ndarray(x.view(), y.view()).unwrap();
        let expected = Dataset::regression([1], vec![1.0, 2.0], [1, 3], vec![0.0; 6]);
        assert_eq!(data, expected.unwrap());
    }

    #[test]
    fn labels_of_another_number_are_refused() {
        let x = Array1::from(vec![1.0_f32, 2.0]);
        assert_eq!(
            text(Dataset::from_ndarray(x.view(), [0, 0, 0], 1)),
            "3 samples of shape [1] take 3 elements, found 2"
        );
        let (x, y) = (Array1::from(vec![1.0_f32, 2.0]), Array1::zeros(3));
        assert_eq!(
            text(Dataset::regression_from_ndarray(x.view(), y.view())),
            "3 samples of shape [1] take 3 elements, found 2"
        );
    }
}
