//! The reference computation of a described network, and its gradient by central differences.

use super::described::{Conv, Layer};
use super::losses::Loss;
use super::reference::finite_difference::STEP;
use super::reference::{self as r, Tensor};

/// What the network's response is compared with.
#[derive(Clone, Debug)]
pub enum Truth {
    Labels(Vec<u32>),
    Values(Tensor),
}

/// One forward pass. Parameters are taken in the order in which the layers declare them.
struct Pass<'a> {
    parameters: std::slice::Iter<'a, Tensor>,
    /// The smallest distance of any number from a kink: of a rectifier's input from 0, of a
    /// maximum from the second largest.
    margin: f64,
    /// Which side of each kink the pass took.
    sides: Vec<usize>,
}

impl Pass<'_> {
    fn parameter(&mut self) -> &Tensor {
        self.parameters.next().unwrap()
    }

    /// Notes a rectifier at `x`.
    fn rectifier(&mut self, x: &Tensor) {
        self.kink(x, 0.0);
    }

    /// Notes a function at `x` whose derivative jumps at `kink`.
    fn kink(&mut self, x: &Tensor, kink: f64) {
        for value in &x.data {
            self.margin = self.margin.min((value - kink).abs());
            self.sides.push(usize::from(*value > kink));
        }
    }

    fn all(&mut self, layers: &[Layer], x: &Tensor) -> Tensor {
        layers
            .iter()
            .fold(x.clone(), |x, layer| self.one(layer, &x))
    }

    fn one(&mut self, layer: &Layer, x: &Tensor) -> Tensor {
        match layer {
            Layer::Conv(c) => {
                let weight = self.parameter().clone();
                let bias = c.bias.then(|| self.parameter().clone());
                r::conv2d::forward(x, &weight, bias.as_ref(), &attributes(c))
            }
            Layer::ConvTranspose(c) => {
                let weight = self.parameter().clone();
                let bias = c.bias.then(|| self.parameter().clone());
                let a = attributes(c);
                let size = [x.shape[2], x.shape[3]];
                let size = r::conv_transpose2d::output_size(size, [0; 2], &a);
                r::conv_transpose2d::forward(x, &weight, bias.as_ref(), size, &a)
            }
            Layer::Linear(_) => {
                let weight = self.parameter().clone();
                r::linear::forward(x, &weight, Some(self.parameter()))
            }
            Layer::MaxPool(p) => {
                let attributes = r::max_pool2d::Attributes {
                    kernel: [p.kernel; 2],
                    stride: [p.stride; 2],
                    padding: [[p.padding; 2]; 2],
                    ceil_mode: false,
                };
                self.maxima(x, |x| r::max_pool2d::forward(x, &attributes))
            }
            Layer::SpatialPyramid(levels) => {
                for level in levels {
                    let bins = [*level; 2];
                    self.maxima(x, |x| r::adaptive_max_pool2d::forward(x, bins));
                }
                r::adaptive_max_pool2d::pyramid(x, levels)
            }
            Layer::AdaptiveMeanPool(bins) => r::adaptive_mean_pool2d::forward(x, *bins),
            Layer::MeanPool(p) => {
                let attributes = r::mean_pool2d::Attributes {
                    kernel: [p.kernel; 2],
                    stride: [p.stride; 2],
                    padding: [[p.padding; 2]; 2],
                    ceil_mode: false,
                    count_include_pad: true,
                };
                r::mean_pool2d::forward(x, &attributes)
            }
            Layer::GlobalMeanPool => {
                let means = r::global_mean_pool::forward(x);
                means.reshaped(&x.shape[..2])
            }
            Layer::Flatten => r::reshape::flatten(x),
            Layer::Relu => {
                self.rectifier(x);
                r::relu::forward(x)
            }
            Layer::LeakyRelu(slope) => {
                self.rectifier(x);
                r::leaky_relu::forward(x, *slope)
            }
            Layer::Prelu | Layer::SharedPrelu => {
                self.rectifier(x);
                r::prelu::forward(x, self.parameter())
            }
            Layer::Sigmoid => r::sigmoid::forward(x),
            Layer::Tanh => r::tanh::forward(x),
            Layer::Unary(function) => {
                for kink in function.kinks() {
                    self.kink(x, *kink);
                }
                function.forward(x)
            }
            Layer::Softmax => r::softmax::forward(x),
            Layer::LogSoftmax => r::log_softmax::forward(x),
            Layer::ScaleShift => {
                let weight = self.parameter().clone();
                r::scale_shift::forward(x, &weight, self.parameter())
            }
            Layer::BatchNorm => {
                let weight = self.parameter().clone();
                r::batch_norm::forward_training(x, &weight, self.parameter(), 1e-5).y
            }
            Layer::GroupNorm(groups) => self.group_norm(x, *groups),
            Layer::SampleNorm => self.group_norm(x, 1),
            Layer::InstanceNorm => self.group_norm(x, x.shape[1]),
            Layer::LocalResponseNorm(size) => {
                let attributes = r::local_response_norm::Attributes {
                    size: *size,
                    alpha: 0.5,
                    beta: 0.75,
                    k: 1.0,
                    within_channels: false,
                };
                r::local_response_norm::forward(x, &attributes)
            }
            Layer::ZeroPad => r::zero_pad::forward(x, &[[0, 1], [1, 0], [0, 2]]),
            Layer::Slice => {
                let lengths: Vec<usize> = x.shape[1..].iter().map(|length| length - 1).collect();
                r::slice::forward(x, &[1; 3], &lengths)
            }
            Layer::Upsample(size) => r::upsample::forward(x, r::upsample::Method::Bilinear, *size),
            Layer::Residual(branch) => r::add::forward(x, &self.all(branch, x)),
            Layer::Gate(branch) => r::multiply::forward(x, &self.all(branch, x)),
            Layer::Concat(branches) => {
                let parts: Vec<Tensor> = branches.iter().map(|b| self.all(b, x)).collect();
                r::concat::forward(&parts.iter().collect::<Vec<_>>())
            }
        }
    }

    fn group_norm(&mut self, x: &Tensor, groups: usize) -> Tensor {
        let affine = r::group_norm::Affine {
            weight: self.parameter().clone(),
            bias: self.parameter().clone(),
        };
        r::group_norm::forward(x, Some(&affine), groups, 1e-5)
    }

    /// Pools, and notes by how much each maximum is the largest.
    fn maxima(&mut self, x: &Tensor, pool: impl Fn(&Tensor) -> r::max_pool2d::Output) -> Tensor {
        let first = pool(x);
        // The second largest: the largest without the first.
        let [_, _, height, width] = x.dims4();
        let area = height * width;
        for (place, (&argmax, &largest)) in first.argmax.iter().zip(&first.y.data).enumerate() {
            let map = place / (first.y.data.len() / (x.data.len() / area));
            let mut without = Tensor::new(
                &[1, 1, height, width],
                x.data[map * area..(map + 1) * area].to_vec(),
            );
            without.data[argmax] = f64::NEG_INFINITY;
            let second = pool(&without);
            let second = second.y.data[place % second.y.data.len()];
            // Two zeros of a rectifier have no gradient on either side.
            if (largest, second) != (0.0, 0.0) {
                self.margin = self.margin.min(largest - second);
            }
            self.sides.push(argmax);
        }
        first.y
    }
}

