//! Kernels used once, on nothing, before they are needed.
//!
//! Lavapipe makes machine code of a kernel when it is first dispatched, one kernel at a time, in
//! the one thread of the device's queue. So the kernels of a program are dispatched without
//! workgroups as soon as they exist, while the host makes the next, and a second device of the same
//! adapter takes its share of them: what it has compiled, the first finds in the driver's cache on
//! disk. Where the driver has no such cache, this costs nothing but the second processor.

use std::cmp::Reverse;
use std::slice::Iter;
use std::sync::{Arc, Mutex, PoisonError};

use super::Device;
use super::pipeline::{Pipeline, compile};
use crate::error::{Error, Result};
use crate::record::Command;

/// Fewer kernels are not worth a second device.
const WORTHWHILE: usize = 4;

/// Bytes of the buffers that stand in for the program's, if a binding may be so large: more than
/// kernels insist on, and no more than a uniform buffer may have.
const STAND_IN: u64 = 1 << 16;

/// Has the driver compile the kernels of these commands, which the device does not know yet.
pub(super) fn compile_all(device: &Device, mut commands: Vec<&Command>) -> Result<()> {
    // The longest first, so that no device waits long for the other's last.
    commands.sort_by_key(|command| Reverse(command.shader.size()));
    let queue = Mutex::new(commands.iter());
    let mut bench = Bench::new(device.wgpu(), device.queue());
    let mut start = |command: &Command| -> Result<()> {
        let pipeline = pollster::block_on(device.pipelines().get(device, command))?;
        bench.start(command, &pipeline);
        Ok(())
    };
    std::thread::scope(|scope| {
        let other =
            (commands.len() >= WORTHWHILE).then(|| scope.spawn(|| second_device(device, &queue)));
        while let Some(command) = next(&queue) {
            start(command)?;
        }
        // A thread that panicked has compiled nothing of use.
        let compiled = other.and_then(|thread| thread.join().ok());
        for command in compiled.unwrap_or_default() {
            start(command)?;
        }
        Ok::<_, Error>(())
    })?;
    bench.wait();
    device.check()
}

fn next<'a>(queue: &Mutex<Iter<'_, &'a Command>>) -> Option<&'a Command> {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.next().copied()
}

/// Compiles commands of the queue on a device of its own, makes the first device's pipelines of them
/// meanwhile, and returns them. What fails here is met again, and reported, by the first device.
fn second_device<'a>(device: &Device, queue: &Mutex<Iter<'_, &'a Command>>) -> Vec<&'a Command> {
    let mut compiled = Vec::new();
    let Ok((wgpu, wgpu_queue)) = pollster::block_on(device.another()) else {
        return compiled;
    };
    wgpu.on_uncaptured_error(Arc::new(|_| ()));
    let mut bench = Bench::new(&wgpu, &wgpu_queue);
    while let Some(command) = next(queue) {
        compiled.push(command);
        match pollster::block_on(compile(&wgpu, command)) {
            Ok(pipeline) => bench.start(command, &pipeline),
            Err(_) => break,
        }
        let _ = pollster::block_on(device.pipelines().get(device, command));
    }
    bench.wait();
    compiled
}

/// A device with buffers for any kernel.
struct Bench<'a> {
    wgpu: &'a wgpu::Device,
    queue: &'a wgpu::Queue,
    buffers: Vec<wgpu::Buffer>,
    last: Option<wgpu::SubmissionIndex>,
}

impl<'a> Bench<'a> {
    fn new(wgpu: &'a wgpu::Device, queue: &'a wgpu::Queue) -> Self {
        Self {
            wgpu,
            queue,
            buffers: Vec::new(),
            last: None,
        }
    }

    /// Dispatches no workgroup of the kernel, once the one before is done. An error (of a kernel that
    /// insists on larger buffers) means only that the kernel is compiled later.
    fn start(&mut self, command: &Command, pipeline: &Pipeline) {
        let scope = self.wgpu.push_error_scope(wgpu::ErrorFilter::Validation);
        let bindings = &command.shader.bindings;
        let limits = self.wgpu.limits();
        while self.buffers.len() < bindings.len() {
            self.buffers
                .push(self.wgpu.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("stand-in"),
                    size: STAND_IN.min(limits.max_storage_buffer_binding_size),
                    usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::UNIFORM,
                    mapped_at_creation: false,
                }));
        }
        let entries: Vec<_> = bindings
            .iter()
            .zip(&self.buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding: binding.index,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let bind_group = self.wgpu.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("stand-in"),
            layout: &pipeline.layout,
            entries: &entries,
        });
        let mut encoder = self.wgpu.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_pipeline(&pipeline.pipeline);
            pass.set_bind_group(0, &bind_group, &[]);
            pass.dispatch_workgroups(0, 0, 0);
        }
        self.wait();
        self.last = Some(self.queue.submit([encoder.finish()]));
        let _ = pollster::block_on(scope.pop());
    }

    fn wait(&mut self) {
        if let Some(submission_index) = self.last.take() {
            let _ = self.wgpu.poll(wgpu::PollType::Wait {
                submission_index: Some(submission_index),
                timeout: None,
            });
        }
    }
}
