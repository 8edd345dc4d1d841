//! The one place with `unsafe`: shaders that run without run-time checks.
#![allow(unsafe_code)]

use std::borrow::Cow;

/// Creates a shader module whose loads, stores, loops and divisions are not checked at run
/// time; on CPU drivers this doubles the speed of an inner loop.
///
/// Why this is sound: the shader decides what it touches, and its indices follow from the
/// shapes with which it was planned. Every kernel of this crate is written so that an
/// invocation outside the grid of its shapes returns first, that divisors are constants above
/// zero, and that loops end; the parity suite runs each of them over many shapes between guard
/// words that must survive. An operator from outside the crate makes the same promise by
/// implementing [`Operator::lower`](crate::ops::Operator::lower), whose kernels are bound to
/// ranges that the planner has measured.
pub(super) fn create_shader(device: &wgpu::Device, module: naga::Module) -> wgpu::ShaderModule {
    // SAFETY: see above.
    unsafe {
        device.create_shader_module_trusted(
            wgpu::ShaderModuleDescriptor {
                label: None,
                source: wgpu::ShaderSource::Naga(Cow::Owned(module)),
            },
            wgpu::ShaderRuntimeChecks::unchecked(),
        )
    }
}
