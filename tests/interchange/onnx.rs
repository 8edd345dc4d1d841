//! Exported networks compute in onnxruntime what they compute here.
//!
//! onnxruntime ran when `tests/golden/onnx.safetensors` was made, see `check_onnx.py`; here the
//! exported file is compared by its checksum, and the answers with those that onnxruntime gave.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use safetensors::SafeTensors;
use wgrad::Error;
use wgrad::graph::Network;
use wgrad::models;
use wgrad::onnx::describe;
use wgrad::ops::registry::{LOSSES, OPERATORS};
use wgrad::ops::{Conv2d, Linear};
use wgrad::train::Model;

use super::networks::networks;
use super::setup::{Folder, WRITE, numbers, scramble, tensor, write};
use crate::gpu::device;

const GOLDEN: &str = "tests/golden/onnx.safetensors";

/// Samples that each network answers.
const BATCH: usize = 3;

/// The checksum of a model file without the version of the crate that wrote it.
fn checksum(file: &[u8]) -> u32 {
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    // Field 3 of the model, a text.
    let field = [&[0x1a, version.len() as u8], version].concat();
    let at = file.windows(field.len()).position(|w| w == field).unwrap();
    let mut crc = flate2::Crc::new();
    crc.update(&file[..at]);
    crc.update(&file[at + field.len()..]);
    crc.sum()
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

/// What `check_onnx.py` reads.
fn write_pair(
    folder: &Path,
    name: &str,
    model: &Model,
    file: &[u8],
    input: Vec<f32>,
    output: Vec<f32>,
) {
    let batched = |shape: &[usize]| [&[BATCH], shape].concat();
    let tensors = [
        ("input", &batched(model.input_shape())[..], input),
        ("output", &batched(model.output_shape())[..], output),
        // Any four bytes will do.
        ("checksum", &[1], vec![f32::from_bits(checksum(file))]),
    ];
    std::fs::write(folder.join(format!("{name}.onnx")), file).unwrap();
    write(&folder.join(format!("{name}.safetensors")), &tensors);
}

/// As a predictor of a small batch computes it, batch normalisation folded.
fn write_model(folder: &Path, name: &str, net: &Network) -> wgrad::Result<()> {
    let Some(device) = device() else {
        return Ok(());
    };
    let model = net.build(device, 1)?;
    let input = numbers(BATCH * model.input_shape().elements(), 77);
    let answers = model.predictor(&[BATCH])?.predict_batch(&input)?;
    let output = answers.iter().flat_map(|a| a.values().to_vec()).collect();
    let file = pollster::block_on(model.to_onnx_async())?;
    write_pair(folder, name, &model, &file, input, output);
    Ok(())
}

/// Too large to be kept, the networks of `models` are only written, into a folder of their own;
/// what the device cannot hold is named and left out.
#[test]
fn every_model_is_written_for_onnxruntime() {
    let say = |line: String| drop(writeln!(std::io::stderr(), "{line}")); // past libtest's capture
    let Some(folder) = std::env::var_os(WRITE) else {
        return say(format!(
            "{WRITE} is not set: no files of `models` for onnxruntime"
        ));
    };
    if device().is_none() {
        return;
    }
    let folder = Path::new(&folder).join("models");
    std::fs::create_dir_all(&folder).unwrap();
    let mut written = 0;
    let autoencoder = ("autoencoder", models::autoencoder([3, 32, 32], 16));
    let classifiers = models::ALL.iter().map(|known| {
        let net = models::by_name(known.name, None, known.classes);
        (known.name, net.unwrap())
    });
    for (name, net) in classifiers.chain([autoencoder]) {
        match write_model(&folder, name, &net) {
            Ok(()) => written += 1,
            Err(error) => say(format!("{name}: {error}")),
        }
    }
    assert!(written > 10, "{written} models");
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
        let input = numbers(BATCH * model.input_shape().elements(), 77);
        let answers = model.predict_batch(&input).unwrap();
        let output: Vec<f32> = answers.iter().flat_map(|a| a.values().to_vec()).collect();
        let file = pollster::block_on(model.to_onnx_async()).unwrap();
        if let Some(folder) = &folder {
            write_pair(Path::new(folder), &name, &model, &file, input, output);
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

/// No operator without its form. A new one needs `Operator::onnx` and a place in one of `networks`;
/// losses have none.
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
    let device = device().map(|device| (device, Folder::new("odd")));
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