fn attributes(c: &Conv) -> r::conv2d::Attributes {
    r::conv2d::Attributes {
        kernel: [c.kernel; 2],
        stride: [c.stride; 2],
        padding: [[c.padding; 2]; 2],
        dilation: [c.dilation; 2],
        groups: c.groups,
    }
}

/// A described network with its numbers.
#[derive(Clone)]
pub struct Problem<'a> {
    pub layers: &'a [Layer],
    /// The input first, then the parameters.
    pub operands: Vec<Tensor>,
    pub loss: Loss,
    pub truth: &'a Truth,
}

/// The value of the loss, the margin and the sides.
pub struct Outcome {
    pub loss: f64,
    pub margin: f64,
    sides: Vec<usize>,
}

impl Problem<'_> {
    /// The loss, in f64.
    pub fn outcome(&self) -> Outcome {
        let mut pass = Pass {
            parameters: self.operands[1..].iter(),
            margin: f64::INFINITY,
            sides: Vec::new(),
        };
        let response = pass.all(self.layers, &self.operands[0]);
        assert!(pass.parameters.next().is_none(), "a parameter is not used");
        let compared = match self.truth {
            Truth::Labels(_) => response.clone(),
            Truth::Values(values) => response.zip(values, |y, t| y - t),
        };
        for kink in self.loss.kinks {
            pass.kink(&compared, *kink);
        }
        Outcome {
            loss: (self.loss.value)(&response, self.truth),
            margin: pass.margin,
            sides: pass.sides,
        }
    }

    /// `∂loss/∂operand` for every operand by central differences; `None` if one of the
    /// differences straddles a kink, where it says nothing.
    pub fn gradients(&mut self) -> Option<Vec<Tensor>> {
        let sides = self.outcome().sides;
        let mut gradients = Vec::new();
        for operand in 0..self.operands.len() {
            let mut gradient = Tensor::zeros(&self.operands[operand].shape);
            for element in 0..gradient.data.len() {
                let value = self.operands[operand].data[element];
                let [above, below] = [STEP, -STEP].map(|step| {
                    self.operands[operand].data[element] = value + step;
                    self.outcome()
                });
                self.operands[operand].data[element] = value;
                if above.sides != sides || below.sides != sides {
                    return None;
                }
                gradient.data[element] = (above.loss - below.loss) / (2.0 * STEP);
            }
            gradients.push(gradient);
        }
        Some(gradients)
    }
}
