//! Networks that together have every operator with a form in ONNX.

use wgrad::graph::{Graph, Network, Var};
use wgrad::ops::{
    Celu, Conv2d, ConvTranspose2d, Elu, Gelu, GroupNorm, InstanceNorm, LayerNorm, LeakyRelu,
    Linear, LocalResponseNorm, MaxPool2d, MeanPool2d, Padding, Prelu, Rrelu, Slice, Softplus,
    Upsample, ZeroPad,
};

use super::resnet;
use super::setup::varied;

fn grouped() -> Network {
    let mut net = Network::input([4, 11, 9]);
    net.conv(6, [3, 2])
        .groups(2)
        .stride([2, 1])
        .padding([1, 2])
        .leaky_relu(0.1)
        .conv(12, 3)
        .groups(6)
        .dilation(2)
        .padding(2)
        .bias(false)
        .batch_norm()
        .shared_prelu()
        .max_pool(2)
        .sigmoid()
        .linear(7)
        .batch_norm()
        .tanh()
        .linear(5)
        .bias(false);
    net
}

fn branches() -> Network {
    Network::from_graph([5, 8, 8], |g, x| {
        let a = g.conv2d(x, Conv2d::new(6, 3).padding(1));
        let a = g.prelu(a, Prelu::per_channel());
        let a = g.channel_dropout(a, 0.3);
        let b = g.conv2d(x, Conv2d::new(6, 1));
        let b = g.stochastic_depth(b, 0.2);
        let sum = g.add(a, b);
        let all = g.concat(&[sum, x, b]);
        let all = g.dropout(all, 0.5);
        let features = g.global_mean_pool(all);
        let hidden = g.linear(features, Linear::new(9));
        let hidden = g.prelu(hidden, Prelu::per_channel());
        let left = g.linear(hidden, Linear::new(4));
        let both = g.concat(&[left, hidden]);
        // The output is a view: of dropout nothing is left.
        g.dropout(both, 0.1)
    })
}

fn reshaped() -> Network {
    Network::from_graph(36, |g, x| {
        let image = g.reshape(x, [4, 3, 3]);
        let image = g.conv2d(image, Conv2d::new(6, 2));
        let image = g.leaky_relu(image, LeakyRelu::new(-0.2));
        let turned = g.reshape(image, [2, 6, 2]);
        let turned = g.prelu(turned, Prelu::per_channel());
        let flat = g.flatten(turned);
        let flat = g.prelu(flat, Prelu::shared());
        g.relu(flat)
    })
}

/// Every activation of one input, side by side.
fn activated() -> Network {
    Network::from_graph([3, 4, 3], |g, x| {
        // Far enough from 0 for what happens there.
        let x = g.conv2d(x, Conv2d::new(5, 3).padding(1));
        let all = [
            g.elu(x, Elu::new(0.7)),
            g.celu(x, Celu::new(0.6)),
            g.selu(x),
            g.softplus(x, Softplus::default()),
            g.softplus(x, Softplus::new(2.5)),
            g.silu(x),
            g.gelu(x, Gelu::new()),
            g.gelu(x, Gelu::tanh()),
            g.mish(x),
            g.relu6(x),
            g.hard_swish(x),
            g.hard_sigmoid(x),
            g.rrelu(x, Rrelu::new(0.1, 0.4)),
            g.softmax(x),
            g.log_softmax(x),
            g.scale_shift(x),
            g.multiply(x, x),
        ];
        g.concat(&all)
    })
}

/// Softmax, log-softmax, scale and shift of features.
fn classified() -> Network {
    let mut net = Network::input(6);
    net.linear(7)
        .scale_shift()
        .softmax()
        .linear(5)
        .log_softmax();
    net
}

/// Group, layer and instance normalisation, of images and features.
fn normalised() -> Network {
    Network::from_graph([6, 5, 4], |g, x| {
        let x = g.group_norm(x, GroupNorm::new(3));
        let x = g.relu(x);
        let x = g.instance_norm(x, InstanceNorm::new().epsilon(1e-3));
        let x = g.layer_norm(x, LayerNorm::new());
        let x = g.conv2d(x, Conv2d::new(4, 3));
        let x = g.flatten(x);
        let x = g.linear(x, Linear::new(8));
        let x = g.group_norm(x, GroupNorm::new(2).affine(false));
        g.layer_norm(x, LayerNorm::new())
    })
}

/// Local responses: windows of odd and even size, across and within channels, of features.
fn local_responses() -> Network {
    Network::from_graph([7, 4, 3], |g, x| {
        let strong = |size| LocalResponseNorm::new(size).alpha(0.9).k(1.5);
        let x = g.local_response_norm(x, strong(5));
        let x = g.local_response_norm(x, strong(4).beta(0.5));
        let x = g.local_response_norm(x, strong(3).within_channels());
        let x = g.local_response_norm(x, strong(2).within_channels());
        let x = g.global_mean_pool(x);
        g.local_response_norm(x, strong(3))
    })
}

