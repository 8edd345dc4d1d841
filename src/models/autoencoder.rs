//! A convolutional auto-encoder.

use crate::graph::Network;
use crate::ops::{Conv2d, ConvTranspose2d, Linear};

/// An image to `code` numbers and back to an image of the same shape: strided convolutions to 16
/// and 32 channels, a linear layer each way, transposed convolutions. After Masci, Meier, Cireşan
/// and Schmidhuber, "Stacked convolutional auto-encoders for hierarchical feature extraction", 2011,
/// with strides in place of pooling. Images of any size fit.
///
/// The result has no activation: it suits [`MeanSquaredError`](crate::ops::MeanSquaredError), and
/// as logits [`BinaryCrossEntropy`](crate::ops::BinaryCrossEntropy). The images themselves are the
/// targets of the data set.
pub fn autoencoder(input: [usize; 3], code: usize) -> Network {
    let [channels, height, width] = input;
    let down = |filters| Conv2d::new(filters, 3).stride(2).padding(1);
    // Halving rounds up; a further row or column behind makes an even size even again.
    let up = |filters, [height, width]: [usize; 2]| {
        let behind = [1 - height % 2, 1 - width % 2];
        let up = ConvTranspose2d::new(filters, 3).stride(2).padding(1);
        up.output_padding(behind)
    };
    let half = [height.div_ceil(2), width.div_ceil(2)];
    Network::from_graph(input, |g, x| {
        let x = g.conv2d(x, down(16).name("encoder.0"));
        let x = g.relu(x);
        let x = g.conv2d(x, down(32).name("encoder.2"));
        let x = g.relu(x);
        let image = g.shape(x).clone();
        let x = g.flatten(x);
        let code = g.linear(x, Linear::new(code).name("encoder.5"));

        let x = g.linear(code, Linear::new(image.elements()).name("decoder.0"));
        let x = g.relu(x);
        let x = g.reshape(x, image);
        let x = g.conv_transpose2d(x, up(16, half).name("decoder.3"));
        let x = g.relu(x);
        g.conv_transpose2d(x, up(channels, [height, width]).name("decoder.5"))
    })
}
