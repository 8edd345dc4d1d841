//! The filters of a convolution, to be drawn.

use super::ReportError;

/// The filters of a convolution, as [`Model::first_filters`](crate::train::Model::first_filters)
/// finds them.
///
/// ```
/// # use wgrad::report::Filters;
/// let filters = Filters::new("conv1", [2, 1, 1, 2], vec![0.5, -1.0, 0.0, 2.0])?;
/// assert_eq!(filters.filter(1), [0.0, 2.0]);
/// # Ok::<(), wgrad::report::ReportError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Filters {
    layer: String,
    shape: [usize; 4],
    weights: Vec<f32>,
}

impl Filters {
    /// The filters of a layer, of shape `[outputs, inputs, rows, columns]`, in row order.
    ///
    /// # Errors
    /// [`ReportError::Filters`] for another number of weights than the shape has, and for a shape
    /// without any.
    pub fn new(
        layer: impl Into<String>,
        shape: [usize; 4],
        weights: Vec<f32>,
    ) -> Result<Self, ReportError> {
        let len = shape.iter().try_fold(1_usize, |len, &n| len.checked_mul(n));
        if weights.is_empty() || len != Some(weights.len()) {
            let weights = weights.len();
            return Err(ReportError::Filters { shape, weights });
        }
        Ok(Self {
            layer: layer.into(),
            shape,
            weights,
        })
    }

    /// The layer's path.
    #[must_use]
    pub fn layer(&self) -> &str {
        &self.layer
    }

    /// Outputs (how many filters there are), inputs, rows, columns.
    #[must_use]
    pub fn shape(&self) -> [usize; 4] {
        self.shape
    }

    /// The weights of one filter, `[inputs, rows, columns]`; empty where there is none.
    #[must_use]
    pub fn filter(&self, output: usize) -> &[f32] {
        let mut filters = self.weights.chunks(self.weights.len() / self.shape[0]);
        filters.nth(output).unwrap_or_default()
    }
}
