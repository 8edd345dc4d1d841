//! Validation, and translation to Metal's and DX12's languages.

use naga::back::pipeline_constants::process_overrides;
use naga::back::{PipelineConstants, hlsl, msl};

use naga::{Module, ShaderStage};

use crate::variants::{ALL, validator};

/// Translates a module as wgpu would.
fn translate(
    module: &Module,
    constants: &PipelineConstants,
    subgroups: bool,
) -> Result<(), String> {
    // WebGPU alone: no capability that an adapter may lack, but where it was asked for.
    let mut validator = validator(subgroups);
    let validated = validator.validate(module);
    let info = validated.map_err(|e| format!("validation: {e:?}"))?;
    let entry_point = (ShaderStage::Compute, "main");
    let (module, info) = process_overrides(module, &info, Some(entry_point), constants)
        .map_err(|e| format!("constants: {e}"))?;
    let entry_point = Some((ShaderStage::Compute, "main".to_owned()));

    let options = msl::Options {
        lang_version: (2, 0),
        ..msl::Options::default()
    };
    let pipeline = msl::PipelineOptions {
        entry_point: entry_point.clone(),
        ..msl::PipelineOptions::default()
    };
    let (text, translated) =
        msl::write_string(&module, &info, &options, &pipeline).map_err(|e| format!("MSL: {e}"))?;
    check(&text, "kernel void", &translated.entry_point_names)?;

    let options = hlsl::Options {
        shader_model: match subgroups {
            true => hlsl::ShaderModel::V6_0,
            false => hlsl::Options::default().shader_model,
        },
        ..hlsl::Options::default()
    };
    let pipeline = hlsl::PipelineOptions { entry_point };
    let mut text = String::new();
    let translated = hlsl::Writer::new(&mut text, &options, &pipeline)
        .write(&module, &info, None)
        .map_err(|e| format!("HLSL: {e}"))?;
    check(&text, "[numthreads(", &translated.entry_point_names)
}

/// The text holds the one entry point.
fn check<E: std::fmt::Display>(
    text: &str,
    mark: &str,
    entry_points: &[Result<String, E>],
) -> Result<(), String> {
    let [entry_point] = entry_points else {
        return Err(format!("{} entry points", entry_points.len()));
    };
    let name = entry_point.as_ref().map_err(|e| format!("bindings: {e}"))?;
    match text.contains(mark) && text.contains(name.as_str()) {
        true => Ok(()),
        false => Err(format!("no {mark:?} and `{name}` in:\n{text}")),
    }
}

#[test]
fn every_variant_is_valid_and_translated_to_msl_and_hlsl() {
    let mut failures = Vec::new();
    for variant in ALL.iter() {
        let constants = variant.pipeline_constants();
        let subgroups = variant.has_subgroups();
        if let Err(reason) = translate(&variant.shader.module, &constants, subgroups) {
            failures.push(format!("{}: {reason}", variant.name()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    println!("{} variants", ALL.len());
    assert!(ALL.len() > 900, "only {} variants", ALL.len());
}

fn compose(source: &str) -> Module {
    naga::front::wgsl::parse_str(source).unwrap()
}

#[track_caller]
fn refusal(source: &str, constants: &[(&str, f64)]) -> String {
    let constants = constants
        .iter()
        .map(|(name, value)| ((*name).to_owned(), *value));
    translate(&compose(source), &constants.collect(), false).unwrap_err()
}

/// The test itself: what is wrong is found.
#[test]
fn wrong_shaders_are_refused() {
    let main = "@compute @workgroup_size(64) fn main()";
    let y = "@group(0) @binding(0) var<storage, read_write> y: array<f32>;";
    let sound = format!("override a: f32; {y} {main} {{ y[0] = a; }}");
    let constants = [("a".to_owned(), 1.0)].into_iter().collect();
    assert_eq!(translate(&compose(&sound), &constants, false), Ok(()));

    let error = refusal(&sound, &[]);
    assert!(error.contains("Missing value"), "{error}");
    let error = refusal(&sound, &[("a", 1.0), ("b", 1.0)]);
    assert!(error.contains("'b' not found"), "{error}");
    let error = refusal(&sound, &[("a", f64::NAN)]);
    assert!(error.contains("finite"), "{error}");
    let read_only = y.replace("read_write", "read");
    let error = refusal(&format!("{read_only} {main} {{ y[0] = 1.0; }}"), &[]);
    assert!(error.contains("validation"), "{error}");
    let doubles = "var<private> d: f64;";
    let error = refusal(&format!("{doubles} {y} {main} {{ y[0] = f32(d); }}"), &[]);
    assert!(error.contains("validation"), "{error}");
}
