//! What training makes small, as a value: the losses of the crate, and losses of one's own.

use std::fmt::{self, Debug};
use std::sync::Arc;

use crate::data::Targets;
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::ops::training::{CountAnswers, CountDecisions, Counted};
use crate::ops::{
    BinaryCrossEntropy, HingeLoss, HuberLoss, L1Loss, LossValues, MeanSquaredError,
    SoftmaxCrossEntropy,
};
use crate::shape::Shape;

/// What a loss compares the network's response with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// The index of a class, one per sample. Evaluation then counts classes too.
    Label,
    /// Numbers in the response's shape.
    Values,
}

/// A loss, for [`Trainer::loss`](super::Trainer::loss).
///
/// The losses of [`ops`](crate::ops) are such; a loss of one's own says how it is computed, from
/// operators of the graph or with one of its own.
///
/// ```
/// use wgrad::graph::{Graph, Var};
/// use wgrad::ops::{LossValues, Reduction};
/// use wgrad::train::{AnswerKind, LossFunction, Sgd, Trainer};
///
/// /// The squared error of responses that go through a hyperbolic tangent first.
/// #[derive(Debug)]
/// struct Squashed;
///
/// impl LossFunction for Squashed {
///     fn name(&self) -> &'static str {
///         "squashed squared error"
///     }
///     fn compares_with(&self) -> AnswerKind {
///         AnswerKind::Values
///     }
///     fn apply(&self, graph: &mut Graph, response: Var, answer: Var) -> LossValues {
///         let response = graph.relayout(response);
///         let squashed = graph.tanh(response);
///         graph.mean_squared_error(squashed, answer, Reduction::Mean)
///     }
/// }
///
/// let trainer = Trainer::new(Sgd::new(0.1)).loss(Squashed);
/// ```
pub trait LossFunction: Debug + Send + Sync + 'static {
    /// The loss in words, for messages: `mean squared error`.
    fn name(&self) -> &'static str;

    /// What the response is compared with.
    fn compares_with(&self) -> AnswerKind;

    /// Adds the loss to a graph: a number for the batch and one for each sample.
    fn apply(&self, graph: &mut Graph, response: Var, answer: Var) -> LossValues;

    /// The label of samples that do not count, in the loss nor among the right answers.
    fn ignored(&self) -> Option<u32> {
        None
    }

    /// For a loss that compares with yes (1) or no (0): the response above which the answer is
    /// yes. Evaluation then counts right and wrong answers, element by element.
    fn threshold(&self) -> Option<f32> {
        None
    }

    /// Whether the answers of a data set suit a network with this response.
    ///
    /// # Errors
    /// A sentence that says what does not fit.
    fn check(&self, response: &Shape, targets: &Targets) -> Result<(), String> {
        match (self.compares_with(), targets) {
            (AnswerKind::Label, Targets::Labels { labels, classes }) => {
                check_labels(response, labels, classes.len(), self.ignored())
            }
            (AnswerKind::Values, Targets::Values { shape, .. }) => check_shape(response, shape),
            (AnswerKind::Label, Targets::Values { .. }) => {
                Err("class labels are needed, the data set has target values".to_owned())
            }
            (AnswerKind::Values, Targets::Labels { .. }) => {
                Err("target values are needed, the data set has class labels".to_owned())
            }
        }
    }
}

fn check_shape(response: &Shape, targets: &[usize]) -> Result<(), String> {
    match targets == &response[..] {
        true => Ok(()),
        false => Err(format!(
            "the network's output has shape {:?}, the data set's targets {targets:?}",
            &response[..]
        )),
    }
}

fn check_labels(
    response: &Shape,
    labels: &[u32],
    classes: usize,
    ignored: Option<u32>,
) -> Result<(), String> {
    let outputs = response.elements();
    if classes <= outputs {
        return Ok(());
    }
    if ignored.is_none() {
        return Err(format!(
            "the data set has {classes} classes, the network only {outputs} outputs"
        ));
    }
    let beyond = |label: &&u32| **label as usize >= outputs && Some(**label) != ignored;
    match labels.iter().position(|label| beyond(&label)) {
        None => Ok(()),
        Some(sample) => Err(format!(
            "sample {sample} has label {}, which is neither ignored nor one of the network's \
             {outputs} outputs",
            labels[sample]
        )),
    }
}

/// The loss of a training: any [`LossFunction`]. Softmax cross-entropy by default.
///
/// ```
/// use wgrad::ops::SoftmaxCrossEntropy;
/// use wgrad::train::Loss;
///
/// let loss = Loss::from(SoftmaxCrossEntropy::new().label_smoothing(0.1));
/// assert_eq!(loss.name(), "softmax cross-entropy");
/// ```
#[derive(Clone)]
pub struct Loss(Arc<dyn LossFunction>);

impl<L: LossFunction> From<L> for Loss {
    fn from(loss: L) -> Self {
        Self(Arc::new(loss))
    }
}

impl Default for Loss {
    fn default() -> Self {
        SoftmaxCrossEntropy::new().into()
    }
}

