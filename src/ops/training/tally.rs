//! What an evaluation adds up over its batches, on the device.

use crate::graph::{BLOCK, Element, ValueType};
use crate::layout::LANES;
use crate::ops::loss::logits_and_labels;
use crate::ops::{Operator, Reason, elementwise};
use crate::plan::Lowering;
use crate::shader::{Grid, Kernel, shader};

/// Batches whose sums fit into the buffer `tally`.
pub const TALLY_BATCHES: usize = 1024;

/// Beyond so many classes, who is taken for whom is not counted: that many take 64 MiB.
const MOST_CLASSES: usize = 4096;

/// The buffer that tells the kernels how many samples of the batch are real, and the batch's
/// number.
pub(crate) const BATCH_BUFFER: &str = "tally.batch";
/// Its words.
pub(crate) const BATCH_WORDS: usize = 4;
/// The buffer of the sums and counts.
pub(crate) const TALLY_BUFFER: &str = "tally";

/// Words of the sums in the buffer `tally`: loss and weight of each batch.
pub(crate) const TALLY_SUMS: usize = 2 * TALLY_BATCHES;

/// What is counted, behind the sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Nothing: a regression.
    Nothing,
    /// Samples, by the rank of the true one of so many classes, then by true and predicted class.
    Classes(usize),
    /// Elements, by truth and answer, both no or yes.
    Decisions,
}

impl Counted {
    /// Words of the counts by rank.
    pub(crate) fn ranks(self) -> usize {
        match self {
            Self::Classes(classes) => classes,
            Self::Nothing | Self::Decisions => 0,
        }
    }

    /// Words of the counts by truth and answer.
    pub(crate) fn pairs(self) -> usize {
        match self {
            Self::Classes(classes) if classes <= MOST_CLASSES => classes * classes,
            Self::Nothing | Self::Classes(_) => 0,
            Self::Decisions => 4,
        }
    }

    /// Words of all counts.
    pub(crate) fn words(self) -> usize {
        self.ranks() + self.pairs()
    }

    /// Where they begin in the buffer `tally`.
    pub(crate) fn offset() -> usize {
        TALLY_SUMS.next_multiple_of(BLOCK)
    }
}

/// Adds up the losses of the batch's real samples, and what they count.
///
/// Operands: the losses per sample and, if they differ, the samples' weights.
#[derive(Clone, Copy, Debug)]
pub struct SumLosses;

impl Operator for SumLosses {
    fn name(&self) -> &'static str {
        "sum_losses"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let wrong = |t: &&&ValueType| ***t != ValueType::sample([]);
        match inputs.iter().find(wrong) {
            None => Ok(Vec::new()),
            Some(other) => Err(format!(
                "a loss gives one number per sample, this one has shape {}",
                other.shape
            )),
        }
    }

    fn acts(&self) -> bool {
        true
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let losses = cx.input(0);
        let weights = (cx.inputs() > 1).then(|| cx.input(1));
        let batch = cx.persistent(BATCH_BUFFER, 0, BATCH_WORDS);
        let sums = cx.persistent(TALLY_BUFFER, 0, TALLY_SUMS);
        let mut kernel = Kernel::new(shader!("sum_losses"), Grid::Workgroups([1, 1, 1]))
            .define("SAMPLES", cx.batch())
            .bind("losses", &losses)
            .bind("batch", batch)
            .bind("sums", sums);
        if let Some(weights) = &weights {
            kernel = kernel.flag("WEIGHTS", true).bind("weights", weights);
        }
        cx.dispatch(kernel);
        Ok(())
    }
}

/// Counts the batch's real samples by the rank that the response gives to the true class, 0 for
/// the largest, and by true and predicted class.
///
/// Operands: responses `[K]` and labels. Of equals the first ranks first; NaN ranks last.
#[derive(Clone, Copy, Debug)]
pub struct CountAnswers {
    /// The label of samples that do not count.
    pub ignored: Option<u32>,
}

impl Operator for CountAnswers {
    fn name(&self) -> &'static str {
        "count_answers"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        logits_and_labels(inputs).map(|_| Vec::new())
    }

    fn acts(&self) -> bool {
        true
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (responses, labels) = (cx.input(0), cx.input(1));
        let classes = responses.value_type.shape.elements();
        let counted = Counted::Classes(classes);
        let batch = cx.persistent(BATCH_BUFFER, 0, BATCH_WORDS);
        let counts = cx.persistent(TALLY_BUFFER, Counted::offset(), counted.words());
        let mut kernel = Kernel::new(shader!("count_answers"), Grid::Threads(cx.batch()))
            .defines([("SAMPLES", cx.batch()), ("CLASSES", classes)])
            .flag("CONFUSION", counted.pairs() > 0)
            .bind("responses", &responses)
            .bind("labels", &labels)
            .bind("batch", batch)
            .bind("counts", counts);
        if let Some(label) = self.ignored {
            kernel = kernel
                .flag("IGNORED", true)
                .constant("ignored", f64::from(label));
        }
        cx.dispatch(kernel);
        Ok(())
    }
}

/// Counts the elements of the batch's real samples by truth and answer: yes is a target above ½,
/// and a response above the threshold. A response that is NaN is the wrong answer.
///
/// Operands: responses and targets of one shape.
#[derive(Clone, Copy, Debug)]
pub struct CountDecisions {
    /// The response above which the answer is yes.
    pub threshold: f32,
}

/// Vec4s of a sample for one invocation, so that few of them add to the same four counts.
const VECS_PER_INVOCATION: usize = 16;

impl Operator for CountDecisions {
    fn name(&self) -> &'static str {
        "count_decisions"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        elementwise::same_type::<2>(inputs)?;
        let fits = |t: &&ValueType| {
            t.batched && t.element == Element::F32 && t.is_standard() && !t.shape.is_empty()
        };
        match inputs.iter().find(|t| !fits(t)) {
            None => Ok(Vec::new()),
            Some(other) => Err(format!(
                "yes or no is told of images or features, the operand is {}",
                other.shape
            )),
        }
    }

    fn acts(&self) -> bool {
        true
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (responses, targets) = (cx.input(0), cx.input(1));
        let channels = responses.value_type.shape.first().copied().unwrap_or(1);
        let vecs = responses.value_type.layout.size() / LANES;
        let chunks = vecs.div_ceil(VECS_PER_INVOCATION);
        let batch = cx.persistent(BATCH_BUFFER, 0, BATCH_WORDS);
        let words = Counted::Decisions.words();
        let counts = cx.persistent(TALLY_BUFFER, Counted::offset(), words);
        let threads = cx.batch().saturating_mul(chunks);
        let kernel = Kernel::new(shader!("count_decisions"), Grid::Threads(threads))
            .defines([("SAMPLES", cx.batch()), ("CHANNELS", channels)])
            .defines([("VECS", vecs), ("CHUNKS", chunks)])
            .define("CHUNK", VECS_PER_INVOCATION)
            .constant("threshold", f64::from(self.threshold))
            .bind("responses", &responses)
            .bind("targets", &targets)
            .bind("batch", batch)
            .bind("counts", counts);
        cx.dispatch(kernel);
        Ok(())
    }
}
