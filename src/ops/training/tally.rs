//! What an evaluation adds up over its batches, on the device.

use crate::graph::{BLOCK, ValueType};
use crate::ops::loss::logits_and_labels;
use crate::ops::{Operator, Reason};
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

/// Where the parts of the buffer `tally` lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TallyLayout {
    /// Classes whose ranks are counted; 0 in a regression.
    pub(crate) classes: usize,
}

impl TallyLayout {
    /// Words of the sums: loss and weight of each batch.
    pub(crate) const SUMS: usize = 2 * TALLY_BATCHES;

    /// Whether who is taken for whom is counted.
    pub(crate) fn has_confusion(self) -> bool {
        (1..=MOST_CLASSES).contains(&self.classes)
    }

    /// Words of the counts: by rank of the true class, then by true and predicted class.
    pub(crate) fn counts(self) -> usize {
        let pairs = if self.has_confusion() {
            self.classes
        } else {
            0
        };
        self.classes * (1 + pairs)
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
        let sums = cx.persistent(TALLY_BUFFER, 0, TallyLayout::SUMS);
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
        let layout = TallyLayout { classes };
        let batch = cx.persistent(BATCH_BUFFER, 0, BATCH_WORDS);
        let first = TallyLayout::SUMS.next_multiple_of(BLOCK);
        let counts = cx.persistent(TALLY_BUFFER, first, layout.counts());
        let mut kernel = Kernel::new(shader!("count_answers"), Grid::Threads(cx.batch()))
            .defines([("SAMPLES", cx.batch()), ("CLASSES", classes)])
            .flag("CONFUSION", layout.has_confusion())
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
