//! What is known of a value before anything runs.

use crate::layout::Layout;
use crate::shape::Shape;

/// The type of a value's elements on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// 32-bit floating point.
    F32,
    /// 32-bit unsigned integer: labels, indices, packed bytes.
    U32,
}

/// Shape, layout and element of a value.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueType {
    /// Logical shape; of one sample where `batched`.
    pub shape: Shape,
    /// Order and padding on the device.
    pub layout: Layout,
    /// Whether there is one for every sample of the batch.
    pub batched: bool,
    /// Type of the elements.
    pub element: Element,
}

impl ValueType {
    /// A float per element of every sample, in the standard layout.
    pub fn sample(shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        Self {
            layout: Layout::sample(&shape),
            shape,
            batched: true,
            element: Element::F32,
        }
    }

    /// Floats that do not depend on the batch, in the standard layout.
    pub fn fixed(shape: impl Into<Shape>) -> Self {
        Self {
            batched: false,
            ..Self::sample(shape)
        }
    }

    /// Refuses more elements than the device can number.
    pub(super) fn check_count(&self) -> Result<(), String> {
        match u32::try_from(self.layout.size()) {
            Ok(_) => Ok(()),
            Err(_) => Err(format!(
                "the shape {} has more elements than can be numbered in 32 bits",
                self.shape
            )),
        }
    }

    /// Whether the layout is the standard one of the shape.
    pub fn is_standard(&self) -> bool {
        self.layout == Layout::sample(&self.shape)
    }

    /// Elements on the device for a batch of this size.
    pub fn device_len(&self, batch: usize) -> usize {
        self.layout.size().saturating_mul(self.rows(batch))
    }

    /// Elements of the logical tensor for a batch of this size.
    pub fn logical_len(&self, batch: usize) -> usize {
        self.shape.elements().saturating_mul(self.rows(batch))
    }

    fn rows(&self, batch: usize) -> usize {
        if self.batched { batch } else { 1 }
    }
}

/// Where a value lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Home {
    /// In a slot that the planner shares among values of one step.
    Step,
    /// In a named buffer that outlives the step.
    Persistent {
        /// The buffer's name.
        buffer: String,
        /// Where it begins, in elements.
        offset: usize,
    },
}

/// A value of a graph.
#[derive(Clone, Debug)]
pub struct Value {
    /// The path of the layer, input or parameter.
    pub name: String,
    /// Shape, layout, element.
    pub value_type: ValueType,
    /// Where it lives.
    pub home: Home,
    /// The node that computes it; `None` for inputs and parameters.
    pub producer: Option<usize>,
}
