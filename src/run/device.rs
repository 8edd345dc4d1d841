//! Choosing and opening an adapter.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::pipeline::Pipelines;
use crate::error::{Error, Result};
use crate::ops::choice::Choices;
use crate::plan::AdapterProfile;
use crate::shader::Shaders;

/// What an adapter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AdapterKind {
    /// A graphics card with memory of its own.
    DiscreteGpu,
    /// A graphics processor that shares the host's memory.
    IntegratedGpu,
    /// A graphics processor seen through a virtual machine.
    VirtualGpu,
    /// Unknown to the driver.
    Other,
    /// A driver that computes on the CPU (lavapipe, SwiftShader, WARP).
    Cpu,
}

/// An adapter of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdapterDescription {
    /// The device's name, as the driver tells it.
    pub name: String,
    /// What it is.
    pub kind: AdapterKind,
    /// Vulkan, Metal, DX12 or WebGPU.
    pub backend: String,
    /// The driver and its version, where known.
    pub driver: String,
}

impl fmt::Display for AdapterDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            AdapterKind::DiscreteGpu => "discrete GPU",
            AdapterKind::IntegratedGpu => "integrated GPU",
            AdapterKind::VirtualGpu => "virtual GPU",
            AdapterKind::Other => "unknown kind",
            AdapterKind::Cpu => "CPU driver",
        };
        write!(f, "{} ({kind}, {}", self.name, self.backend)?;
        match self.driver.is_empty() {
            true => write!(f, ")"),
            false => write!(f, ", {})", self.driver),
        }
    }
}

/// Which adapter to open.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DeviceOptions {
    /// Only adapters whose name contains this, whatever the case.
    pub name: Option<String>,
    /// Only this backend: `vulkan`, `metal`, `dx12`, `webgpu`.
    pub backend: Option<String>,
    /// Bytes of a buffer that a kernel may bind at once, if fewer than the adapter allows.
    pub max_binding_size: Option<u64>,
}

impl DeviceOptions {
    /// From the variables `WGRAD_ADAPTER` (part of a name) and `WGRAD_BACKEND`.
    pub fn from_env() -> Self {
        Self {
            name: std::env::var("WGRAD_ADAPTER").ok(),
            backend: std::env::var("WGRAD_BACKEND").ok(),
            max_binding_size: None,
        }
    }

    /// Only adapters whose name contains `name`, whatever the case.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Only this backend: `vulkan`, `metal`, `dx12`, `webgpu`.
    #[must_use]
    pub fn backend(mut self, backend: &str) -> Self {
        self.backend = Some(backend.to_owned());
        self
    }

    /// Binds at most so many bytes of a buffer at once, even if the adapter allows more: to see
    /// whether a network can be trained on a lesser one.
    #[must_use]
    pub fn max_binding_size(mut self, bytes: u64) -> Self {
        self.max_binding_size = Some(bytes);
        self
    }

    fn backends(&self) -> Result<wgpu::Backends> {
        let Some(name) = &self.backend else {
            return Ok(wgpu::Backends::all());
        };
        match name.to_ascii_lowercase().as_str() {
            "vulkan" => Ok(wgpu::Backends::VULKAN),
            "metal" => Ok(wgpu::Backends::METAL),
            "dx12" => Ok(wgpu::Backends::DX12),
            "webgpu" => Ok(wgpu::Backends::BROWSER_WEBGPU),
            _ => Err(Error::Invalid(format!(
                "`{name}` is no backend; there are: vulkan, metal, dx12, webgpu"
            ))),
        }
    }
}

/// An open device. Cheap to clone: clones share it, its pipelines and its shaders.
#[derive(Clone, Debug)]
pub struct Device {
    inner: Arc<Inner>,
    profile: AdapterProfile,
}

#[derive(Debug)]
struct Inner {
    adapter: wgpu::Adapter,
    device: wgpu::Device,
    queue: wgpu::Queue,
    description: AdapterDescription,
    shaders: Shaders,
    pipelines: Pipelines,
    fault: Fault,
}

/// The first error that no call was waiting for.
#[derive(Clone, Debug, Default)]
struct Fault(Arc<Mutex<Option<FaultKind>>>);

#[derive(Clone, Debug)]
enum FaultKind {
    Lost(String),
    Memory(String),
    Other(String),
}

impl Fault {
    fn keep(&self, kind: FaultKind) {
        let mut fault = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        fault.get_or_insert(kind);
    }
}

