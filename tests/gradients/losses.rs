//! Every loss with every option: on the device, in the reference, and where its derivative jumps.

use wgrad::graph::{Graph, Var};
use wgrad::ops::{
    BinaryCrossEntropy, HingeLoss, HuberLoss, L1Loss, LossValues, MeanSquaredError, Reduction,
    SoftmaxCrossEntropy,
};

use super::check::Case;
use super::described::Layer;
use super::differences::Truth;
use super::reference::Tensor;
use super::reference::softmax_cross_entropy::Options;
use super::reference::{
    self as r, binary_cross_entropy, hinge_loss, huber_loss, l1_loss, mse, softmax_cross_entropy,
};
use super::support::gpu;

/// What a loss compares the response with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// The index of a class.
    Labels,
    /// Numbers.
    Values,
    /// Zeros and ones.
    Bits,
}

/// A loss with its options, on both sides.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    pub name: &'static str,
    pub answers: Answers,
    /// Adds it to a graph, for a response and answers.
    pub apply: fn(&mut Graph, Var, Var) -> LossValues,
    /// Its value, in f64.
    pub value: fn(&Tensor, &Truth) -> f64,
    /// Where its derivative jumps, seen along the response, less the target where that is a value.
    pub kinks: &'static [f64],
}

impl Truth {
    fn labels(&self) -> &[u32] {
        match self {
            Truth::Labels(labels) => labels,
            Truth::Values(_) => panic!("the loss compares with labels"),
        }
    }

    fn values(&self) -> &Tensor {
        match self {
            Truth::Values(values) => values,
            Truth::Labels(_) => panic!("the loss compares with values"),
        }
    }
}

const MEAN: r::Reduction = r::Reduction::Mean;
const SUM: r::Reduction = r::Reduction::Sum;

/// The commonest loss of labels.
pub const CROSS_ENTROPY: Loss = Loss {
    name: "softmax cross-entropy",
    answers: Answers::Labels,
    apply: |g, y, t| g.softmax_cross_entropy(y, t, Reduction::Mean),
    value: |y, t| softmax_cross_entropy::forward(y, t.labels(), MEAN),
    kinks: &[],
};

/// The commonest loss of values.
pub const SQUARED_ERROR: Loss = Loss {
    name: "mean squared error",
    answers: Answers::Values,
    apply: |g, y, t| g.mean_squared_error(y, t, Reduction::Mean),
    value: |y, t| mse::forward(y, t.values(), MEAN),
    kinks: &[],
};

/// What five classes count.
const WEIGHTS: [f32; 5] = [0.5, 2.0, 1.25, 0.75, 3.0];

fn weights() -> Option<Vec<f64>> {
    Some(WEIGHTS.map(f64::from).to_vec())
}

/// Cross-entropy with options, in the reference.
fn cross_entropy(y: &Tensor, t: &Truth, options: Options, reduction: r::Reduction) -> f64 {
    options.forward(y, t.labels(), reduction)
}

fn huber(y: &Tensor, t: &Truth, threshold: f64, smooth_l1: bool, reduction: r::Reduction) -> f64 {
    let attributes = huber_loss::Attributes {
        threshold,
        smooth_l1,
    };
    huber_loss::forward(y, t.values(), reduction, &attributes)
}

