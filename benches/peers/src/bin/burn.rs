//! burn's wgpu backend (WGSL, fusion, autotune) in the comparison.
#![recursion_limit = "256"]

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Linear, LinearConfig, PRelu, PReluConfig, PaddingConfig2d, Relu,
};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::prelude::*;
use burn::tensor::Distribution;
use wgrad_peers::worker;

fn conv(channels: [usize; 2], stride: usize, bias: bool, device: &Device) -> Conv2d {
    Conv2dConfig::new(channels, [3, 3])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .with_bias(bias)
        .init(device)
}

fn halve() -> MaxPool2d {
    MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init()
}

fn flatten(x: Tensor<4>) -> Tensor<2> {
    let [batch, channels, rows, columns] = x.dims();
    x.reshape([batch, channels * rows * columns])
}

trait Classifier: Module {
    fn logits(&self, x: Tensor<4>) -> Tensor<2>;
}

#[derive(Module, Debug)]
struct Small {
    conv1: Conv2d,
    prelu1: PRelu,
    conv2: Conv2d,
    prelu2: PRelu,
    pool: MaxPool2d,
    linear1: Linear,
    prelu3: PRelu,
    linear2: Linear,
}

impl Small {
    fn new(device: &Device) -> Self {
        let prelu = |slopes| PReluConfig::new().with_num_parameters(slopes).init(device);
        Self {
            conv1: conv([1, 32], 1, true, device),
            prelu1: prelu(32),
            conv2: conv([32, 64], 1, true, device),
            prelu2: prelu(64),
            pool: halve(),
            linear1: LinearConfig::new(64 * 7 * 7, 128).init(device),
            prelu3: prelu(1),
            linear2: LinearConfig::new(128, 10).init(device),
        }
    }
}

impl Classifier for Small {
    fn logits(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.prelu1.forward(self.conv1.forward(x));
        let x = self.pool.forward(x);
        let x = self.prelu2.forward(self.conv2.forward(x));
        let x = flatten(self.pool.forward(x));
        let x = self.prelu3.forward(self.linear1.forward(x));
        self.linear2.forward(x)
    }
}

#[derive(Module, Debug)]
struct Medium {
    convs: Vec<Conv2d>,
    norms: Vec<BatchNorm>,
    relu: Relu,
    pool: MaxPool2d,
    linear: Linear,
}

impl Medium {
    fn new(device: &Device) -> Self {
        let widths = [3, 64, 64, 128, 128, 256, 256];
        let pairs = || widths.windows(2);
        Self {
            convs: pairs()
                .map(|w| conv([w[0], w[1]], 1, true, device))
                .collect(),
            norms: pairs()
                .map(|w| BatchNormConfig::new(w[1]).init(device))
                .collect(),
            relu: Relu::new(),
            pool: halve(),
            linear: LinearConfig::new(256 * 4 * 4, 10).init(device),
        }
    }
}

impl Classifier for Medium {
    fn logits(&self, mut x: Tensor<4>) -> Tensor<2> {
        for (i, (conv, norm)) in self.convs.iter().zip(&self.norms).enumerate() {
            x = self.relu.forward(norm.forward(conv.forward(x)));
            if i % 2 == 1 {
                x = self.pool.forward(x);
            }
        }
        self.linear.forward(flatten(x))
    }
}

#[derive(Module, Debug)]
struct Plain {
    convs: Vec<Conv2d>,
    relu: Relu,
    pool: AdaptiveAvgPool2d,
    linear: Linear,
}

impl Plain {
    fn new(device: &Device) -> Self {
        let layers = [([1, 32], 1), ([32, 64], 2), ([64, 128], 2)];
        Self {
            convs: layers
                .map(|(c, stride)| conv(c, stride, false, device))
                .into(),
            relu: Relu::new(),
            pool: AdaptiveAvgPool2dConfig::new([1, 1]).init(),
            linear: LinearConfig::new(128, 10).init(device),
        }
    }
}

impl Classifier for Plain {
    fn logits(&self, mut x: Tensor<4>) -> Tensor<2> {
        for conv in &self.convs {
            x = self.relu.forward(conv.forward(x));
        }
        self.linear.forward(flatten(self.pool.forward(x)))
    }
}

fn train(
    model: impl Classifier,
    [channels, rows, columns]: [usize; 3],
    batch: usize,
    momentum: Option<f64>,
    device: &Device,
) {
    let normal = Distribution::Normal(0.0, 1.0);
    let x = Tensor::<4>::random([batch, channels, rows, columns], normal, device);
    let labels: Vec<i32> = (0..batch as i32).map(|i| i % 10).collect();
    let labels = Tensor::<1, Int>::from_ints(TensorData::new(labels, [batch]), device);
    let loss_of = CrossEntropyLossConfig::new().init(device);
    let momentum = momentum.map(|m| MomentumConfig::new().with_momentum(m).with_dampening(0.0));
    let mut rule = SgdConfig::new().with_momentum(momentum).init();
    // An update takes the model and gives it back.
    let mut held = Some(model);
    worker::serve(|steps| {
        let mut model = held.take().expect("the model of the last block");
        let mut last = None;
        for _ in 0..steps {
            let loss = loss_of.forward(model.logits(x.clone()), labels.clone());
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            model = rule.step(1e-4_f64, model, gradients);
            last = Some(loss.detach());
        }
        held = Some(model);
        device.sync().expect("the device");
        last.map_or(f32::NAN, |loss| loss.into_scalar::<f32>())
    });
}

fn main() {
    let (workload, batch) = worker::task();
    let device = Device::wgpu(DeviceKind::DefaultDevice).autodiff();
    device.seed(42);
    match workload.as_str() {
        "S" => train(Small::new(&device), [1, 28, 28], batch, Some(0.9), &device),
        "M" => train(Medium::new(&device), [3, 32, 32], batch, Some(0.9), &device),
        "P" => train(Plain::new(&device), [1, 28, 28], batch, None, &device),
        other => panic!("burn's program has no workload `{other}`"),
    }
}
