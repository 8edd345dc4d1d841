//! The reference computation of a described network, and its gradient by central differences.

use super::described::Layer;
use super::reference::finite_difference::STEP;
use super::reference::{self as r, Tensor};

/// What the network's response is compared with.
#[derive(Clone, Debug)]
pub enum Truth {
    /// Softmax cross-entropy, averaged.
    Labels(Vec<u32>),
    /// Squared error, averaged.
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
                let attributes = r::conv2d::Attributes {
                    kernel: [c.kernel; 2],
                    stride: [c.stride; 2],
                    padding: [c.padding; 2],
                    dilation: [c.dilation; 2],
                    groups: c.groups,
                };
                let weight = self.parameter().clone();
                let bias = c.bias.then(|| self.parameter().clone());
                r::conv2d::forward(x, &weight, bias.as_ref(), &attributes)
            }
            Layer::Linear(_) => {
                let weight = self.parameter().clone();
                r::linear::forward(x, &weight, Some(self.parameter()))
            }
            Layer::MaxPool(p) => {
                let attributes = r::max_pool2d::Attributes {
                    kernel: [p.kernel; 2],
                    stride: [p.stride; 2],
                    padding: [p.padding; 2],
                    ceil_mode: false,
                };
                self.max_pool(x, &attributes)
            }
            Layer::MeanPool(p) => {
                let attributes = r::mean_pool2d::Attributes {
                    kernel: [p.kernel; 2],
                    stride: [p.stride; 2],
                    padding: [p.padding; 2],
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
            Layer::Residual(branch) => r::add::forward(x, &self.all(branch, x)),
            Layer::Gate(branch) => r::multiply::forward(x, &self.all(branch, x)),
            Layer::Concat(branches) => {
                let parts: Vec<Tensor> = branches.iter().map(|b| self.all(b, x)).collect();
                r::concat::forward(&parts.iter().collect::<Vec<_>>())
            }
        }
    }

    fn max_pool(&mut self, x: &Tensor, attributes: &r::max_pool2d::Attributes) -> Tensor {
        let first = r::max_pool2d::forward(x, attributes);
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
            let second = r::max_pool2d::forward(&without, attributes);
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

/// A described network with its numbers.
#[derive(Clone)]
pub struct Problem<'a> {
    pub layers: &'a [Layer],
    /// The input first, then the parameters.
    pub operands: Vec<Tensor>,
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
        let mean = r::Reduction::Mean;
        let loss = match self.truth {
            Truth::Labels(labels) => r::softmax_cross_entropy::forward(&response, labels, mean),
            Truth::Values(values) => r::mse::forward(&response, values, mean),
        };
        Outcome {
            loss,
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
