//! What planning needs to know of an adapter.

/// The properties of an adapter that decide between kernels.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdapterProfile {
    /// A driver that runs on the CPU (lavapipe, SwiftShader, WARP): wants large register
    /// tiles, no barriers, few dispatches.
    pub cpu: bool,
    /// Largest dispatch along one axis, in workgroups.
    pub max_workgroups: u32,
    /// Storage buffers that one kernel may bind.
    pub max_storage_buffers: usize,
}

impl AdapterProfile {
    /// A driver on the CPU with WebGPU's guaranteed limits.
    pub const fn cpu() -> Self {
        Self {
            cpu: true,
            max_workgroups: 65_535,
            max_storage_buffers: 8,
        }
    }

    /// A graphics processor with WebGPU's guaranteed limits.
    pub const fn gpu() -> Self {
        Self {
            cpu: false,
            ..Self::cpu()
        }
    }

    /// Invocations that keep the adapter busy; work that offers fewer is split further.
    pub const fn parallel_invocations(&self) -> usize {
        if self.cpu { 256 } else { 32_768 }
    }
}
