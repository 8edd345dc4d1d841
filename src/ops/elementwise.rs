//! What operators that treat every element alike have in common.

use super::{Reason, arity};
use crate::graph::ValueType;
use crate::layout::LANES;
use crate::plan::{BufferId, Lowering, Operand};
use crate::shader::{Grid, Kernel, Shader};

/// The shape rule: `N` operands of one type, which is the result's.
pub(crate) fn same_type<const N: usize>(inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
    let operands = arity::<N>(inputs)?;
    for operand in &operands[1..] {
        if operand.shape != operands[0].shape || operand.batched != operands[0].batched {
            return Err(format!(
                "the operands' shapes {} and {} differ",
                operands[0].shape, operand.shape
            ));
        }
        if operand.layout != operands[0].layout {
            return Err(format!(
                "the operands of shape {} are stored in different orders; relayout them first",
                operand.shape
            ));
        }
    }
    Ok(vec![operands[0].clone()])
}

/// A kernel with one invocation per `vec4` of `result`, which is bound as `name`. The shader takes
/// their number from the binding, so that layers of all sizes may share one compiled kernel.
pub(crate) fn kernel(shader: Shader, name: &'static str, result: &Operand) -> Kernel {
    let vectors = result.len.div_ceil(LANES);
    Kernel::new(shader, Grid::Threads(vectors)).bind(name, result)
}

/// The common case: the operands under these names, and the first result under `result`.
pub(crate) fn lower(
    cx: &mut Lowering<'_>,
    shader: Shader,
    operands: &[&'static str],
    result: &'static str,
    constants: &[(&str, f64)],
) {
    let output = cx.output(0);
    let mut kernel = kernel(shader, result, &output);
    for (index, name) in operands.iter().enumerate() {
        kernel = kernel.bind(name, BufferId::from(&cx.input(index)));
    }
    for (name, value) in constants {
        kernel = kernel.constant(name, *value);
    }
    cx.dispatch(kernel);
}

/// The channels of a value whose innermost axis is padded, for kernels with `f(0) ≠ 0` that
/// must keep the padding zero; `None` where there is no padding.
pub(crate) fn padded_channels(value_type: &ValueType) -> Result<Option<usize>, Reason> {
    let axes = value_type.layout.axes();
    let Some((innermost, outer)) = axes.split_last() else {
        return Ok(None);
    };
    if outer.iter().any(|axis| axis.len != axis.padded) {
        return Err(format!(
            "a value of shape {} with several padded axes, such as a filter, cannot be used",
            value_type.shape
        ));
    }
    Ok((innermost.len != innermost.padded).then_some(innermost.len))
}
