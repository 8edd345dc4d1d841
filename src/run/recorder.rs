//! Command buffers recorded before they are needed, on a thread of their own.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Builder, JoinHandle};

/// Command buffers that are recorded in one go. A step's work leaves nothing of the host's in the
/// processor's caches, so that the first recording takes several times as long as those right behind
/// it; and the thread, once awake, takes a processor away from a CPU driver.
const BATCH: usize = 8;

/// Records one command buffer after the other.
#[derive(Debug)]
pub(super) struct Recorder {
    batch: Vec<wgpu::CommandBuffer>,
    /// The next batches, there until the recorder is dropped, which ends the thread.
    ready: Option<Receiver<Vec<wgpu::CommandBuffer>>>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// `None` where there are no threads, as in browsers.
    pub(super) fn start(
        record: impl Fn() -> wgpu::CommandBuffer + wgpu::WasmNotSend + 'static,
    ) -> Option<Self> {
        let (sender, ready) = sync_channel(1);
        let record = move || (0..BATCH).map(|_| record()).collect();
        let thread = spawn(move || while sender.send(record()).is_ok() {})?;
        Some(Self {
            batch: Vec::new(),
            ready: Some(ready),
            thread: Some(thread),
        })
    }

    /// The next one; `None` if the thread has come to grief.
    pub(super) fn next(&mut self) -> Option<wgpu::CommandBuffer> {
        if self.batch.is_empty() {
            self.batch = self.ready.as_ref()?.recv().ok()?;
        }
        self.batch.pop()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.ready = None;
        // What it holds is released before the program's memory is.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(not(target_family = "wasm"))]
fn spawn(work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    let thread = Builder::new().name("wgrad recorder".to_owned());
    thread.spawn(work).ok()
}

#[cfg(target_family = "wasm")]
fn spawn(_: impl FnOnce() + 'static) -> Option<JoinHandle<()>> {
    None
}
