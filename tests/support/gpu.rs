//! The device of the test run. Without an adapter the tests fail, unless the variable
//! `WGRAD_SKIP_GPU_TESTS` is set; then each skipped test says so.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use wgrad::Device;

static DEVICE: OnceLock<Result<Device, String>> = OnceLock::new();
static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// Past libtest's capture, so that it is seen for passing tests too.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The device, opened once; `None` only with the explicit opt-out.
pub fn device() -> Option<&'static Device> {
    let opened = DEVICE.get_or_init(|| {
        let device = Device::open().map_err(|error| error.to_string());
        if let Ok(device) = &device {
            say(&format!("testing on {}", device.description()));
        }
        device
    });
    match opened {
        Ok(device) => Some(device),
        Err(_) if std::env::var_os("WGRAD_SKIP_GPU_TESTS").is_some() => {
            let skipped = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
            say(&format!(
                "no GPU adapter: {skipped} GPU tests skipped so far"
            ));
            None
        }
        Err(error) => panic!("{error}; set WGRAD_SKIP_GPU_TESTS=1 to skip the tests that need one"),
    }
}