impl Device {
    /// Opens the best adapter: a discrete GPU before an integrated one before a CPU driver.
    /// The variables `WGRAD_ADAPTER` (part of a name) and `WGRAD_BACKEND` narrow the choice.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] when there is none, [`Error::Device`] when it does not open.
    pub fn open() -> Result<Self> {
        pollster::block_on(Self::open_async(&DeviceOptions::from_env()))
    }

    /// As [`Device::open`], choosing among the adapters that fit `options`.
    ///
    /// # Errors
    /// As [`Device::open`]; [`Error::Invalid`] for a backend that does not exist.
    pub fn open_with(options: &DeviceOptions) -> Result<Self> {
        pollster::block_on(Self::open_async(options))
    }

    /// The adapters that fit `options`, best first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a backend that does not exist.
    pub fn adapters(options: &DeviceOptions) -> Result<Vec<AdapterDescription>> {
        let adapters = pollster::block_on(find(options))?;
        Ok(adapters.into_iter().map(|(d, _)| d).collect())
    }

    /// The asynchronous form of [`Device::open_with`], for browsers and async programs.
    ///
    /// # Errors
    /// As [`Device::open_with`].
    pub async fn open_async(options: &DeviceOptions) -> Result<Self> {
        let mut found = find(options).await?;
        if found.is_empty() {
            return Err(Error::NoAdapter {
                backends: searched(options),
            });
        }
        let (description, adapter) = found.swap_remove(0);
        Self::open_adapter(description, &adapter, options.max_binding_size).await
    }

    async fn open_adapter(
        description: AdapterDescription,
        adapter: &wgpu::Adapter,
        max_binding_size: Option<u64>,
    ) -> Result<Self> {
        let mut limits = adapter.limits();
        let binding = &mut limits.max_storage_buffer_binding_size;
        *binding = (*binding).min(max_binding_size.unwrap_or(u64::MAX));
        let (device, queue) = request(adapter, &description, limits.clone()).await?;
        let fault = Fault::default();
        watch(&device, &fault);
        let profile = AdapterProfile {
            cpu: description.kind == AdapterKind::Cpu,
            max_workgroups: limits.max_compute_workgroups_per_dimension,
            max_storage_buffers: limits.max_storage_buffers_per_shader_stage as usize,
            max_binding_size: limits.max_storage_buffer_binding_size,
            subgroup: subgroup(adapter),
            choices: Choices::new(),
        };
        let inner = Inner {
            adapter: adapter.clone(),
            device,
            queue,
            description,
            shaders: Shaders::new()?,
            pipelines: Pipelines::default(),
            fault,
        };
        Ok(Self {
            inner: Arc::new(inner),
            profile,
        })
    }

    /// The adapter behind the device.
    pub fn description(&self) -> &AdapterDescription {
        &self.inner.description
    }

    /// What planning needs to know of the adapter.
    pub fn profile(&self) -> &AdapterProfile {
        &self.profile
    }

    /// The same device, with these kernels wherever there are several for a convolution or
    /// product, as a [`Tuner`](crate::tune::Tuner) measured them: a model that is built on it uses
    /// them for all that it computes. Those that are none of the candidates for their problem are
    /// passed over. The choices are part of what makes results the same in every bit.
    #[must_use]
    pub fn with_choices(&self, choices: Choices) -> Self {
        Self {
            inner: self.inner.clone(),
            profile: self.profile.clone().with_choices(choices),
        }
    }

    /// Bytes of the largest buffer, of which a kernel may not be able to bind all.
    pub(super) fn largest_buffer(&self) -> u64 {
        self.wgpu().limits().max_buffer_size
    }

    pub(crate) fn shaders(&self) -> &Shaders {
        &self.inner.shaders
    }

    pub(super) fn pipelines(&self) -> &Pipelines {
        &self.inner.pipelines
    }

    /// Forgets compiled kernels that no program holds; they are compiled again if need be.
    pub(crate) fn release_unused_pipelines(&self) {
        self.inner.pipelines.release_unused();
    }

    /// Whether the driver makes machine code of a kernel when it is first used, and keeps it on
    /// disk.
    pub(super) fn compiles_late(&self) -> bool {
        self.inner.description.driver.starts_with("llvmpipe")
    }

    /// Another device of the same adapter.
    pub(super) async fn another(&self) -> Result<(wgpu::Device, wgpu::Queue)> {
        let limits = self.wgpu().limits();
        request(&self.inner.adapter, &self.inner.description, limits).await
    }

