//! Parameters go in and out in PyTorch's shapes and order, whatever their order on the device.

use wgrad::data::Sample;
use wgrad::graph::Network;
use wgrad::train::Model;

use super::{assert_close, gpu, numbers};

/// Sets every parameter to numbers of its own and reads all of them back.
fn round_trip(model: &mut Model) {
    let all: Vec<(String, usize)> = model
        .parameters()
        .iter()
        .map(|p| (p.name.clone(), p.shape.iter().product()))
        .collect();
    let values = |i: usize| numbers(all[i].1, i as u32);
    for (i, (name, _)) in all.iter().enumerate() {
        model.set_parameter(name, &values(i)).unwrap();
    }
    for (i, (name, _)) in all.iter().enumerate() {
        assert_eq!(model.parameter(name).unwrap(), values(i), "{name}");
    }
}

#[test]
fn every_layout_comes_back_as_it_was_set() {
    let Some(device) = gpu::device() else { return };
    let mut net = Network::input([3, 9, 11]);
    net.conv(5, [2, 3])
        .prelu()
        .conv(10, 3)
        .groups(5)
        .batch_norm()
        .conv(10, 3)
        .groups(10)
        .shared_prelu()
        .conv(4, 1)
        .linear(7)
        .prelu()
        .linear(1);
    let mut model = net.build(device, 1).unwrap();
    let shape = |name: &str| {
        let found = model.parameters().iter().find(|p| p.name == name);
        found.unwrap().shape.to_vec()
    };
    assert_eq!(shape("conv1.weight"), [5, 3, 2, 3]);
    assert_eq!(shape("conv2.weight"), [10, 1, 3, 3]);
    assert_eq!(shape("conv3.weight"), [10, 1, 3, 3]);
    assert_eq!(shape("linear1.weight"), [7, 4 * 4 * 5]);
    assert_eq!(shape("prelu2.weight"), [1]);
    round_trip(&mut model);
}

/// `y[o,i,j] = Σ w[o,c,u,v] · x[g·C/G + c, i+u, j+v]`, all in row order.
fn convolve(
    x: &[f32],
    [channels, height, width]: [usize; 3],
    w: &[f32],
    [outputs, inputs, kh, kw]: [usize; 4],
) -> Vec<f64> {
    let groups = channels / inputs;
    let mut y = Vec::new();
    for o in 0..outputs {
        let first = o / (outputs / groups) * inputs;
        for i in 0..=height - kh {
            for j in 0..=width - kw {
                let mut sum = 0.0;
                for (k, weight) in w[o * inputs * kh * kw..][..inputs * kh * kw]
                    .iter()
                    .enumerate()
                {
                    let (c, u, v) = (k / (kh * kw), k / kw % kh, k % kw);
                    let place = ((first + c) * height + i + u) * width + j + v;
                    sum += f64::from(*weight) * f64::from(x[place]);
                }
                y.push(sum);
            }
        }
    }
    y
}

fn respond(model: &Model, x: &[f32]) -> Vec<f32> {
    model.predict_batch(x).unwrap()[0].values().to_vec()
}

#[test]
fn filters_mean_what_they_mean_in_pytorch() {
    let Some(device) = gpu::device() else { return };
    // Dense, grouped, depthwise, depthwise with two filters a channel.
    for (channels, outputs, groups) in [(3, 5, 1), (9, 6, 3), (5, 5, 5), (5, 10, 5)] {
        let size = [channels, 6, 7];
        let mut net = Network::input(size);
        net.conv(outputs, [2, 3]).groups(groups).bias(false);
        let mut model = net.build(device, 1).unwrap();
        let shape = [outputs, channels / groups, 2, 3];
        let weight = numbers(shape.iter().product(), 1);
        model.set_parameter("conv1.weight", &weight).unwrap();
        let x = numbers(channels * 6 * 7, 2);
        let expected = convolve(&x, size, &weight, shape);
        let what = format!("{channels} to {outputs} channels in {groups} groups");
        assert_close(&what, &respond(&model, &x), &expected);
    }
}

/// A flattened image is stored channels last; its linear weights must follow.
#[test]
fn a_linear_layer_sees_a_flattened_image_in_pytorchs_order() {
    let Some(device) = gpu::device() else { return };
    let mut net = Network::input([5, 3, 4]);
    net.linear(6);
    let mut model = net.build(device, 1).unwrap();
    let (weight, bias) = (numbers(6 * 60, 1), numbers(6, 2));
    model.set_parameter("linear1.weight", &weight).unwrap();
    model.set_parameter("linear1.bias", &bias).unwrap();
    let x = numbers(60, 3);
    let row = |(w, b): (&[f32], &f32)| {
        let products = w.iter().zip(&x).map(|(w, x)| f64::from(*w) * f64::from(*x));
        f64::from(*b) + products.sum::<f64>()
    };
    let expected: Vec<f64> = weight.chunks(60).zip(&bias).map(row).collect();
    assert_close("y", &respond(&model, &x), &expected);
}

#[test]
fn a_reshape_keeps_pytorchs_order() {
    let Some(device) = gpu::device() else { return };
    let mut net = Network::input([6, 4, 5]);
    net.reshape([5, 8, 3]).conv(3, 2).bias(false);
    let mut model = net.build(device, 1).unwrap();
    let weight = numbers(3 * 5 * 4, 1);
    model.set_parameter("conv1.weight", &weight).unwrap();
    let x = numbers(120, 2);
    let expected = convolve(&x, [5, 8, 3], &weight, [3, 5, 2, 2]);
    assert_close("y", &respond(&model, &x), &expected);
}

#[test]
fn running_statistics_can_be_set() {
    let Some(device) = gpu::device() else { return };
    let mut net = Network::input([3, 1, 2]);
    net.batch_norm();
    let mut model = net.build(device, 1).unwrap();
    for (name, values) in [
        ("bn1.weight", [2.0, 1.0, -1.0]),
        ("bn1.bias", [0.5, 0.0, 1.0]),
        ("bn1.running_mean", [1.0, -1.0, 0.0]),
        ("bn1.running_var", [4.0, 0.25, 1.0]),
    ] {
        model.set_parameter(name, &values).unwrap();
    }
    let found = respond(&model, &[3.0, 1.0, -1.0, 0.0, 2.0, -2.0]);
    let y = |x: f64, mean: f64, variance: f64| (x - mean) / (variance + 1e-5).sqrt();
    let expected = [
        2.0 * y(3.0, 1.0, 4.0) + 0.5,
        2.0 * y(1.0, 1.0, 4.0) + 0.5,
        y(-1.0, -1.0, 0.25),
        y(0.0, -1.0, 0.25),
        1.0 - y(2.0, 0.0, 1.0),
        1.0 - y(-2.0, 0.0, 1.0),
    ];
    assert_close("y", &found, &expected);
}

#[test]
fn a_sample_of_a_data_set_is_predicted_as_its_values_are() {
    let Some(device) = gpu::device() else { return };
    let mut net = Network::input([1, 8, 8]);
    net.conv(3, 3).prelu().linear(10);
    let model = net.build(device, 1).unwrap();
    let digits = wgrad::data::digits();
    let image: Sample = digits.image(17).unwrap();
    let answer = model.predict(&image).unwrap();
    assert_eq!(answer.values(), respond(&model, image.values()));
}
