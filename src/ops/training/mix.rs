//! Samples of a batch mixed in pairs: mixup and cutmix.

use crate::graph::{Element, ValueType};
use crate::layout::{LANES, Layout};
use crate::ops::draws::stream_of;
use crate::ops::{Operator, Reason, arity, elementwise};
use crate::plan::Lowering;
use crate::random::{STATE_BUFFER, STATE_LEN};
use crate::shader::{Grid, Kernel, shader};

/// The buffer of the numbers by which samples are mixed: a ring of [`MIX_WORDS`] by micro-batch.
pub(crate) const MIXING_BUFFER: &str = "mixing";
/// `[share of the label, share of the sample, 0, 0, top, bottom, left, right of the box]`.
pub(crate) const MIX_WORDS: usize = 8;
/// The name of the draws that pair the samples.
const STREAM: &str = "wgrad.mix";

/// What the samples of the batch at hand are mixed with, and how.
///
/// Results: 0 the share λ of a sample's own label, 1 the partner's share 1 − λ, 2 the numbers of
/// this micro-batch, 3 the partner of each sample, a permutation of the batch: sample n gets as
/// partner the rank of its draw among all of the batch, the draws being word n mod 4 of Philox for
/// counter (⌊n/4⌋, micro-batch, FNV-1a of `wgrad.mix`, 0).
#[derive(Clone, Copy, Debug)]
pub struct DrawMix {
    /// How many micro-batches the ring of numbers holds.
    pub ring: usize,
}

impl DrawMix {
    /// The types of the results.
    pub(crate) fn results() -> [ValueType; 4] {
        let numbers = [MIX_WORDS].into();
        let numbers = ValueType {
            layout: Layout::row_major(&numbers),
            ..ValueType::fixed(numbers)
        };
        let partners = ValueType {
            element: Element::U32,
            ..ValueType::sample([])
        };
        [
            ValueType::fixed([]),
            ValueType::fixed([]),
            numbers,
            partners,
        ]
    }
}

impl Operator for DrawMix {
    fn name(&self) -> &'static str {
        "draw_mix"
    }

    fn infer(&self, _: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        Ok(Self::results().to_vec())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let mixing = cx.persistent(MIXING_BUFFER, 0, MIX_WORDS * self.ring);
        let step = cx.persistent(STATE_BUFFER, 0, STATE_LEN);
        let results: [_; 4] = std::array::from_fn(|index| cx.output(index));
        let [share, rest, numbers, partners] = &results;
        let kernel = Kernel::new(shader!("draw_mix"), Grid::Threads(cx.batch()))
            .define("SAMPLES", cx.batch())
            .define("RING", self.ring)
            .constant("stream", f64::from(stream_of(STREAM)))
            .bind("mixing", mixing)
            .bind("step", step)
            .bind("share", share)
            .bind("rest", rest)
            .bind("numbers", numbers)
            .bind("partners", partners);
        cx.dispatch(kernel);
        Ok(())
    }
}

/// Every sample mixed with its partner: the partner's pixels inside the box, and outside it
/// `share · own + (1 − share) · partner's`.
///
/// Operands: samples, and results 2 and 3 of [`DrawMix`].
#[derive(Clone, Copy, Debug)]
pub struct Mix;

impl Operator for Mix {
    fn name(&self) -> &'static str {
        "mix"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x, _, _] = arity::<3>(inputs)?;
        match x.is_standard() && x.layout.size().is_multiple_of(LANES) {
            true => Ok(vec![x]),
            false => Err(format!("samples of shape {} cannot be mixed", x.shape)),
        }
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, y) = (cx.input(0), cx.output(0));
        let [channels, _, width] = x.value_type.shape.image().unwrap_or([x.len, 1, 1]);
        let sample = x.value_type.layout.size() / LANES;
        let kernel = elementwise::kernel(shader!("mix"), "y", &y)
            .defines([("SAMPLE", sample), ("WIDTH", width)])
            .define("VECS", channels.div_ceil(LANES))
            .bind("x", &x)
            .bind("numbers", &cx.input(1))
            .bind("partners", &cx.input(2));
        cx.dispatch(kernel);
        Ok(())
    }
}

/// The partner's labels or targets: `y[n] = x[partners[n]]`. Operands: x, and result 3 of
/// [`DrawMix`].
#[derive(Clone, Copy, Debug)]
pub struct SelectRows;

impl Operator for SelectRows {
    fn name(&self) -> &'static str {
        "select_rows"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x, _] = arity::<2>(inputs)?;
        Ok(vec![x])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, y) = (cx.input(0), cx.output(0));
        let words = x.value_type.layout.size();
        let kernel = Kernel::new(shader!("select_rows"), Grid::Threads(y.len))
            .defines([("LENGTH", y.len), ("WORDS", words)])
            .bind("x", &x)
            .bind("partners", &cx.input(1))
            .bind("y", &y);
        cx.dispatch(kernel);
        Ok(())
    }
}
