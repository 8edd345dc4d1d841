//! A node of an ONNX graph.

use crate::shape::Size2d;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Attribute {
    /// A number.
    Float(f32),
    /// A whole number.
    Int(i64),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// A text.
    Text(&'static str),
}

/// A tensor that belongs to a form: a shape to reshape to, a bound.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Constant {
    /// A row of whole numbers.
    Ints(Vec<i64>),
    /// Numbers in row-major order of a shape; `[]` is a single one.
    Floats(Vec<usize>, Vec<f32>),
}

/// One application of an ONNX operator.
///
/// ```
/// use wgrad::onnx::OnnxNode;
///
/// let node = OnnxNode::new("LeakyRelu", ["x"]).float("alpha", 0.1);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OnnxNode {
    /// ONNX's name of the operator.
    pub kind: &'static str,
    /// Names of the operands; an empty name leaves an optional one out.
    pub inputs: Vec<String>,
    /// Name of the result, given by the [`Translation`](super::Translation).
    pub output: String,
    /// Attributes.
    pub attributes: Vec<(&'static str, Attribute)>,
}

impl OnnxNode {
    /// The operator of this name, applied to values of these names.
    pub fn new<N: Into<String>>(kind: &'static str, inputs: impl IntoIterator<Item = N>) -> Self {
        Self {
            kind,
            inputs: inputs.into_iter().map(Into::into).collect(),
            output: String::new(),
            attributes: Vec::new(),
        }
    }

    fn with(mut self, name: &'static str, value: Attribute) -> Self {
        self.attributes.push((name, value));
        self
    }

    /// Sets an attribute to a number.
    #[must_use]
    pub fn float(self, name: &'static str, value: f64) -> Self {
        self.with(name, Attribute::Float(value as f32))
    }

    /// Sets an attribute to a whole number.
    #[must_use]
    pub fn int(self, name: &'static str, value: i64) -> Self {
        self.with(name, Attribute::Int(value))
    }

    /// Sets an attribute to whole numbers.
    #[must_use]
    pub fn ints(self, name: &'static str, values: impl IntoIterator<Item = usize>) -> Self {
        let values = values.into_iter().map(|value| value as i64);
        self.with(name, Attribute::Ints(values.collect()))
    }

    /// Sets an attribute to a text.
    #[must_use]
    pub fn text(self, name: &'static str, value: &'static str) -> Self {
        self.with(name, Attribute::Text(value))
    }

    /// Sets an attribute to a size by rows and columns.
    #[must_use]
    pub fn size(self, name: &'static str, size: Size2d) -> Self {
        self.ints(name, [size.height, size.width])
    }

    /// Sets `pads`: rows above, columns on the left, rows below, columns on the right.
    #[must_use]
    pub fn pads(self, pads: [usize; 4]) -> Self {
        self.ints("pads", pads)
    }
}