/// All losses, over five classes or numbers, beside the two above.
const LOSSES: [Loss; 16] = [
    Loss {
        name: "cross-entropy, sum",
        apply: |g, y, t| g.softmax_cross_entropy(y, t, Reduction::Sum),
        value: |y, t| softmax_cross_entropy::forward(y, t.labels(), SUM),
        ..CROSS_ENTROPY
    },
    Loss {
        name: "cross-entropy, smoothed",
        apply: |g, y, t| {
            g.softmax_cross_entropy(y, t, SoftmaxCrossEntropy::new().label_smoothing(0.1))
        },
        value: |y, t| {
            let options = Options {
                label_smoothing: f64::from(0.1_f32),
                ..Options::default()
            };
            cross_entropy(y, t, options, MEAN)
        },
        ..CROSS_ENTROPY
    },
    Loss {
        name: "cross-entropy, weighted",
        apply: |g, y, t| {
            g.softmax_cross_entropy(y, t, SoftmaxCrossEntropy::new().class_weights(WEIGHTS))
        },
        value: |y, t| {
            let options = Options {
                class_weights: weights(),
                ..Options::default()
            };
            cross_entropy(y, t, options, MEAN)
        },
        ..CROSS_ENTROPY
    },
    Loss {
        name: "cross-entropy, ignoring",
        apply: |g, y, t| g.softmax_cross_entropy(y, t, SoftmaxCrossEntropy::new().ignored(2)),
        value: |y, t| {
            let options = Options {
                ignored: Some(2),
                ..Options::default()
            };
            cross_entropy(y, t, options, MEAN)
        },
        ..CROSS_ENTROPY
    },
    Loss {
        name: "cross-entropy with all options",
        apply: |g, y, t| {
            let loss = SoftmaxCrossEntropy::new().label_smoothing(0.25).ignored(1);
            g.softmax_cross_entropy(y, t, loss.class_weights(WEIGHTS))
        },
        value: |y, t| cross_entropy(y, t, all_options(), MEAN),
        ..CROSS_ENTROPY
    },
    Loss {
        name: "cross-entropy with all options, sum",
        apply: |g, y, t| {
            let loss = SoftmaxCrossEntropy::new().label_smoothing(0.25).ignored(1);
            let loss = loss.class_weights(WEIGHTS).reduction(Reduction::Sum);
            g.softmax_cross_entropy(y, t, loss)
        },
        value: |y, t| cross_entropy(y, t, all_options(), SUM),
        ..CROSS_ENTROPY
    },
    Loss {
        name: "binary cross-entropy",
        answers: Answers::Bits,
        apply: |g, y, t| g.binary_cross_entropy(y, t, Reduction::Mean),
        value: |y, t| binary_cross_entropy::forward(y, t.values(), MEAN, None),
        kinks: &[],
    },
    Loss {
        name: "binary cross-entropy, weighted, sum",
        answers: Answers::Bits,
        apply: |g, y, t| {
            let loss = BinaryCrossEntropy::new().positive_weights(WEIGHTS);
            g.binary_cross_entropy(y, t, loss.reduction(Reduction::Sum))
        },
        value: |y, t| binary_cross_entropy::forward(y, t.values(), SUM, weights().as_deref()),
        kinks: &[],
    },
    Loss {
        name: "squared error, sum",
        apply: |g, y, t| g.mean_squared_error(y, t, MeanSquaredError::from(Reduction::Sum)),
        value: |y, t| mse::forward(y, t.values(), SUM),
        ..SQUARED_ERROR
    },
    Loss {
        name: "L1",
        apply: |g, y, t| g.l1_loss(y, t, L1Loss::new()),
        value: |y, t| l1_loss::forward(y, t.values(), MEAN),
        kinks: &[0.0],
        ..SQUARED_ERROR
    },
    Loss {
        name: "L1, sum",
        apply: |g, y, t| g.l1_loss(y, t, Reduction::Sum),
        value: |y, t| l1_loss::forward(y, t.values(), SUM),
        kinks: &[0.0],
        ..SQUARED_ERROR
    },
    Loss {
        name: "Huber",
        apply: |g, y, t| g.huber_loss(y, t, HuberLoss::new(0.75)),
        value: |y, t| huber(y, t, 0.75, false, MEAN),
        kinks: &[-0.75, 0.75],
        ..SQUARED_ERROR
    },
    Loss {
        name: "smooth L1, sum",
        apply: |g, y, t| g.huber_loss(y, t, HuberLoss::smooth_l1(0.5).reduction(Reduction::Sum)),
        value: |y, t| huber(y, t, 0.5, true, SUM),
        kinks: &[-0.5, 0.5],
        ..SQUARED_ERROR
    },
    Loss {
        name: "hinge",
        apply: |g, y, t| g.hinge_loss(y, t, HingeLoss::new()),
        value: |y, t| hinge_loss::forward(y, t.labels(), MEAN, false),
        kinks: &[-1.0, 1.0],
        ..CROSS_ENTROPY
    },
    Loss {
        name: "hinge, sum",
        apply: |g, y, t| g.hinge_loss(y, t, Reduction::Sum),
        value: |y, t| hinge_loss::forward(y, t.labels(), SUM, false),
        kinks: &[-1.0, 1.0],
        ..CROSS_ENTROPY
    },
    Loss {
        name: "squared hinge",
        apply: |g, y, t| g.hinge_loss(y, t, HingeLoss::new().squared(true)),
        value: |y, t| hinge_loss::forward(y, t.labels(), MEAN, true),
        kinks: &[-1.0, 1.0],
        ..CROSS_ENTROPY
    },
];

fn all_options() -> Options {
    Options {
        label_smoothing: 0.25,
        class_weights: weights(),
        ignored: Some(1),
    }
}

/// Behind a small network of features, over a batch in which every class comes.
#[test]
fn every_loss_has_the_gradient_of_its_value() {
    let Some(device) = gpu::device() else { return };
    for loss in LOSSES.into_iter().chain([CROSS_ENTROPY, SQUARED_ERROR]) {
        let case = Case {
            input: vec![4],
            batch: 7,
            layers: vec![Layer::Linear(6), Layer::Tanh, Layer::Linear(5)],
            loss,
        };
        assert_eq!(case.check(device, 1), Some(0), "{}", loss.name);
    }
}
