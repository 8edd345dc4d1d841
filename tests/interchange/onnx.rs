//! Exported networks compute in onnxruntime what they compute here.
//!
//! onnxruntime ran when `tests/golden/onnx.safetensors` was made, see `check_onnx.py`; here the
//! exported file is compared by its checksum, and the answers with those that onnxruntime gave.

use std::collections::BTreeSet;
use std::path::Path;

use safetensors::SafeTensors;
use wgrad::Error;
use wgrad::graph::{Graph, Network, Var};
use wgrad::onnx::describe;
use wgrad::ops::registry::OPERATORS;
use wgrad::ops::{
    Celu, Conv2d, ConvTranspose2d, Elu, Gelu, GroupNorm, InstanceNorm, LayerNorm, LeakyRelu,
    Linear, LocalResponseNorm, MaxPool2d, MeanPool2d, Padding, Prelu, Rrelu, Slice, Softplus,
    Upsample, ZeroPad,
};

use super::setup::{WRITE, numbers, scramble, tensor, varied, write};
use super::{resnet, setup};
use crate::gpu::device;

const GOLDEN: &str = "tests/golden/onnx.safetensors";

/// Samples that each network answers.
const BATCH: usize = 3;

/// Operators of the registry that no evaluation of a network contains.
const LOSSES: &[&str] = &["mse", "softmax_cross_entropy"];

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
        let b = g.conv2d(x, Conv2d::new(6, 1));
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

fn networks() -> Vec<(String, Network)> {
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

/// The checksum of a model file without the version of the crate that wrote it.
fn checksum(file: &[u8]) -> u32 {
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    // Field 3 of the model, a text.
    let field = [&[0x1a, version.len() as u8], version].concat();
    let at = file.windows(field.len()).position(|w| w == field).unwrap();
    crc32fast::hash(&[&file[..at], &file[at + field.len()..]].concat())
}

fn compare(
    name: &str,
    golden: &SafeTensors<'_>,
    checksum: u32,
    output: &[f32],
) -> Result<(), String> {
    let missing = |_| format!("{name}: {GOLDEN} does not have it");
    let kept = golden
        .tensor(&format!("{name}.checksum"))
        .map_err(missing)?;
    if kept.data() != checksum.to_le_bytes() {
        return Err(format!("{name}: the exported file is another one"));
    }
    let expected = tensor(golden, &format!("{name}.output"));
    let largest = expected.iter().fold(0.0_f32, |m, e| m.max(e.abs()));
    let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-4 * largest;
    match output.len() == expected.len() && output.iter().zip(&expected).all(close) {
        true => Ok(()),
        false => Err(format!("{name}: the answers are not onnxruntime's")),
    }
}

#[test]
fn onnxruntime_computes_what_is_computed_here() {
    let Some(device) = device() else { return };
    let folder = std::env::var_os(WRITE);
    let golden = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN));
    let golden = golden.unwrap_or_default();
    let mut failures = Vec::new();
    for (name, net) in networks() {
        let mut model = net.build(device, 1).unwrap();
        scramble(&mut model);
        let shape = model.input_shape().to_vec();
        let input = numbers(BATCH * model.input_shape().elements(), 77);
        let answers = model.predict_batch(&input).unwrap();
        let output: Vec<f32> = answers.iter().flat_map(|a| a.values().to_vec()).collect();
        let file = pollster::block_on(model.to_onnx_async()).unwrap();
        if let Some(folder) = &folder {
            let folder = Path::new(folder);
            model
                .export_onnx(folder.join(format!("{name}.onnx")))
                .unwrap();
            let batched = |shape: &[usize]| [&[BATCH], shape].concat();
            let tensors = [
                ("input", &batched(&shape)[..], input),
                ("output", &batched(model.output_shape())[..], output),
                // Any four bytes will do.
                ("checksum", &[1], vec![f32::from_bits(checksum(&file))]),
            ];
            write(&folder.join(format!("{name}.safetensors")), &tensors);
            continue;
        }
        let golden = SafeTensors::deserialize(&golden).unwrap();
        failures.extend(compare(&name, &golden, checksum(&file), &output).err());
    }
    assert!(
        failures.is_empty(),
        "{}\n(after a change of the export, run tests/interchange/check_onnx.py --write)",
        failures.join("\n")
    );
}

/// No operator without its form. A new one needs `Operator::onnx` and a place in a network above.
#[test]
fn every_operator_is_exported() {
    let mut exported = BTreeSet::new();
    for (_, net) in networks() {
        let (graph, input, output) = net.graph().unwrap();
        describe(&graph, input, output).unwrap();
        exported.extend(graph.nodes().iter().map(|node| node.operator.name()));
    }
    let missing: Vec<&str> = OPERATORS
        .iter()
        .map(|entry| entry.stem)
        .filter(|stem| !LOSSES.contains(stem) && !exported.contains(stem))
        .collect();
    assert!(missing.is_empty(), "no network here exports {missing:?}");
}

#[test]
fn a_layer_without_a_form_is_named() {
    let net = Network::from_graph([4, 8, 8], |g, x| {
        let x = g.conv2d(x, Conv2d::new(4, 3).name("first"));
        g.scope("head", |g| g.apply("odd", Odd, &[x]))
    });
    let (graph, input, output) = net.graph().unwrap();
    let error = describe(&graph, input, output).unwrap_err();
    assert!(
        matches!(&error, Error::Layer { layer, .. } if layer == "odd"),
        "{error}"
    );
    assert_eq!(error.to_string(), "layer `odd` (odd): odd has no ONNX form");
    let device = device().map(|device| (device, setup::Folder::new("odd")));
    if let Some((device, folder)) = device {
        let file = folder.file("odd.onnx");
        let error = net
            .build(device, 0)
            .unwrap()
            .export_onnx(&file)
            .unwrap_err();
        assert!(matches!(error, Error::Layer { .. }), "{error}");
        assert!(!file.exists());
    }
}

/// An operator from outside the crate.
#[derive(Debug)]
struct Odd;

impl wgrad::ops::Operator for Odd {
    fn name(&self) -> &'static str {
        "odd"
    }

    fn infer(
        &self,
        inputs: &[&wgrad::graph::ValueType],
    ) -> Result<Vec<wgrad::graph::ValueType>, String> {
        Ok(vec![inputs[0].clone()])
    }

    fn lower(&self, _: &mut wgrad::plan::Lowering<'_>) -> Result<(), String> {
        Err("never".to_owned())
    }
}

/// Names that collide are told apart, a parameter that is used twice is stored once.
#[test]
fn names_are_unique() {
    let net = Network::from_graph([4], |g, x| {
        let input = g.apply("input", wgrad::ops::relu::Relu, &[x]);
        let again = g.apply("input", wgrad::ops::relu::Relu, &[input]);
        g.linear(again, Linear::new(2).name("output"))
    });
    let (graph, input, output) = net.graph().unwrap();
    let description = describe(&graph, input, output).unwrap();
    let outputs: Vec<&str> = description
        .nodes
        .iter()
        .map(|n| n.output.as_str())
        .collect();
    assert_eq!(outputs, ["input_2", "input_3", "output"]);
    let parameters: Vec<&str> = description.parameters.keys().map(String::as_str).collect();
    assert_eq!(parameters, ["output.bias", "output.weight"]);
}
