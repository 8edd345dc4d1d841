//! The sum over batch and positions per channel: the gradient of a bias.

use super::split::{Split, dispatch_split, workgroup};
use super::{Operator, Reason, arity};
use crate::graph::ValueType;
use crate::layout::LANES;
use crate::plan::Lowering;
use crate::shader::{Grid, Kernel, shader};

/// `y[c] = Σ_{n,i,j} x[n,c,i,j]`, in a fixed order. Operand: an image or features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelSum;

impl Operator for ChannelSum {
    fn name(&self) -> &'static str {
        "channel_sum"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x] = arity::<1>(inputs)?;
        match x.shape.first() {
            Some(&channels) if x.is_standard() && x.batched => {
                Ok(vec![ValueType::fixed([channels])])
            }
            _ => Err(format!("an image or features are needed, not {}", x.shape)),
        }
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, y) = (cx.input(0), cx.output(0));
        let vectors = y.len.div_ceil(LANES);
        let rows = x.len / (vectors * LANES);
        let (wanted, most) = match cx.adapter().cpu {
            // A second pass costs more than a short sum.
            true if rows <= 64 => (1, 1),
            true => (32, 64),
            false => (16_384, 256),
        };
        let split = Split::new(rows, 1, vectors, wanted, most);
        let sizes = [rows, vectors, split.parts, split.rows].map(|size| size as u32);
        let sizes = cx.words("sizes", &sizes);
        let grid = Grid::Threads(vectors * split.parts);
        let kernel = Kernel::new(shader!("channel_sum"), grid)
            .define("WORKGROUP", workgroup(cx.adapter()))
            .bind("sizes", sizes)
            .bind("dy", &x);
        dispatch_split(cx, split, &y, |out| kernel.bind("partials", out));
        Ok(())
    }
}
