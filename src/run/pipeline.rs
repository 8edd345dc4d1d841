//! Pipelines by shader variant, compiled once per device.

use std::collections::HashMap;
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

#[derive(Debug, Default)]
pub(super) struct Pipelines {
    cache: Mutex<HashMap<Key, Arc<Pipeline>>>,
}

impl Pipelines {
    pub(super) async fn get(&self, device: &Device, command: &Command) -> Result<Arc<Pipeline>> {
        let constants = command.constants.iter();
        let key = (
            Arc::as_ptr(&command.shader) as usize,
            constants.map(|(n, v)| (n.clone(), v.to_bits())).collect(),
        );
        let known = self
            .cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if let Some(pipeline) = known {
            return Ok(pipeline);
        }
        let pipeline = Arc::new(compile(device, command).await?);
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

async fn compile(device: &Device, command: &Command) -> Result<Pipeline> {
    let wgpu = device.wgpu();
    let scope = wgpu.push_error_scope(wgpu::ErrorFilter::Validation);
    let entries: Vec<wgpu::BindGroupLayoutEntry> = command
        .shader
        .bindings
        .iter()
        .map(|binding| wgpu::BindGroupLayoutEntry {
            binding: binding.index,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Storage {
                    read_only: !binding.writes,
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
