//! Reshape and flatten: the same elements under another shape.

use super::relayout::{restored, stores_alike};
use super::{Operator, Reason, arity, elementwise};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::layout::Layout;
use crate::onnx::{Constant, OnnxNode, Translation};
use crate::plan::{Lowering, Mode};
use crate::shader::shader;
use crate::shape::Shape;

/// The operand's elements, in PyTorch's row-major order, under another shape.
///
/// A view: nothing moves. The elements keep their order on the device, which then is not the
/// standard one of the new shape; operators that need that one take [`Graph::relayout`] before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reshape {
    shape: Shape,
    /// The layout to name the elements' order by; any equivalent one would do.
    layout: Option<Layout>,
}

impl Reshape {
    /// To this shape of one sample.
    pub fn new(shape: impl Into<Shape>) -> Self {
        Self {
            shape: shape.into(),
            layout: None,
        }
    }
}

impl Operator for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x] = arity::<1>(inputs)?;
        let product = |product: usize, extent: &usize| product.checked_mul(*extent);
        if self.shape.iter().try_fold(1, product) != Some(x.shape.elements()) {
            return Err(format!(
                "the {} elements of shape {} do not fill the shape {}",
                x.shape.elements(),
                x.shape,
                self.shape
            ));
        }
        let standard = || Layout::sample(&self.shape);
        let wanted = self.layout.clone().unwrap_or_else(standard);
        let alike = stores_alike(&wanted, &x.layout);
        Ok(vec![ValueType {
            shape: self.shape.clone(),
            layout: if alike { wanted } else { x.layout },
            batched: x.batched,
            element: x.element,
        }])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let x = cx.type_of(cx.input(0));
        let delta = restored(cx, delta, &x.layout);
        let back = Self {
            shape: x.shape,
            layout: Some(x.layout),
        };
        let dx = cx.apply(back, &[delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        elementwise::lower(cx, shader!("copy"), &["x"], "y", &[]);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let node = match self.shape[..] {
            [_] => OnnxNode::new("Flatten", [cx.input(0)?]).int("axis", 1),
            _ => {
                // The batch stays what it is.
                let shape = [&[0], &self.shape[..]].concat();
                let shape = shape.into_iter().map(|extent| extent as i64).collect();
                let shape = cx.constant("shape", Constant::Ints(shape));
                OnnxNode::new("Reshape", [cx.input(0)?, shape])
            }
        };
        cx.result(node);
        Ok(())
    }

    fn is_view(&self, _: Mode) -> bool {
        true
    }

    fn keeps_distribution(&self) -> bool {
        true
    }

    fn flops(&self, _: &[&ValueType], _: &[&ValueType], _: usize) -> u64 {
        0
    }
}

impl Graph {
    /// Gives the elements of `x` another shape (of one sample, without the batch): a view, see
    /// [`Reshape`]. Features that become an image need [`Graph::relayout`] before a
    /// convolution or pooling.
    ///
    /// ```
    /// use wgrad::graph::Graph;
    ///
    /// let mut graph = Graph::new();
    /// let code = graph.input("code", 48);
    /// let image = graph.reshape(code, [3, 4, 4]);
    /// let image = graph.relayout(image);
    /// assert_eq!(**graph.shape(image), [3, 4, 4]);
    /// ```
    pub fn reshape(&mut self, x: Var, shape: impl Into<Shape>) -> Var {
        let name = self.layer_name("reshape");
        self.apply(&name, Reshape::new(shape), &[x])
    }

    /// Makes features `[C·H·W]` of an image `[C, H, W]`, in the order channel, row, column: a
    /// view, see [`Reshape`].
    pub fn flatten(&mut self, x: Var) -> Var {
        let name = self.layer_name("flatten");
        let elements = self.shape(x).elements();
        self.apply(&name, Reshape::new(elements), &[x])
    }
}
