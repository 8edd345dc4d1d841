//! Timestamps around every dispatch.

use super::{Device, memory};
use crate::error::Result;

/// Bytes of a timestamp.
const STAMP: u64 = 8;

/// A query set with two stamps per dispatch, and the buffer that they are resolved into.
pub(super) struct Clock {
    queries: wgpu::QuerySet,
    stamps: wgpu::Buffer,
    count: u32,
}

impl Clock {
    /// Stamps for this many dispatches; `None` where the device has no timestamps or not as many.
    pub(super) fn stamps_for(device: &Device, dispatches: usize) -> Option<u32> {
        let supported = device
            .wgpu()
            .features()
            .contains(wgpu::Features::TIMESTAMP_QUERY);
        let count = u32::try_from(2 * dispatches).ok()?;
        (supported && count > 0 && count <= wgpu::QUERY_SET_MAX_QUERIES).then_some(count)
    }

    /// For this many dispatches, where [`Clock::stamps_for`] them are to be had.
    pub(super) fn new(device: &Device, dispatches: usize) -> Option<Self> {
        let wgpu = device.wgpu();
        let count = Self::stamps_for(device, dispatches)?;
        Some(Self {
            queries: wgpu.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("profile"),
                ty: wgpu::QueryType::Timestamp,
                count,
            }),
            stamps: wgpu.create_buffer(&wgpu::BufferDescriptor {
                label: Some("profile"),
                size: STAMP * u64::from(count),
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            }),
            count,
        })
    }

    pub(super) fn writes(&self, dispatch: usize) -> wgpu::ComputePassTimestampWrites<'_> {
        let first = 2 * dispatch as u32;
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(first),
            end_of_pass_write_index: Some(first + 1),
        }
    }

    pub(super) fn resolve(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.resolve_query_set(&self.queries, 0..self.count, &self.stamps, 0);
    }

    /// Seconds of every dispatch.
    pub(super) async fn read(&self, device: &Device) -> Result<Vec<f64>> {
        let words: Vec<u32> =
            memory::read(device, &self.stamps, 0, 2 * self.count as usize).await?;
        let stamps: Vec<u64> = words
            .chunks_exact(2)
            .map(|w| u64::from(w[0]) | u64::from(w[1]) << 32)
            .collect();
        let period = f64::from(device.queue().get_timestamp_period()) * 1e-9;
        let seconds = stamps
            .chunks_exact(2)
            .map(|pair| pair[1].saturating_sub(pair[0]) as f64 * period);
        Ok(seconds.collect())
    }
}
