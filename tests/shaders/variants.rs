//! The variants that the operators ask for.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use naga::back::PipelineConstants;
use naga::valid::{Capabilities, ShaderStages, SubgroupOperationSet, ValidationFlags, Validator};
use wgrad::record::Command;
use wgrad::shader::Composed;

use crate::planning::{cases, profiles};

/// Of what WebGPU alone allows, with or without subgroup operations.
pub fn validator(subgroups: bool) -> Validator {
    let capabilities = match subgroups {
        true => Capabilities::SUBGROUP,
        false => Capabilities::empty(),
    };
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    if subgroups {
        validator.subgroup_stages(ShaderStages::COMPUTE);
        validator.subgroup_operations(SubgroupOperationSet::all());
    }
    validator
}

/// A shader with its integers and constants.
#[derive(Clone, Debug)]
pub struct Variant {
    pub shader: Arc<Composed>,
    pub defines: Vec<(String, i64)>,
    pub constants: Vec<(String, f64)>,
}

impl Variant {
    fn of(command: &Command) -> Self {
        Self {
            shader: command.shader.clone(),
            defines: command.defines.clone(),
            constants: command.constants.clone(),
        }
    }

    /// Shader, integers and constants in words.
    pub fn name(&self) -> String {
        let Self {
            shader,
            defines,
            constants,
        } = self;
        let mut name = shader.name.to_owned();
        for (define, value) in defines {
            name += &format!(" {define}={value}");
        }
        for (constant, value) in constants {
            name += &format!(" {constant}={value:e}");
        }
        name
    }

    /// Whether the shader asks for subgroup operations: its name says so.
    pub fn has_subgroups(&self) -> bool {
        self.shader.name.ends_with("_subgroup")
    }

    /// Whether `#ifdef define` is true.
    pub fn defines(&self, define: &str) -> bool {
        self.defines.iter().any(|(name, _)| name == define)
    }

    pub fn pipeline_constants(&self) -> PipelineConstants {
        self.constants.iter().cloned().collect()
    }
}

/// Each variant once.
pub static ALL: LazyLock<Vec<Variant>> = LazyLock::new(|| {
    let mut variants = BTreeMap::new();
    for case in cases::all() {
        for adapter in profiles() {
            let planned = case.plan(&adapter);
            for command in planned.iter().flat_map(|p| &p.recording.commands) {
                let variant = Variant::of(command);
                variants.entry(variant.name()).or_insert(variant);
            }
        }
    }
    variants.into_values().collect()
});