/// Padding, slices and upsampling of images and features.
fn resampled() -> Network {
    Network::from_graph([3, 6, 5], |g, x| {
        let methods = [
            Upsample::nearest([2, 3]),
            Upsample::nearest_to([8, 4]),
            Upsample::bilinear(2),
            Upsample::bilinear_to([4, 7]),
            Upsample::bilinear_to([9, 7]).align_corners(true),
        ];
        let features = methods.map(|method| {
            let y = g.upsample(x, method);
            let y = g.zero_pad(y, ZeroPad::sides([1, 0], [0, 2]).channels(1, 0));
            let y = g.slice(y, Slice::new().channels(1..3).rows(..4).columns(1..=4));
            g.flatten(y)
        });
        let all = g.concat(&features);
        let all = g.slice(all, Slice::new().channels(5..));
        g.zero_pad(all, ZeroPad::new(0).channels(2, 3))
    })
}

/// Padding that differs by side.
fn one_sided() -> Network {
    Network::from_graph([3, 8, 7], |g, x| {
        let x = g.conv2d(x, Conv2d::new(4, [3, 4]).padding([[2, 0], [1, 3]]));
        let mean = MeanPool2d::new(3).stride(2).padding([[1, 0], [0, 1]]);
        let a = g.mean_pool2d(x, mean.ceil_mode(true));
        let b = g.mean_pool2d(x, mean.ceil_mode(true).count_include_pad(false));
        let max = MaxPool2d::new(3).stride(2).padding([[1, 0], [0, 1]]);
        let c = g.max_pool2d(x, max.ceil_mode(true));
        let all = g.concat(&[a, b, c]);
        g.conv2d(all, Conv2d::new(3, 4).stride(2).padding(Padding::Same))
    })
}

/// Bins that divide the image and bins that do not, one bin, and a pyramid.
fn binned() -> Network {
    Network::from_graph([3, 9, 8], |g, x| {
        let mean = g.adaptive_mean_pool2d(x, [3, 5]);
        let max = g.adaptive_max_pool2d(x, [3, 5]);
        let one = g.adaptive_mean_pool2d(x, 1);
        let largest = g.global_max_pool(x);
        let pyramid = g.spatial_pyramid_pool(x, &[4, 2, 1]);
        let [mean, max, one] = [mean, max, one].map(|y| {
            let flat = g.flatten(y);
            g.relayout(flat)
        });
        g.concat(&[mean, max, one, largest, pyramid])
    })
}

/// Transposed convolutions: strided, grouped, dilated, with added rows, `Same`.
fn transposed() -> Network {
    Network::from_graph([4, 4, 5], |g, x| {
        let first = ConvTranspose2d::new(6, 3)
            .stride(2)
            .padding(1)
            .output_padding(1);
        let x = g.conv_transpose2d(x, first);
        let second = ConvTranspose2d::new(4, [2, 3])
            .groups(2)
            .dilation(2)
            .bias(false);
        let x = g.conv_transpose2d(x, second);
        let third = ConvTranspose2d::new(3, 4).stride(2).padding(Padding::Same);
        let x = g.conv_transpose2d(x, third);
        g.conv_transpose2d(
            x,
            ConvTranspose2d::new(2, 2).stride(3).padding(Padding::Same),
        )
    })
}

/// One pooling over odd sizes.
fn pooled(pool: impl FnOnce(&mut Graph, Var) -> Var) -> Network {
    Network::from_graph([3, 8, 7], pool)
}

/// Every network that is exported, with the name of its files.
pub fn networks() -> Vec<(String, Network)> {
    let mut networks = vec![
        ("activated".to_owned(), activated()),
        ("binned".to_owned(), binned()),
        ("branches".to_owned(), branches()),
        ("classified".to_owned(), classified()),
        ("grouped".to_owned(), grouped()),
        ("local_responses".to_owned(), local_responses()),
        ("normalised".to_owned(), normalised()),
        ("one_sided".to_owned(), one_sided()),
        ("resampled".to_owned(), resampled()),
        ("reshaped".to_owned(), reshaped()),
        ("resnet".to_owned(), resnet::network()),
        ("transposed".to_owned(), transposed()),
        ("varied".to_owned(), varied()),
    ];
    // Windows that end in the image, in its padding, and behind that.
    for (kernel, stride, padding) in [(2, 2, 0), (3, 2, 1), (2, 3, 1), (4, 3, 2), (3, 3, 0)] {
        for ceil in [false, true] {
            let name = format!(
                "{kernel}_{stride}_{padding}_{}",
                if ceil { "up" } else { "down" }
            );
            let max = MaxPool2d::new(kernel)
                .stride(stride)
                .padding(padding)
                .ceil_mode(ceil);
            let net = pooled(|g, x| g.max_pool2d(x, max));
            networks.push((format!("max_pool_{name}"), net));
            for counts in [false, true] {
                let mean = MeanPool2d::new(kernel).stride(stride).padding(padding);
                let mean = mean.ceil_mode(ceil).count_include_pad(counts);
                let net = pooled(|g, x| g.mean_pool2d(x, mean));
                let kind = if counts { "with" } else { "without" };
                networks.push((format!("mean_pool_{name}_{kind}_padding"), net));
            }
        }
    }
    networks
}
