//! A ResNet with torchvision's names: PyTorch's file gives PyTorch's answers here, and what is
//! saved here is PyTorch's file again. `check_torch.py` has the last word where there is Python.

use safetensors::SafeTensors;
use wgrad::data::Dataset;
use wgrad::graph::{Graph, Network, Var};
use wgrad::ops::{BatchNorm, Conv2d, Linear, MaxPool2d};
use wgrad::train::{Model, Sgd, Trainer};

use super::setup::{bits, tensor};
use crate::gpu::device;

const WEIGHTS: &[u8] = include_bytes!("../golden/resnet_slim.safetensors");
const ANSWERS: &[u8] = include_bytes!("../golden/resnet_slim_answers.safetensors");

/// Convolution without bias, and normalisation.
fn conv(g: &mut Graph, x: Var, conv: Conv2d, names: [&str; 2]) -> Var {
    let x = g.conv2d(x, conv.bias(false).name(names[0]));
    g.batch_norm(x, BatchNorm::new().name(names[1]))
}

fn block(g: &mut Graph, x: Var, channels: usize, stride: usize) -> Var {
    let first = Conv2d::new(channels, 3).stride(stride).padding(1);
    let y = conv(g, x, first, ["conv1", "bn1"]);
    let y = g.relu(y);
    let y = conv(g, y, Conv2d::new(channels, 3).padding(1), ["conv2", "bn2"]);
    let shortcut = match stride == 1 && g.shape(x)[0] == channels {
        true => x,
        false => {
            let projection = Conv2d::new(channels, 1).stride(stride);
            conv(g, x, projection, ["downsample.0", "downsample.1"])
        }
    };
    let sum = g.add(y, shortcut);
    g.relu(sum)
}

pub fn network() -> Network {
    Network::from_graph([3, 32, 32], |g, x| {
        let stem = Conv2d::new(8, 7).stride(2).padding(3);
        let x = conv(g, x, stem, ["conv1", "bn1"]);
        let x = g.relu(x);
        let mut x = g.max_pool2d(x, MaxPool2d::new(3).stride(2).padding(1));
        for (i, channels) in [8, 12, 16, 20].into_iter().enumerate() {
            for number in 0..2 {
                let stride = if i > 0 && number == 0 { 2 } else { 1 };
                let scope = format!("layer{}.{number}", i + 1);
                x = g.scope(&scope, |g| block(g, x, channels, stride));
            }
        }
        let features = g.global_mean_pool(x);
        g.linear(features, Linear::new(10).name("fc"))
    })
}

fn answers(model: &Model, inputs: &[f32]) -> Vec<f32> {
    let predictions = model.predict_batch(inputs).unwrap();
    predictions
        .iter()
        .flat_map(|p| p.values().to_vec())
        .collect()
}

#[test]
fn pytorchs_weights_give_pytorchs_answers() {
    let Some(device) = device() else { return };
    let file = SafeTensors::deserialize(ANSWERS).unwrap();
    let (inputs, logits) = (tensor(&file, "inputs"), tensor(&file, "logits"));
    let mut model = network().build(device, 1).unwrap();
    let report = model
        .load_safetensors(WEIGHTS, &Default::default())
        .unwrap();
    assert_eq!(report.loaded.len(), 102, "{report}");
    let found = answers(&model, &inputs);
    let largest = logits.iter().fold(0.0_f32, |m, l| m.max(l.abs()));
    for (i, (found, expected)) in found.iter().zip(&logits).enumerate() {
        let error = (found - expected).abs();
        assert!(
            error <= 1e-4 * largest,
            "logit {i} is {found}, PyTorch's {expected}"
        );
    }
    assert_eq!(found.len(), logits.len());
}

#[test]
fn what_is_saved_is_pytorchs_file_again() {
    let Some(device) = device() else { return };
    let mut model = network().build(device, 1).unwrap();
    model
        .load_safetensors(WEIGHTS, &Default::default())
        .unwrap();
    let bytes = pollster::block_on(model.to_safetensors_async()).unwrap();
    let expected = SafeTensors::deserialize(WEIGHTS).unwrap();
    let found = SafeTensors::deserialize(&bytes).unwrap();
    let mut names = expected.names();
    names.retain(|name| !name.ends_with("num_batches_tracked"));
    assert_eq!(found.len(), names.len());
    for name in names {
        let (found, expected) = (found.tensor(name).unwrap(), expected.tensor(name).unwrap());
        assert_eq!(found.dtype(), expected.dtype(), "{name}");
        assert_eq!(found.shape(), expected.shape(), "{name}");
        assert!(found.data() == expected.data(), "{name}");
    }
}

/// For `check_torch.py`: writes a model that was trained here, with its answers.
#[test]
fn a_resnet_trained_here_is_written_for_pytorch() {
    let Some(device) = device() else { return };
    let file = SafeTensors::deserialize(ANSWERS).unwrap();
    let inputs = tensor(&file, "inputs");
    let data = Dataset::from_f32([3, 32, 32], inputs.clone(), vec![0, 1, 2, 3], 10).unwrap();
    let mut model = network().build(device, 1).unwrap();
    model
        .load_safetensors(WEIGHTS, &Default::default())
        .unwrap();
    let before = answers(&model, &inputs);
    let trainer = Trainer::new(Sgd::new(0.01))
        .batch_size(4)
        .epochs(3)
        .progress(false);
    trainer.fit(&mut model, &data, &data).unwrap();
    let after = answers(&model, &inputs);
    assert_ne!(bits(&after), bits(&before));
    let Some(folder) = std::env::var_os(super::setup::WRITE) else {
        return;
    };
    let folder = std::path::Path::new(&folder);
    model.save(folder.join("trained.safetensors")).unwrap();
    let tensors = [
        ("inputs", &[4, 3, 32, 32][..], inputs),
        ("logits", &[4, 10], after),
    ];
    super::setup::write(&folder.join("trained_answers.safetensors"), &tensors);
}
