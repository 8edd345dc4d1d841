//! What is saved is loaded again; what does not fit is told.

use half::{bf16, f16};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use wgrad::Error;
use wgrad::checkpoint::{CheckpointError, LoadOptions};
use wgrad::graph::Network;
use wgrad::train::{Adam, Model, Trainer};

use super::setup::{Folder, assert_same, bits, digits, numbers, scrambled, tensor, varied};
use crate::gpu::device;

#[test]
fn saved_weights_are_loaded_bit_by_bit() {
    let Some(device) = device() else { return };
    let folder = Folder::new("weights");
    let file = folder.file("model.safetensors");
    let saved = scrambled(device);
    saved.save(&file).unwrap();
    let mut loaded = varied().build(device, 2).unwrap();
    let report = loaded.load(&file).unwrap();
    assert!(report.is_complete());
    assert_eq!(report.loaded.len(), saved.parameters().len());
    assert_same(&loaded, &saved);
    // What is loaded is what is computed with.
    let data = digits(3);
    let answer = |model: &Model| model.predict(&data.image(2).unwrap()).unwrap();
    assert_eq!(
        bits(answer(&loaded).values()),
        bits(answer(&saved).values())
    );
}

#[test]
fn a_file_has_pytorchs_names_shapes_and_order() {
    let Some(device) = device() else { return };
    let folder = Folder::new("order");
    let path = folder.file("model.safetensors");
    let model = scrambled(device);
    model.save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut names = file.names();
    names.sort_unstable();
    let expected = [
        "bn1.bias",
        "bn1.running_mean",
        "bn1.running_var",
        "bn1.weight",
        "bn2.bias",
        "bn2.running_mean",
        "bn2.running_var",
        "bn2.weight",
        "conv1.bias",
        "conv1.weight",
        "conv2.bias",
        "conv2.weight",
        "linear1.bias",
        "linear1.weight",
        "prelu1.weight",
    ];
    assert_eq!(names, expected);
    assert_eq!(file.tensor("conv2.weight").unwrap().shape(), [7, 6, 3, 3]);
    assert_eq!(
        file.tensor("linear1.weight").unwrap().shape(),
        [10, 7 * 2 * 2]
    );
    for p in model.parameters() {
        assert_eq!(
            bits(&tensor(&file, &p.name)),
            bits(&model.parameter(&p.name).unwrap())
        );
    }
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let facts = &header.metadata().as_ref().unwrap()["wgrad"];
    assert!(
        facts.contains(&format!("version={}", env!("CARGO_PKG_VERSION"))),
        "{facts}"
    );
    // Equal weights, equal bytes.
    let again = pollster::block_on(model.to_safetensors_async()).unwrap();
    assert_eq!(again, bytes);
}

#[test]
fn a_trained_model_is_the_same_after_loading() {
    let Some(device) = device() else { return };
    let folder = Folder::new("trained");
    let path = folder.file("model.safetensors");
    let data = digits(60);
    let mut model = varied().build(device, 1).unwrap();
    let trainer = Trainer::new(Adam::new(0.01))
        .epochs(2)
        .batch_size(20)
        .progress(false);
    trainer.fit(&mut model, &data, &data).unwrap();
    model.save(&path).unwrap();
    let mut loaded = varied().build(device, 5).unwrap();
    loaded.load(&path).unwrap();
    let [found, expected] = [&loaded, &model].map(|m| m.evaluate(&data).unwrap());
    assert_eq!(found.loss.to_bits(), expected.loss.to_bits());
    assert_eq!(found.accuracy, expected.accuracy);
}

/// A linear layer of two inputs, and a file of these tensors for it.
fn small() -> Network {
    let mut net = Network::input(2);
    net.linear(3);
    net
}

type Given<'a> = (&'a str, Dtype, &'a [usize], Vec<u8>);

fn file(tensors: &[Given<'_>]) -> Vec<u8> {
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        (
            *name,
            TensorView::new(*dtype, shape.to_vec(), bytes).unwrap(),
        )
    });
    serialize(views, None).unwrap()
}

fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