impl Debug for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the response is compared with, in a graph.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    Labels(Var),
    Values(Var),
}

impl Answer {
    pub(super) fn var(self) -> Var {
        let (Self::Labels(var) | Self::Values(var)) = self;
        var
    }

    /// The same kind of answer, another value.
    pub(super) fn with(self, var: Var) -> Self {
        match self {
            Self::Labels(_) => Self::Labels(var),
            Self::Values(_) => Self::Values(var),
        }
    }
}

impl Loss {
    /// The loss in words.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// What an evaluation counts besides, which it adds to a graph.
    pub(super) fn count(&self, graph: &mut Graph, response: Var, answer: Answer) -> Counted {
        let response = graph.relayout(response);
        match (answer, self.0.threshold()) {
            (Answer::Labels(labels), _) => {
                let &[classes] = &graph.shape(response)[..] else {
                    return Counted::Nothing;
                };
                let count = Arc::new(CountAnswers {
                    ignored: self.0.ignored(),
                });
                graph.apply_all("answers", count, &[response, labels]);
                Counted::Classes(classes)
            }
            (Answer::Values(targets), Some(threshold)) => {
                let count = Arc::new(CountDecisions { threshold });
                graph.apply_all("answers", count, &[response, targets]);
                Counted::Decisions
            }
            (Answer::Values(_), None) => Counted::Nothing,
        }
    }

    /// Whether an evaluation has an accuracy.
    pub(super) fn has_accuracy(&self) -> bool {
        self.0.compares_with() == AnswerKind::Label || self.0.threshold().is_some()
    }

    /// Whether both are one and the same, not only alike.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The input for the right answers to `response`.
    pub(super) fn answer(&self, graph: &mut Graph, response: Var) -> Answer {
        match self.0.compares_with() {
            AnswerKind::Label => Answer::Labels(graph.labels("labels")),
            AnswerKind::Values => {
                let shape = graph.shape(response).clone();
                Answer::Values(graph.input("targets", shape))
            }
        }
    }

    /// Adds the loss of `response` to a graph.
    pub(super) fn apply(&self, graph: &mut Graph, response: Var, answer: Answer) -> LossValues {
        self.0.apply(graph, response, answer.var())
    }

    /// Whether a data set's answers suit it.
    pub(super) fn check(&self, response: &Shape, targets: &Targets) -> Result<()> {
        self.0
            .check(response, targets)
            .map_err(|reason| Error::Answers {
                loss: self.name(),
                reason,
            })
    }
}

/// A loss of the crate: its name, its method on the graph, what it compares with.
macro_rules! loss_function {
    ($loss:ty, $name:literal, $method:ident, $kind:ident, { $($more:item)* }) => {
        impl LossFunction for $loss {
            fn name(&self) -> &'static str {
                $name
            }

            fn compares_with(&self) -> AnswerKind {
                AnswerKind::$kind
            }

            fn apply(&self, graph: &mut Graph, response: Var, answer: Var) -> LossValues {
                let response = graph.relayout(response);
                graph.$method(response, answer, self.clone())
            }

            $($more)*
        }
    };
}

loss_function!(
    SoftmaxCrossEntropy,
    "softmax cross-entropy",
    softmax_cross_entropy,
    Label,
    {
        fn ignored(&self) -> Option<u32> {
            self.ignored
        }
    }
);
loss_function!(HingeLoss, "hinge loss", hinge_loss, Label, {});
loss_function!(
    MeanSquaredError,
    "mean squared error",
    mean_squared_error,
    Values,
    {}
);
loss_function!(L1Loss, "L1 loss", l1_loss, Values, {});
loss_function!(HuberLoss, "Huber loss", huber_loss, Values, {});

impl LossFunction for BinaryCrossEntropy {
    fn name(&self) -> &'static str {
        "binary cross-entropy"
    }

    fn compares_with(&self) -> AnswerKind {
        AnswerKind::Values
    }

    fn apply(&self, graph: &mut Graph, response: Var, answer: Var) -> LossValues {
        graph.binary_cross_entropy(response, answer, self.clone())
    }

    /// A logit above 0 is a probability above ½.
    fn threshold(&self) -> Option<f32> {
        Some(0.0)
    }

    /// A [`Dataset::regression`](crate::data::Dataset::regression) whose targets lie in 0 to 1.
    fn check(&self, response: &Shape, targets: &Targets) -> Result<(), String> {
        let Targets::Values { shape, values } = targets else {
            return Err(
                "a vector of 0 and 1 per sample is needed, the data set has class labels; \
                        give it target values"
                    .to_owned(),
            );
        };
        check_shape(response, shape)?;
        let len = response.elements().max(1);
        match values.iter().position(|t| !(0.0..=1.0).contains(t)) {
            None => Ok(()),
            Some(i) => Err(format!(
                "targets must lie in 0 to 1, sample {} has {} at element {}",
                i / len,
                values[i],
                i % len
            )),
        }
    }
}
