//! VGG (Simonyan and Zisserman 2015): 3×3 convolutions in five groups, each followed by pooling.

use crate::graph::Network;

/// Configuration A: eleven layers, for `[3, 224, 224]`; images of 32×32 and more fit.
pub fn vgg11(input: [usize; 3], classes: usize) -> Network {
    vgg([1, 1, 2, 2, 2], false, input, classes)
}

/// Configuration B: thirteen layers, for `[3, 224, 224]`; images of 32×32 and more fit.
pub fn vgg13(input: [usize; 3], classes: usize) -> Network {
    vgg([2, 2, 2, 2, 2], false, input, classes)
}

/// Configuration D: sixteen layers, for `[3, 224, 224]`; images of 32×32 and more fit.
pub fn vgg16(input: [usize; 3], classes: usize) -> Network {
    vgg([2, 2, 3, 3, 3], false, input, classes)
}

/// [`vgg11`] with batch normalisation behind each convolution.
pub fn vgg11_bn(input: [usize; 3], classes: usize) -> Network {
    vgg([1, 1, 2, 2, 2], true, input, classes)
}

/// [`vgg13`] with batch normalisation behind each convolution.
pub fn vgg13_bn(input: [usize; 3], classes: usize) -> Network {
    vgg([2, 2, 2, 2, 2], true, input, classes)
}

/// [`vgg16`] with batch normalisation behind each convolution.
pub fn vgg16_bn(input: [usize; 3], classes: usize) -> Network {
    vgg([2, 2, 3, 3, 3], true, input, classes)
}

/// `convolutions` by group. Layers are numbered as torchvision does, with those that have no
/// parameters.
fn vgg(convolutions: [usize; 5], normalised: bool, input: [usize; 3], classes: usize) -> Network {
    let mut net = Network::input(input);
    let mut layer = 0;
    for (count, channels) in convolutions.into_iter().zip([64, 128, 256, 512, 512]) {
        for _ in 0..count {
            net.conv(channels, 3).padding(1);
            net.name(&format!("features.{layer}"));
            if normalised {
                layer += 1;
                net.batch_norm().name(&format!("features.{layer}"));
            }
            net.relu();
            layer += 2;
        }
        net.max_pool(2);
        layer += 1;
    }
    net.adaptive_mean_pool(7).flatten();
    net.linear(4096).name("classifier.0").relu().dropout(0.5);
    net.linear(4096).name("classifier.3").relu().dropout(0.5);
    net.linear(classes).name("classifier.6");
    net
}