#[test]
fn numbers_of_other_types_become_f32() {
    let Some(device) = device() else { return };
    let values = numbers(6, 9);
    let f64s = values
        .iter()
        .flat_map(|v| (f64::from(*v) + 1e-12).to_le_bytes())
        .collect();
    let f16s = values
        .iter()
        .flat_map(|v| f16::from_f32(*v).to_le_bytes())
        .collect();
    let bf16s = values
        .iter()
        .flat_map(|v| bf16::from_f32(*v).to_le_bytes())
        .collect();
    type Case = (Dtype, Vec<u8>, fn(f32) -> f32);
    let cases: [Case; 3] = [
        (Dtype::F64, f64s, |v| v),
        (Dtype::F16, f16s, |v| f16::from_f32(v).to_f32()),
        (Dtype::BF16, bf16s, |v| bf16::from_f32(v).to_f32()),
    ];
    for (dtype, bytes, expected) in cases {
        let bytes = file(&[
            ("linear1.weight", dtype, &[3, 2], bytes),
            ("linear1.bias", Dtype::F32, &[3], f32s(&[1.0, 2.0, 3.0])),
        ]);
        let mut model = small().build(device, 0).unwrap();
        model.load_safetensors(&bytes, &LoadOptions::new()).unwrap();
        let expected: Vec<f32> = values.iter().map(|v| expected(*v)).collect();
        assert_eq!(
            model.parameter("linear1.weight").unwrap(),
            expected,
            "{dtype:?}"
        );
        assert_eq!(model.parameter("linear1.bias").unwrap(), [1.0, 2.0, 3.0]);
    }
}

/// A file with one tensor that fits, one of a wrong shape, one too many; one is missing.
fn ill_fitting() -> (Network, Vec<u8>) {
    let mut net = Network::input(2);
    net.linear(3).linear(1);
    let bytes = file(&[
        ("linear1.weight", Dtype::F32, &[3, 2], f32s(&numbers(6, 1))),
        ("linear1.bias", Dtype::I32, &[3], f32s(&[0.0; 3])),
        ("linear2.weight", Dtype::F32, &[3, 1], f32s(&[0.0; 3])),
        ("linear3.weight", Dtype::F32, &[1], f32s(&[0.0])),
    ]);
    (net, bytes)
}

#[test]
fn a_file_that_does_not_fit_is_refused_whole() {
    let Some(device) = device() else { return };
    let (net, bytes) = ill_fitting();
    let mut model = net.build(device, 0).unwrap();
    let before = model.parameter("linear1.weight").unwrap();
    let error = model
        .load_safetensors(&bytes, &LoadOptions::new())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the buffer does not fit the network: missing: linear2.bias; \
         unexpected: linear3.weight; \
         misshapen: linear1.bias (I32 is not floating-point), \
         linear2.weight ([3, 1] in place of [1, 3])"
    );
    assert!(matches!(
        error,
        Error::Checkpoint(CheckpointError::Misfit { .. })
    ));
    assert_eq!(model.parameter("linear1.weight").unwrap(), before);
}

#[test]
fn without_strictness_what_fits_is_loaded() {
    let Some(device) = device() else { return };
    let (net, bytes) = ill_fitting();
    let mut model = net.build(device, 0).unwrap();
    let kept = model.parameter("linear2.weight").unwrap();
    let options = LoadOptions::new().strict(false);
    let report = model.load_safetensors(&bytes, &options).unwrap();
    assert_eq!(report.loaded, ["linear1.weight"]);
    assert_eq!(report.missing, ["linear2.bias"]);
    assert_eq!(report.unexpected, ["linear3.weight"]);
    assert_eq!(report.misfits.len(), 2);
    assert_eq!(model.parameter("linear1.weight").unwrap(), numbers(6, 1));
    assert_eq!(model.parameter("linear2.weight").unwrap(), kept);
}

#[test]
fn foreign_names_are_mapped_and_counters_ignored() {
    let Some(device) = device() else { return };
    let bytes = file(&[
        (
            "module.fc.weight",
            Dtype::F32,
            &[3, 2],
            f32s(&numbers(6, 1)),
        ),
        ("module.fc.bias", Dtype::F32, &[3], f32s(&numbers(3, 2))),
        ("module.bn.num_batches_tracked", Dtype::I64, &[], vec![0; 8]),
        ("optimizer.state", Dtype::F32, &[1], f32s(&[0.0])),
    ]);
    let mut model = small().build(device, 0).unwrap();
    let rename = |name: &str| Some(name.strip_prefix("module.")?.replace("fc", "linear1"));
    let options = LoadOptions::new().rename(rename);
    let report = model.load_safetensors(&bytes, &options).unwrap();
    assert_eq!(report.to_string(), "all 2 parameters are there");
    assert_eq!(model.parameter("linear1.weight").unwrap(), numbers(6, 1));
    assert_eq!(model.parameter("linear1.bias").unwrap(), numbers(3, 2));

    let options = LoadOptions::new().rename(|_| Some("linear1.bias".to_owned()));
    let error = model.load_safetensors(&bytes, &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the buffer: both `module.bn.num_batches_tracked` and `module.fc.bias` would be \
         `linear1.bias`"
    );
}
