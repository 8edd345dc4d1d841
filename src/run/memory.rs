//! Buffers on the device: creation with typed errors, writing, reading back.

use std::collections::BTreeMap;

use bytemuck::Pod;
use futures_intrusive::channel::shared::{OneshotReceiver, oneshot_channel};

use super::Device;
use crate::error::{Error, Result};
use crate::layout::padded;

/// Named buffers that outlive a step and are shared among programs.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    buffers: BTreeMap<String, wgpu::Buffer>,
}

impl Memory {
    /// Creates the buffer `name` of `len` elements, filled with zeros.
    pub(crate) async fn create(&mut self, device: &Device, name: &str, len: usize) -> Result<()> {
        let buffer = create(device, name, len, STORAGE).await?;
        self.buffers.insert(name.to_owned(), buffer);
        Ok(())
    }

    /// Creates the buffer `name` with these contents.
    pub(crate) async fn create_with<T: Pod>(
        &mut self,
        device: &Device,
        name: &str,
        contents: &[T],
    ) -> Result<()> {
        self.create(device, name, contents.len()).await?;
        self.write(device, name, 0, contents)
    }

    /// A memory of its own with the same buffers and contents.
    pub(crate) async fn duplicate(&self, device: &Device) -> Result<Self> {
        let mut copy = Self::default();
        for (name, buffer) in &self.buffers {
            copy.create(device, name, (buffer.size() / 4) as usize)
                .await?;
        }
        copy.copy_from(device, self);
        Ok(copy)
    }

    /// Takes over the contents of the other memory's buffers that have the same names, after all
    /// that was submitted.
    pub(crate) fn copy_from(&self, device: &Device, other: &Self) {
        let mut encoder = device.wgpu().create_command_encoder(&Default::default());
        for (name, buffer) in &self.buffers {
            if let Some(source) = other.get(name) {
                let bytes = source.size().min(buffer.size());
                encoder.copy_buffer_to_buffer(source, 0, buffer, 0, bytes);
            }
        }
        device.queue().submit([encoder.finish()]);
    }

