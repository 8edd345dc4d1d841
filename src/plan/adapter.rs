//! What planning needs to know of an adapter.

use crate::ops::choice::Choices;

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
    /// Bytes of a buffer that one kernel may bind at once. A buffer may be larger.
    pub max_binding_size: u64,
    /// Invocations of a subgroup, where the adapter has subgroup operations and one size only.
    pub subgroup: Option<u32>,
    /// Kernels that were measured to be the fastest on it; where there are none, the other
    /// properties decide.
    pub choices: Choices,
}

impl AdapterProfile {
    /// A driver on the CPU with WebGPU's guaranteed limits.
    pub const fn cpu() -> Self {
        Self {
            cpu: true,
            max_workgroups: 65_535,
            max_storage_buffers: 8,
            max_binding_size: 128 << 20,
            subgroup: None,
            choices: Choices::new(),
        }
    }

    /// A graphics processor with WebGPU's guaranteed limits.
    pub const fn gpu() -> Self {
        let mut profile = Self::cpu();
        profile.cpu = false;
        profile
    }

    /// With subgroup operations, of subgroups of this size.
    #[must_use]
    pub fn with_subgroup(mut self, size: u32) -> Self {
        self.subgroup = Some(size);
        self
    }

    /// With bindings of at most so many bytes.
    #[must_use]
    pub fn with_max_binding_size(mut self, bytes: u64) -> Self {
        self.max_binding_size = bytes;
        self
    }

    /// With measured choices of kernels.
    #[must_use]
    pub fn with_choices(mut self, choices: Choices) -> Self {
        self.choices = choices;
        self
    }

    /// Elements of four bytes that one binding may have.
    pub fn most_elements(&self) -> usize {
        usize::try_from(self.max_binding_size / 4).unwrap_or(usize::MAX)
    }

    /// Invocations that keep the adapter busy; work that offers fewer is split further.
    pub const fn parallel_invocations(&self) -> usize {
        if self.cpu { 256 } else { 32_768 }
    }
}
