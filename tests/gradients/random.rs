//! Random architectures: whatever fits together must have the right gradient.

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::check::Case;
use super::described::{Conv, Layer, Pool};
use super::losses::{CROSS_ENTROPY, SQUARED_ERROR};
use super::reference::unary;
use super::support::gpu;

/// The draws for one stage: convolution, activation, pooling or a branch. What does not fit the
/// image at hand is left out.
#[derive(Clone, Copy, Debug)]
struct Stage {
    outputs: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    grouping: usize,
    normalised: bool,
    activation: usize,
    ending: usize,
}

fn stage() -> impl Strategy<Value = Stage> {
    let outputs = prop::sample::select(vec![1_usize, 3, 4, 6, 8]);
    let shape = (1_usize..4, 1_usize..3, 1_usize..3, 0_usize..3);
    (
        outputs,
        shape,
        any::<bool>(),
        0_usize..6 + unary::ALL.len(),
        0_usize..6,
    )
        .prop_map(
            |(outputs, (kernel, stride, dilation, grouping), normalised, activation, ending)| {
                Stage {
                    outputs,
                    kernel,
                    stride,
                    dilation,
                    grouping,
                    normalised,
                    activation,
                    ending,
                }
            },
        )
}

/// Follows the image's shape while layers are added.
struct Growing {
    batch: usize,
    channels: usize,
    size: [usize; 2],
    layers: Vec<Layer>,
}

impl Growing {
    fn add(&mut self, stage: Stage) {
        let groups = match stage.grouping {
            1 if self.channels.is_multiple_of(2) && stage.outputs.is_multiple_of(2) => 2,
            2 if stage.outputs.is_multiple_of(self.channels) => self.channels,
            _ => 1,
        };
        let padding = stage.dilation * (stage.kernel - 1) / 2;
        let extent = stage.dilation * (stage.kernel - 1) + 1;
        let output = |length: usize| {
            let room = (length + 2 * padding).checked_sub(extent)?;
            Some(room / stage.stride + 1)
        };
        let [Some(height), Some(width)] = self.size.map(output) else {
            return;
        };
        // Few numbers make statistics that f32 cannot differentiate well, and a normalisation
        // takes back whatever a filter of one tap does: its gradient vanishes.
        let taps = self.channels / groups * stage.kernel * stage.kernel;
        let normalised = stage.normalised && self.batch * height * width >= 12 && taps > 3;
        self.layers.push(Layer::Conv(Conv {
            outputs: stage.outputs,
            kernel: stage.kernel,
            stride: stage.stride,
            padding,
            dilation: stage.dilation,
            groups,
            // A bias before a normalisation has no gradient.
            bias: !normalised,
        }));
        self.channels = stage.outputs;
        self.size = [height, width];
        if normalised {
            self.layers.push(Layer::BatchNorm);
        }
        self.layers.push(activation(stage.activation));
        self.finish(stage.ending);
    }

    fn finish(&mut self, ending: usize) {
        let fits = self.size.iter().all(|length| *length >= 2);
        let halves = Pool {
            kernel: 2,
            stride: 2,
            padding: 0,
        };
        let keeps = Pool {
            kernel: 3,
            stride: 1,
            padding: 1,
        };
        match ending {
            0 if fits => {
                self.layers.push(Layer::MaxPool(halves));
                self.size = self.size.map(|length| length / 2);
            }
            1 if fits => {
                self.layers.push(Layer::MeanPool(halves));
                self.size = self.size.map(|length| length / 2);
            }
            2 => self
                .layers
                .push(Layer::Residual(vec![Layer::MeanPool(keeps)])),
            3 if self.channels <= 4 => {
                let branches = vec![vec![Layer::Tanh], vec![], vec![Layer::MaxPool(keeps)]];
                self.layers.push(Layer::Concat(branches));
                self.channels *= 3;
            }
            _ => {}
        }
    }
}

fn activation(kind: usize) -> Layer {
    match kind {
        0 => Layer::Relu,
        1 => Layer::LeakyRelu(0.15),
        2 => Layer::Prelu,
        3 => Layer::SharedPrelu,
        4 => Layer::Sigmoid,
        5 => Layer::Tanh,
        other => Layer::Unary(unary::ALL[other - 6]),
    }
}

fn network() -> impl Strategy<Value = Case> {
    let input = (
        prop::sample::select(vec![1_usize, 2, 3, 5]),
        3_usize..7,
        3_usize..7,
    );
    let stages = prop::collection::vec(stage(), 1..4);
    (input, 1_usize..4, stages, 0_usize..4).prop_map(|((c, h, w), batch, stages, head)| {
        let mut growing = Growing {
            batch,
            channels: c,
            size: [h, w],
            layers: Vec::new(),
        };
        for stage in stages {
            growing.add(stage);
        }
        let mut layers = growing.layers;
        match head {
            0 => layers.extend([Layer::GlobalMeanPool, Layer::Linear(3)]),
            1 | 2 => layers.extend([Layer::Flatten, Layer::Linear(5)]),
            _ => {}
        }
        let loss = match head {
            0 | 1 => CROSS_ENTROPY,
            _ => SQUARED_ERROR,
        };
        Case {
            input: vec![c, h, w],
            batch,
            layers,
            loss,
        }
    })
}

/// Fewer than the parity suite's: a case differentiates by hundreds of numbers.
fn cases() -> Config {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    Config {
        cases: cases.unwrap_or(6),
        failure_persistence: None,
        ..Config::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_architecture_has_the_gradient_of_its_loss(case in network(), seed in 0_u64..1000) {
        let Some(device) = gpu::device() else { return Ok(()) };
        prop_assume!(case.check(device, seed).is_some());
    }
}
