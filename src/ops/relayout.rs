//! The same value in another order on the device.

use super::{Operator, Reason, arity, elementwise};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::layout::{Axis, Layout};
use crate::onnx::Translation;
use crate::plan::Lowering;
use crate::shader::{Kernel, shader};

/// Axes that the shader knows.
const AXES: usize = 4;

/// The operand's elements in another device layout. Logically nothing changes: `y = x`.
///
/// Needed where an operator wants the standard layout of a value that was reshaped.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Relayout {
    layout: Option<Layout>,
}

impl Relayout {
    /// To the standard layout of the value's shape.
    pub const fn standard() -> Self {
        Self { layout: None }
    }

    /// To this layout, which must be one of as many elements.
    pub const fn to(layout: Layout) -> Self {
        Self {
            layout: Some(layout),
        }
    }
}

impl Operator for Relayout {
    fn name(&self) -> &'static str {
        "relayout"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x] = arity::<1>(inputs)?;
        let standard = || Layout::sample(&x.shape);
        let layout = self.layout.clone().unwrap_or_else(standard);
        if layout.logical_len() != x.layout.logical_len() {
            return Err(format!(
                "a layout of {} elements cannot hold a value of shape {}",
                layout.logical_len(),
                x.shape
            ));
        }
        if axes(&layout).is_none() || axes(&x.layout).is_none() {
            return Err(format!(
                "the shape {} has more than {AXES} axes that are longer than 1",
                x.shape
            ));
        }
        Ok(vec![ValueType { layout, ..x }])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let layout = cx.type_of(cx.input(0)).layout;
        let dx = restored(cx, delta, &layout);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, y) = (cx.input(0), cx.output(0));
        let samples = if y.value_type.batched { cx.batch() } else { 1 };
        let mut kernel = elementwise::kernel(shader!("relayout"), "y", &y)
            .define("SAMPLES", samples)
            .bind("x", &x);
        for (prefix, operand) in [("IN", &x), ("OUT", &y)] {
            let axes = axes(&operand.value_type.layout)
                .ok_or_else(|| format!("more than {AXES} axes are longer than 1"))?;
            kernel = define_axes(kernel, prefix, &axes);
        }
        cx.dispatch(kernel);
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        // Only the order on the device is another.
        cx.same()
    }

    fn keeps_distribution(&self) -> bool {
        true
    }
}

/// δ in this layout: itself if it already is.
pub(crate) fn restored(cx: &mut Backward<'_>, delta: Var, layout: &Layout) -> Var {
    if stores_alike(&cx.type_of(delta).layout, layout) {
        return delta;
    }
    cx.apply(Relayout::to(layout.clone()), &[delta])
}

/// Whether two layouts put every logical element at the same place.
pub(crate) fn stores_alike(a: &Layout, b: &Layout) -> bool {
    long_axes(a).eq(long_axes(b))
}

/// The axes that matter: one that stores a single element moves nothing.
fn long_axes(layout: &Layout) -> impl Iterator<Item = &Axis> {
    layout.axes().iter().filter(|axis| axis.padded > 1)
}

/// The axes that matter, outermost first, behind as many of length 1 as are missing; `None` if
/// there are too many.
fn axes(layout: &Layout) -> Option<[Axis; AXES]> {
    let mut all = [Axis {
        len: 1,
        padded: 1,
        stride: 1,
    }; AXES];
    let missing = AXES.checked_sub(long_axes(layout).count())?;
    for (place, axis) in all[missing..].iter_mut().zip(long_axes(layout)) {
        *place = *axis;
    }
    Some(all)
}

fn define_axes(mut kernel: Kernel, prefix: &str, axes: &[Axis; AXES]) -> Kernel {
    for (letter, axis) in ["A", "B", "C", "D"].iter().zip(axes) {
        kernel = kernel
            .define(&format!("{prefix}_LEN_{letter}"), axis.len)
            .define(&format!("{prefix}_PADDED_{letter}"), axis.padded)
            .define(&format!("{prefix}_STRIDE_{letter}"), axis.stride);
    }
    kernel
}

impl Graph {
    /// The value in the standard layout of its shape, for operators that need it; `x` itself
    /// if it already is. See [`Relayout`].
    pub fn relayout(&mut self, x: Var) -> Var {
        if self.type_of(x).is_standard() {
            return x;
        }
        let name = self.layer_name("relayout");
        self.apply(&name, Relayout::standard(), &[x])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_of_length_one_do_not_move_elements() {
        let image = Layout::sample(&[5, 1, 1].into());
        let features = Layout::sample(&[5].into());
        assert!(stores_alike(&image, &features));
        let row = Layout::sample(&[1, 1, 5].into());
        assert!(!stores_alike(&row, &features));
    }
}
