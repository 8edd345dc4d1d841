//! The responses of networks in evaluation against torchvision's, with the same weights: that every
//! layer is there, in its place and with its attributes.

use wgrad::graph::Parameter;
use wgrad::models;
use wgrad::random::Seed;

use crate::gpu::device;

/// Network, rows and columns of the image, five logits: made by `tests/golden/make_models.py`.
const RESPONSES: &str = include_str!("../golden/model_responses.txt");

/// Of the distance of all logits together. PyTorch's own f32 ends within 1e-6 of these numbers.
const TOLERANCE: f64 = 1e-5;

/// `values` of the script: numbers in [-1, 1) from the name and the index alone.
fn values(name: &str, count: usize) -> impl Iterator<Item = f64> {
    let seed = name.bytes().fold(2_166_136_261_u32, |seed, byte| {
        (seed ^ u32::from(byte)).wrapping_mul(16_777_619)
    });
    (0..count as u32).map(move |index| {
        let mut x = index.wrapping_add(seed).wrapping_mul(2_654_435_761);
        x ^= x >> 16;
        x = x.wrapping_mul(2_246_822_519);
        x ^= x >> 13;
        f64::from(x >> 8) / f64::from(1 << 23) - 1.0
    })
}

/// `fill` of the script.
fn fill(parameter: &Parameter) -> Vec<f32> {
    let (name, shape) = (&parameter.name, &parameter.shape);
    let (offset, scale) = match shape.len() {
        2.. => {
            let fan_in: usize = shape[1..].iter().product();
            (0.0, (6.0 / fan_in as f64).sqrt())
        }
        _ if name.ends_with("running_var") => (1.0, 0.5),
        _ if name.ends_with("weight") => (1.0, 0.25),
        _ => (0.0, 0.25),
    };
    let values = values(name, shape.elements());
    values.map(|x| (offset + scale * x) as f32).collect()
}

fn check(name: &str, tolerance: f64) {
    let Some(device) = device() else { return };
    let begins = |line: &&str| line.split(' ').next() == Some(name);
    let line = RESPONSES.lines().find(begins).unwrap();
    let numbers: Vec<&str> = line.split(' ').skip(1).collect();
    let size: usize = numbers[0].parse().unwrap();
    let expected: Vec<f64> = numbers[1..].iter().map(|n| n.parse().unwrap()).collect();

    let net = models::by_name(name, [3, size, size], 5).unwrap();
    let mut model = net.build(device, Seed(1)).unwrap();
    for parameter in model.parameters().to_vec() {
        let values = fill(&parameter);
        model.set_parameter(&parameter.name, &values).unwrap();
    }
    let image: Vec<f32> = values("image", 3 * size * size).map(|x| x as f32).collect();
    let answers = model.predict_batch(&image).unwrap();
    let found = answers[0].values();
    assert_eq!(found.len(), 5);

    let norm = |values: &[f64]| values.iter().map(|x| x * x).sum::<f64>().sqrt();
    let differences: Vec<f64> = found
        .iter()
        .zip(&expected)
        .map(|(found, expected)| f64::from(*found) - expected)
        .collect();
    let error = norm(&differences) / norm(&expected);
    assert!(error <= tolerance, "{error:e}: {found:?}, {expected:?}");
}

#[test]
fn resnet18() {
    check("resnet18", TOLERANCE);
}

#[test]
fn mobilenet_v2() {
    // With these weights, rounding grows: PyTorch in f32 is 9e-6 away.
    check("mobilenet_v2", 1e-4);
}

#[test]
fn squeezenet1_1() {
    check("squeezenet1_1", TOLERANCE);
}

#[test]
#[ignore = "deeper networks of the same families: `cargo test --test models -- --ignored`"]
fn deeper_ones() {
    for name in ["resnet34", "resnet50", "squeezenet1_0"] {
        check(name, TOLERANCE);
    }
}

#[test]
#[ignore = "takes a minute or two: `cargo test --test models -- --ignored`"]
fn those_with_large_linear_layers() {
    let names = "alexnet vgg11 vgg13 vgg16 vgg11_bn vgg13_bn vgg16_bn";
    for name in names.split(' ') {
        check(name, TOLERANCE);
    }
}
