//! Well-known networks, ready to be trained: one call for each, with the shape of an image and the
//! number of classes.
//!
//! ```
//! use wgrad::models;
//!
//! let net = models::resnet20([3, 32, 32], 10);
//! println!("{}", net.summary()?);
//!
//! // For a command line: a name, and the paper's image size unless another is given.
//! let same = models::by_name("resnet20", None, 10)?;
//! assert_eq!(same.summary()?, net.summary()?);
//! # Ok::<(), wgrad::Error>(())
//! ```
//!
//! | name | paper | input | classes | parameters |
//! |---|---|---|---|---|
//! | [`lenet5`] | LeCun et al. 1998 | 1×32×32 | 10 | 61,706 |
//! | [`alexnet`] | Krizhevsky 2014, [one weird trick][alexnet] | 3×224×224 | 1000 | 61,100,840 |
//! | [`vgg11`], [`vgg13`], [`vgg16`] | [Simonyan and Zisserman 2015][vgg], A, B, D | 3×224×224 | 1000 | 132,863,336; 133,047,848; 138,357,544 |
//! | [`vgg11_bn`], [`vgg13_bn`], [`vgg16_bn`] | the same, with batch normalisation | 3×224×224 | 1000 | 132,868,840; 133,053,736; 138,365,992 |
//! | [`resnet18`], [`resnet34`], [`resnet50`] | [He et al. 2016][resnet], table 1 | 3×224×224 | 1000 | 11,689,512; 21,797,672; 25,557,032 |
//! | [`resnet20`], [`resnet32`], [`resnet44`], [`resnet56`] | the same, section 4.2 | 3×32×32 | 10 | 269,722; 464,154; 658,586; 853,018 |
//! | [`mobilenet_v1`] | [Howard et al. 2017][v1] | 3×224×224 | 1000 | 4,231,976 |
//! | [`mobilenet_v2`] | [Sandler et al. 2018][v2] | 3×224×224 | 1000 | 3,504,872 |
//! | [`squeezenet1_0`], [`squeezenet1_1`] | [Iandola et al. 2016][squeezenet] | 3×224×224 | 1000 | 1,248,424; 1,235,496 |
//! | [`all_cnn_c`] | [Springenberg et al. 2015][allcnn] | 3×32×32 | 10 | 1,369,738 |
//! | [`prelu_net14`] | [He et al. 2015][prelu], table 1 | 3×224×224 | 1000 | 75,004,200 |
//! | [`prelu_net_a`], [`prelu_net_b`], [`prelu_net_c`] | the same, table 3 | 3×224×224 | 1000 | 178,032,072; 183,343,048; 330,623,944 |
//! | [`autoencoder`] | after Masci et al. 2011 | 1×28×28 | none | by the code's length |
//!
//! Parameters are counted for the input and classes of the table, without running statistics.
//!
//! Where torchvision has a network, the parameters have the names and shapes of its state dict
//! (`layer1.0.conv1.weight`). First weights are drawn by this crate's laws, not torchvision's: He's
//! for the rectifier that follows.
//!
//! An image that is too small is an error of the layer that it does not fit, kept in the network
//! and returned by whatever uses it. Every classifier gives logits, without softmax, as the loss of
//! classification wants them.
//!
//! All parameters of a model lie in one buffer, four bytes each: AlexNet, VGG and the PReLU nets,
//! with their large linear layers, need an adapter whose buffers hold 240 MB to 1.3 GB. On others
//! they can only be described, and [`Error::OutOfMemory`] says so. A kernel need not be able to bind
//! that much at once: what is larger is computed in pieces.
//!
//! [alexnet]: https://arxiv.org/abs/1404.5997
//! [vgg]: https://arxiv.org/abs/1409.1556
//! [resnet]: https://arxiv.org/abs/1512.03385
//! [v1]: https://arxiv.org/abs/1704.04861
//! [v2]: https://arxiv.org/abs/1801.04381
//! [squeezenet]: https://arxiv.org/abs/1602.07360
//! [allcnn]: https://arxiv.org/abs/1412.6806
//! [prelu]: https://arxiv.org/abs/1502.01852

mod autoencoder;
mod classic;
mod mobilenet;
mod prelu_net;
mod resnet;
mod squeezenet;
mod vgg;

pub use autoencoder::autoencoder;
pub use classic::{alexnet, all_cnn_c, lenet5};
pub use mobilenet::{mobilenet_v1, mobilenet_v1_with_width, mobilenet_v2, mobilenet_v2_with_width};
pub use prelu_net::{prelu_net_a, prelu_net_b, prelu_net_c, prelu_net14};
pub use resnet::{
    Shortcut, resnet_cifar, resnet18, resnet20, resnet32, resnet34, resnet44, resnet50, resnet56,
};
pub use squeezenet::{squeezenet1_0, squeezenet1_1};
pub use vgg::{vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn};

use crate::error::{Error, Result};
use crate::graph::Network;

/// A classifier that [`by_name`] knows.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Known {
    /// The function's name.
    pub name: &'static str,
    /// The paper's image, `[C, H, W]`.
    pub input: [usize; 3],
    /// The paper's classes.
    pub classes: usize,
    /// The function: from an image's shape and the number of classes to a network.
    pub network: fn([usize; 3], usize) -> Network,
}

/// All classifiers of this module, in the order of its table.
pub const ALL: &[Known] = &[
    Known {
        input: [1, 32, 32],
        ..small("lenet5", lenet5)
    },
    large("alexnet", alexnet),
    large("vgg11", vgg11),
    large("vgg13", vgg13),
    large("vgg16", vgg16),
    large("vgg11_bn", vgg11_bn),
    large("vgg13_bn", vgg13_bn),
    large("vgg16_bn", vgg16_bn),
    large("resnet18", resnet18),
    large("resnet34", resnet34),
    large("resnet50", resnet50),
    small("resnet20", resnet20),
    small("resnet32", resnet32),
    small("resnet44", resnet44),
    small("resnet56", resnet56),
    large("mobilenet_v1", mobilenet_v1),
    large("mobilenet_v2", mobilenet_v2),
    large("squeezenet1_0", squeezenet1_0),
    large("squeezenet1_1", squeezenet1_1),
    small("all_cnn_c", all_cnn_c),
    large("prelu_net14", prelu_net14),
    large("prelu_net_a", prelu_net_a),
    large("prelu_net_b", prelu_net_b),
    large("prelu_net_c", prelu_net_c),
];

/// For CIFAR-10.
const fn small(name: &'static str, network: fn([usize; 3], usize) -> Network) -> Known {
    Known {
        name,
        input: [3, 32, 32],
        classes: 10,
        network,
    }
}

/// For ImageNet.
const fn large(name: &'static str, network: fn([usize; 3], usize) -> Network) -> Known {
    Known {
        name,
        input: [3, 224, 224],
        classes: 1000,
        network,
    }
}

/// The classifier of this name for images `[C, H, W]`, `None` for those of the paper.
///
/// # Errors
/// [`Error::UnknownName`] with the names of [`ALL`].
pub fn by_name(
    name: &str,
    input: impl Into<Option<[usize; 3]>>,
    classes: usize,
) -> Result<Network> {
    let known = ALL.iter().find(|known| known.name == name);
    let known = known.ok_or_else(|| Error::UnknownName {
        kind: "network",
        name: name.to_owned(),
        known: ALL.iter().map(|k| k.name).collect::<Vec<_>>().join(", "),
    })?;
    Ok((known.network)(
        input.into().unwrap_or(known.input),
        classes,
    ))
}
