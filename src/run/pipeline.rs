//! Pipelines by shader variant, compiled once per device.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::Device;
use super::trusted::create_shader;
use crate::error::{Error, Result};
use crate::record::Command;

#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

/// The composed variant by address (the shader cache keeps it alive) and the bits of its
/// `override` constants.
type Key = (usize, Vec<(String, u64)>);

fn key(command: &Command) -> Key {
    let constants = command.constants.iter();
    let bits = constants.map(|(name, value)| (name.clone(), value.to_bits()));
    (Arc::as_ptr(&command.shader) as usize, bits.collect())
}

#[derive(Debug, Default)]
pub(super) struct Pipelines {
    cache: Mutex<HashMap<Key, Arc<Pipeline>>>,
}

impl Pipelines {
    /// One command of each kernel that is not compiled yet, in their order.
    pub(super) fn missing<'a>(&self, commands: &'a [Command]) -> Vec<&'a Command> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = HashSet::new();
        let commands = commands.iter();
        commands
            .filter(|command| {
                let key = key(command);
                !cache.contains_key(&key) && seen.insert(key)
            })
            .collect()
    }

    pub(super) async fn get(&self, device: &Device, command: &Command) -> Result<Arc<Pipeline>> {
        let key = key(command);
        let known = self
            .cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if let Some(pipeline) = known {
            return Ok(pipeline);
        }
        let pipeline = Arc::new(compile(device.wgpu(), command).await?);
        self.cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, pipeline.clone());
        Ok(pipeline)
    }

    /// Drops those that no program holds.
    pub(super) fn release_unused(&self) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.retain(|_, pipeline| Arc::strong_count(pipeline) > 1);
    }
}

pub(super) async fn compile(wgpu: &wgpu::Device, command: &Command) -> Result<Pipeline> {
    let scope = wgpu.push_error_scope(wgpu::ErrorFilter::Validation);
    let entries: Vec<wgpu::BindGroupLayoutEntry> = command
        .shader
        .bindings
        .iter()
        .map(|binding| wgpu::BindGroupLayoutEntry {
            binding: binding.index,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: match binding.uniform {
                    true => wgpu::BufferBindingType::Uniform,
                    false => wgpu::BufferBindingType::Storage {
                        read_only: !binding.writes,
                    },
                },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        })
        .collect();
    let layout = wgpu.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(command.shader.name),
        entries: &entries,
    });
    let pipeline_layout = wgpu.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(command.shader.name),
        bind_group_layouts: &[Some(&layout)],
        ..Default::default()
    });
    let constants: Vec<(&str, f64)> = command
        .constants
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    let module = create_shader(wgpu, command.shader.module.clone());
    let pipeline = wgpu.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(command.shader.name),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: None,
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &constants,
            zero_initialize_workgroup_memory: false,
        },
        cache: None,
    });
    match scope.pop().await {
        None => Ok(Pipeline { pipeline, layout }),
        Some(error) => Err(command.shader.complaint().unwrap_or(Error::Shader {
            shader: command.shader.name.to_owned(),
            reason: error.to_string(),
        })),
    }
}
