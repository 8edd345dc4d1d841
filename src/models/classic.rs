//! LeNet-5, AlexNet and the all-convolutional network: chains of a few layers.

use crate::graph::Network;

/// LeNet-5 (LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
/// recognition", 1998) for `[1, 32, 32]`: the digits of MNIST with two pixels more at each side.
///
/// As it is built today: all maps of the second convolution see all before them, subsampling has no
/// factors, and the output is linear.
#[rustfmt::skip]
pub fn lenet5(input: [usize; 3], classes: usize) -> Network {
    let mut net = Network::input(input);
    net.conv(6, 5).name("conv1").tanh().mean_pool(2)
       .conv(16, 5).name("conv2").tanh().mean_pool(2)
       .linear(120).name("fc1").tanh()
       .linear(84).name("fc2").tanh()
       .linear(classes).name("fc3");
    net
}

/// AlexNet as torchvision has it (Krizhevsky, "One weird trick for parallelizing convolutional
/// neural networks", 2014), for `[3, 224, 224]`; images of 63×63 and more fit.
#[rustfmt::skip]
pub fn alexnet(input: [usize; 3], classes: usize) -> Network {
    let mut net = Network::input(input);
    net.conv(64, 11).stride(4).padding(2).name("features.0").relu().max_pool(3).stride(2)
       .conv(192, 5).padding(2).name("features.3").relu().max_pool(3).stride(2)
       .conv(384, 3).padding(1).name("features.6").relu()
       .conv(256, 3).padding(1).name("features.8").relu()
       .conv(256, 3).padding(1).name("features.10").relu().max_pool(3).stride(2)
       .adaptive_mean_pool(6).flatten()
       .dropout(0.5).linear(4096).name("classifier.1").relu()
       .dropout(0.5).linear(4096).name("classifier.4").relu()
       .linear(classes).name("classifier.6");
    net
}

/// All-CNN-C (Springenberg, Dosovitskiy, Brox and Riedmiller, "Striving for simplicity: the
/// all convolutional net", 2015), for `[3, 32, 32]`: strided convolutions in place of pooling, no
/// fully connected layer. The last convolution is rectified, as in the paper.
#[rustfmt::skip]
pub fn all_cnn_c(input: [usize; 3], classes: usize) -> Network {
    let mut net = Network::input(input);
    net.dropout(0.2)
       .conv(96, 3).padding(1).relu()
       .conv(96, 3).padding(1).relu()
       .conv(96, 3).padding(1).stride(2).relu().dropout(0.5)
       .conv(192, 3).padding(1).relu()
       .conv(192, 3).padding(1).relu()
       .conv(192, 3).padding(1).stride(2).relu().dropout(0.5)
       .conv(192, 3).relu()
       .conv(192, 1).relu()
       .conv(classes, 1).relu()
       .global_mean_pool();
    net
}
