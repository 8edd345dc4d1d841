//! Concatenation on the channels, as in Inception, DenseNet and U-Net.

use super::slice::Slice;
use super::{Operator, Reason};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::layout::{LANES, padded};
use crate::onnx::{OnnxNode, Translation};
use crate::plan::{BufferId, Lowering};
use crate::shader::{Grid, Kernel, shader};

/// Values that one kernel joins.
const PARTS: usize = 4;

/// `y = [x₁, x₂, …]` on the channels of images `[Cᵢ, H, W]`, or on the features of `[Fᵢ]`.
/// `δxᵢ` is the part of δy at its channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concat;

impl Operator for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let Some(&first) = inputs.first() else {
            return Err("at least one value is needed".to_owned());
        };
        let mut channels = 0;
        for x in inputs {
            if x.shape.is_empty() || !x.is_standard() {
                return Err(format!(
                    "images [channels, height, width] or features are needed, an input is {}{}",
                    x.shape,
                    reordered(x)
                ));
            }
            let alike = x.batched == first.batched && x.element == first.element;
            if !alike || x.shape.get(1..) != first.shape.get(1..) {
                return Err(format!(
                    "the inputs' shapes {} and {} differ in more than their channels",
                    first.shape, x.shape
                ));
            }
            channels += x.shape[0];
        }
        let mut shape = first.shape.to_vec();
        shape[0] = channels;
        Ok(vec![ValueType {
            batched: first.batched,
            element: first.element,
            ..ValueType::sample(shape)
        }])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let mut start = 0;
        for index in 0..cx.inputs() {
            let channels = cx.type_of(cx.input(index)).shape[0];
            if cx.wants(index) {
                let part = Slice::new().channels(start..start + channels);
                let dx = cx.apply(part, &[delta]);
                cx.set(index, dx);
            }
            start += channels;
        }
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let mut parts: Vec<Part> = Vec::new();
        for index in 0..cx.inputs() {
            let operand = cx.input(index);
            let channels = operand.value_type.shape[0];
            parts.push(Part {
                buffer: operand.buffer,
                channels,
            });
        }
        let y = cx.output(0);
        let positions = y.len / padded(y.value_type.shape[0]);
        // More than one kernel can bind are joined from the front, through temporaries.
        while parts.len() > PARTS {
            let rest = parts.split_off(PARTS);
            let channels = parts.iter().map(|part| part.channels).sum();
            let buffer = cx.temporary("parts", positions * padded(channels));
            cx.dispatch(join(&parts, positions, buffer));
            parts = vec![Part { buffer, channels }];
            parts.extend(rest);
        }
        cx.dispatch(join(&parts, positions, y.buffer));
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let node = OnnxNode::new("Concat", cx.all_inputs()?).int("axis", 1);
        cx.result(node);
        Ok(())
    }

    fn keeps_distribution(&self) -> bool {
        true
    }

    fn flops(&self, _: &[&ValueType], _: &[&ValueType], _: usize) -> u64 {
        0
    }
}

/// Explains why an input of a fitting shape is refused.
pub(crate) fn reordered(x: &ValueType) -> &'static str {
    match x.is_standard() {
        true => "",
        false => ", reshaped from another shape (relayout it before)",
    }
}

/// A value, or several already joined.
#[derive(Clone, Copy)]
struct Part {
    buffer: BufferId,
    channels: usize,
}

/// The kernel that joins up to [`PARTS`] parts into `y`.
fn join(parts: &[Part], positions: usize, y: BufferId) -> Kernel {
    const NAMES: [(&str, &str, &str); PARTS] = [
        ("a", "WIDTH_A", "PITCH_A"),
        ("b", "WIDTH_B", "PITCH_B"),
        ("c", "WIDTH_C", "PITCH_C"),
        ("d", "WIDTH_D", "PITCH_D"),
    ];
    let channels: usize = parts.iter().map(|part| part.channels).sum();
    let vectors = channels.div_ceil(LANES);
    let all_but_last = &parts[..parts.len().saturating_sub(1)];
    let aligned = all_but_last
        .iter()
        .all(|p| p.channels.is_multiple_of(LANES));
    let mut kernel = Kernel::new(shader!("concat"), Grid::Threads(positions * vectors))
        .define("LENGTH", positions * vectors)
        .define("VECS", vectors)
        .flag("ALIGNED", aligned)
        .bind("y", y);
    for (part, (name, width, pitch)) in parts.iter().zip(NAMES) {
        let stored = part.channels.div_ceil(LANES);
        kernel = if aligned {
            kernel.define(width, stored).define(pitch, stored)
        } else {
            let pitch_in_channels = stored * LANES;
            kernel
                .define(width, part.channels)
                .define(pitch, pitch_in_channels)
        };
        kernel = kernel.bind(name, part.buffer);
    }
    kernel
}

impl Graph {
    /// Joins images, or features, on their channels, in this order.
    ///
    /// ```
    /// use wgrad::graph::Graph;
    ///
    /// let mut graph = Graph::new();
    /// let a = graph.input("a", [16, 8, 8]);
    /// let b = graph.input("b", [5, 8, 8]);
    /// let y = graph.concat(&[a, b]);
    /// assert_eq!(**graph.shape(y), [21, 8, 8]);
    /// ```
    pub fn concat(&mut self, inputs: &[Var]) -> Var {
        let inputs: Vec<Var> = inputs.iter().map(|x| self.relayout(*x)).collect();
        let name = self.layer_name("concat");
        self.apply(&name, Concat, &inputs)
    }
}