    pub(super) fn wgpu(&self) -> &wgpu::Device {
        &self.inner.device
    }

    pub(super) fn queue(&self) -> &wgpu::Queue {
        &self.inner.queue
    }

    /// Reports an error that happened outside any call, such as the loss of the device.
    pub(crate) fn check(&self) -> Result<()> {
        let fault = self.inner.fault.0.lock();
        match fault.unwrap_or_else(PoisonError::into_inner).clone() {
            None => Ok(()),
            Some(FaultKind::Lost(reason)) => Err(Error::DeviceLost(reason)),
            Some(FaultKind::Memory(reason)) => Err(Error::OutOfMemory {
                buffer: "a buffer of the driver".to_owned(),
                bytes: 0,
                reason,
            }),
            Some(FaultKind::Other(reason)) => Err(Error::Device {
                adapter: self.inner.description.name.clone(),
                reason,
            }),
        }
    }
}

/// A device with all that the adapter has of what kernels use.
async fn request(
    adapter: &wgpu::Adapter,
    description: &AdapterDescription,
    required_limits: wgpu::Limits,
) -> Result<(wgpu::Device, wgpu::Queue)> {
    let wanted = wgpu::Features::TIMESTAMP_QUERY | wgpu::Features::SUBGROUP;
    let opened = adapter.request_device(&wgpu::DeviceDescriptor {
        label: Some("wgrad"),
        required_features: adapter.features() & wanted,
        required_limits,
        memory_hints: wgpu::MemoryHints::Performance,
        ..Default::default()
    });
    opened.await.map_err(|error| Error::Device {
        adapter: description.name.clone(),
        reason: error.to_string(),
    })
}

/// The size of the adapter's subgroups, if it has the operations and but one size.
fn subgroup(adapter: &wgpu::Adapter) -> Option<u32> {
    let info = adapter.get_info();
    let fixed = info.subgroup_min_size == info.subgroup_max_size;
    let supported = adapter.features().contains(wgpu::Features::SUBGROUP);
    (supported && fixed).then_some(info.subgroup_min_size)
}

/// wgpu panics on errors that nobody handles; a library must not.
fn watch(device: &wgpu::Device, fault: &Fault) {
    let errors = fault.clone();
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        errors.keep(match &error {
            wgpu::Error::OutOfMemory { source } => FaultKind::Memory(source.to_string()),
            other => FaultKind::Other(other.to_string()),
        });
    }));
    let losses = fault.clone();
    device.set_device_lost_callback(move |reason, message| {
        if reason != wgpu::DeviceLostReason::Destroyed {
            losses.keep(FaultKind::Lost(message));
        }
    });
}

async fn find(options: &DeviceOptions) -> Result<Vec<(AdapterDescription, wgpu::Adapter)>> {
    let backends = options.backends()?;
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle_from_env()
    });
    let wanted = options.name.as_deref().map(str::to_lowercase);
    let mut found: Vec<_> = instance
        .enumerate_adapters(backends)
        .await
        .into_iter()
        .filter(|a| {
            let flags = a.get_downlevel_capabilities().flags;
            flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS)
        })
        .map(|adapter| (describe(&adapter.get_info()), adapter))
        .filter(|(description, _)| match &wanted {
            Some(part) => description.name.to_lowercase().contains(part),
            None => true,
        })
        .collect();
    // Stable: among equals the driver's own order stays.
    found.sort_by_key(|(description, _)| description.kind);
    Ok(found)
}

fn describe(info: &wgpu::AdapterInfo) -> AdapterDescription {
    AdapterDescription {
        name: info.name.clone(),
        kind: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => AdapterKind::DiscreteGpu,
            wgpu::DeviceType::IntegratedGpu => AdapterKind::IntegratedGpu,
            wgpu::DeviceType::VirtualGpu => AdapterKind::VirtualGpu,
            wgpu::DeviceType::Cpu => AdapterKind::Cpu,
            wgpu::DeviceType::Other => AdapterKind::Other,
        },
        backend: info.backend.to_string(),
        driver: format!("{} {}", info.driver, info.driver_info)
            .trim()
            .to_owned(),
    }
}

fn searched(options: &DeviceOptions) -> String {
    let backend = options
        .backend
        .as_deref()
        .unwrap_or("Vulkan, Metal, DX12 and WebGPU");
    match &options.name {
        None => format!("searched {backend}"),
        Some(name) => format!("searched {backend} for a name with `{name}`"),
    }
}