    /// Makes another memory's buffer known here too, by a name of its own; it stays one buffer.
    pub(crate) fn share(&mut self, name: &str, other: &Self, of: &str) {
        if let Some(buffer) = other.get(of) {
            self.buffers.insert(name.to_owned(), buffer.clone());
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&wgpu::Buffer> {
        self.buffers.get(name)
    }

    fn find(&self, name: &str) -> Result<&wgpu::Buffer> {
        self.get(name).ok_or_else(|| Error::UnknownName {
            kind: "buffer",
            name: name.to_owned(),
            known: self.buffers.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }

    /// Writes elements of four bytes from element `offset` on, before the next submission.
    pub(crate) fn write<T: Pod>(
        &self,
        device: &Device,
        name: &str,
        offset: usize,
        contents: &[T],
    ) -> Result<()> {
        write(device, self.find(name)?, name, offset, contents)
    }

    /// Submits the copy of `len` elements from element `offset` on. Does not wait.
    pub(crate) fn fetch(
        &self,
        device: &Device,
        name: &str,
        offset: usize,
        len: usize,
    ) -> Result<ReadBack> {
        Ok(fetch(device, self.find(name)?, offset, len))
    }

    /// Reads `len` elements from element `offset` on, after all that was submitted.
    pub(crate) async fn read<T: Pod>(
        &self,
        device: &Device,
        name: &str,
        offset: usize,
        len: usize,
    ) -> Result<Vec<T>> {
        read(device, self.find(name)?, offset, len).await
    }
}

/// What kernels bind, read and write, and the host too.
pub(super) const STORAGE: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE
    .union(wgpu::BufferUsages::COPY_SRC)
    .union(wgpu::BufferUsages::COPY_DST);

/// A buffer of `len` elements of four bytes, filled with zeros.
pub(super) async fn create(
    device: &Device,
    name: &str,
    len: usize,
    usage: wgpu::BufferUsages,
) -> Result<wgpu::Buffer> {
    let bytes = 4 * padded(len.max(1)) as u64;
    let limit = device.largest_buffer();
    let refuse = |reason: String| Error::OutOfMemory {
        buffer: name.to_owned(),
        bytes,
        reason,
    };
    if bytes > limit {
        return Err(refuse(format!("the adapter's largest buffer has {limit}")));
    }
    let scope = device
        .wgpu()
        .push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let buffer = device.wgpu().create_buffer(&wgpu::BufferDescriptor {
        label: Some(name),
        size: bytes,
        usage,
        mapped_at_creation: false,
    });
    match scope.pop().await {
        None => Ok(buffer),
        Some(error) => Err(refuse(error.to_string())),
    }
}

/// Bytes that are copied on the way to the device; of more, one such copy after the other.
const WRITTEN_AT_ONCE: usize = 64 << 20;

pub(super) fn write<T: Pod>(
    device: &Device,
    buffer: &wgpu::Buffer,
    name: &str,
    offset: usize,
    contents: &[T],
) -> Result<()> {
    let held = (buffer.size() / 4) as usize;
    if offset + contents.len() > held {
        return Err(Error::Length {
            name: name.to_owned(),
            shape: format!("from {offset} on"),
            expected: held.saturating_sub(offset),
            found: contents.len(),
        });
    }
    let bytes: &[u8] = bytemuck::cast_slice(contents);
    for (index, piece) in bytes.chunks(WRITTEN_AT_ONCE).enumerate() {
        let first = 4 * offset + index * WRITTEN_AT_ONCE;
        device.queue().write_buffer(buffer, first as u64, piece);
        if bytes.len() > WRITTEN_AT_ONCE {
            wait(device, Some(device.queue().submit([])))?;
        }
    }
    Ok(())
}

/// A part of a buffer on its way to the host: as it was when the copy was submitted, whatever is
/// submitted afterwards.
#[derive(Debug)]
pub(crate) struct ReadBack {
    staging: wgpu::Buffer,
    submission: wgpu::SubmissionIndex,
    mapped: OneshotReceiver<Result<(), wgpu::BufferAsyncError>>,
}

/// Submits the copy of `len` elements from element `offset` on. Does not wait.
pub(super) fn fetch(device: &Device, buffer: &wgpu::Buffer, offset: usize, len: usize) -> ReadBack {
    let bytes = 4 * len as u64;
    let staging = device.wgpu().create_buffer(&wgpu::BufferDescriptor {
        label: Some("read-back"),
        size: bytes,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = device.wgpu().create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(buffer, 4 * offset as u64, &staging, 0, bytes);
    let submission = device.queue().submit([encoder.finish()]);
    let (sender, mapped) = oneshot_channel();
    staging.map_async(wgpu::MapMode::Read, .., move |result| {
        // The receiver is gone only when the caller stopped waiting.
        let _ = sender.send(result);
    });
    ReadBack {
        staging,
        submission,
        mapped,
    }
}

impl ReadBack {
    /// Waits for the copy, and for nothing that was submitted after it.
    pub(crate) async fn receive<T: Pod>(self, device: &Device) -> Result<Vec<T>> {
        wait(device, Some(self.submission))?;
        let lost = |reason: String| Error::DeviceLost(reason);
        match self.mapped.receive().await {
            Some(Ok(())) => {}
            other => {
                device.check()?;
                return Err(lost(format!("a buffer could not be read back: {other:?}")));
            }
        }
        device.check()?;
        let view = self.staging.get_mapped_range(..);
        let view = view.map_err(|error| lost(error.to_string()))?;
        Ok(bytemuck::pod_collect_to_vec(&view))
    }
}

pub(super) async fn read<T: Pod>(
    device: &Device,
    buffer: &wgpu::Buffer,
    offset: usize,
    len: usize,
) -> Result<Vec<T>> {
    fetch(device, buffer, offset, len).receive(device).await
}

/// Blocks until the queue is empty, or has come to a submission. A browser drives its queue
/// itself.
pub(super) fn wait(device: &Device, until: Option<wgpu::SubmissionIndex>) -> Result<()> {
    if cfg!(target_family = "wasm") {
        return Ok(());
    }
    let poll = wgpu::PollType::Wait {
        submission_index: until,
        timeout: None,
    };
    match device.wgpu().poll(poll) {
        Ok(_) => device.check(),
        Err(error) => {
            device.check()?;
            Err(Error::DeviceLost(error.to_string()))
        }
    }
}
