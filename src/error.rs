//! Everything that can go wrong, as one typed error.

use crate::checkpoint::CheckpointError;
use crate::data::DataError;
use crate::init::InitError;
use crate::report::ReportError;
use crate::tune::TuneError;

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, where, and with which numbers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A layer does not fit its input, or is described with impossible attributes.
    #[error("layer `{layer}` ({operator}): {reason}")]
    Layer {
        /// Path of the layer in the network, such as `layer2.0.conv1`.
        layer: String,
        /// The operator's name, such as `conv2d`.
        operator: &'static str,
        /// What does not fit, with the shapes.
        reason: String,
    },
    /// A network, batch or option that cannot be used as asked.
    #[error("{0}")]
    Invalid(String),
    /// No parameter, or no value, has this name.
    #[error("no {kind} is named `{name}`; there are: {known}")]
    UnknownName {
        /// What was looked for: a parameter, a value.
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// A tensor of the wrong length or shape was given.
    #[error("`{name}` holds {expected} elements {shape}, but {found} were given")]
    Length {
        /// Name of the input or parameter.
        name: String,
        /// Its shape, in words.
        shape: String,
        /// Elements expected.
        expected: usize,
        /// Elements given.
        found: usize,
    },
    /// The machine has no adapter that wgpu can use.
    #[error(
        "no GPU adapter was found ({backends}); install a GPU driver, \
         or Mesa's CPU driver (Debian and Ubuntu: mesa-vulkan-drivers)"
    )]
    NoAdapter {
        /// The backends that were asked, in words.
        backends: String,
    },
    /// The adapter refused to open, or lacks something that is needed.
    #[error("device `{adapter}`: {reason}")]
    Device {
        /// The adapter's name.
        adapter: String,
        /// The driver's words.
        reason: String,
    },
    /// The device went away while in use (driver reset, unplugged).
    #[error("the device was lost: {0}")]
    DeviceLost(String),
    /// A buffer did not fit into the device's memory or limits.
    #[error("out of device memory: `{buffer}` needs {bytes} bytes ({reason})")]
    OutOfMemory {
        /// The buffer's name.
        buffer: String,
        /// Its size.
        bytes: u64,
        /// The limit or the driver's words.
        reason: String,
    },
    /// A shader does not compile, or a kernel is bound wrongly.
    #[error("shader `{shader}`: {reason}")]
    Shader {
        /// The shader's name.
        shader: String,
        /// The compiler's message, with the place.
        reason: String,
    },
    /// The loss or a gradient became NaN or infinite. The update of that step was not
    /// applied: the parameters are those after the last good step.
    #[error(
        "step {step}: {what} of `{layer}` is not finite (the parameters are kept as they \
         were before this step)"
    )]
    NonFinite {
        /// The training step, counted from 0.
        step: u64,
        /// The first layer, in the order of computation, with a non-finite number.
        layer: String,
        /// `the response` or `the gradient`.
        what: &'static str,
    },
    /// Weights or a training could not be saved, loaded or resumed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A callback of a training failed.
    #[error("a callback failed: {0}")]
    Callback(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Signals such as Ctrl-C cannot be listened to.
    #[error("signals cannot be listened to: {0}")]
    Signal(String),
    /// The answers of a data set do not suit the loss.
    #[error("{loss}: {reason}")]
    Answers {
        /// The loss in words, such as `mean squared error`.
        loss: &'static str,
        /// What does not fit, with the shapes or the sample.
        reason: String,
    },
    /// A data set is empty, ragged or out of range.
    #[error(transparent)]
    Data(#[from] DataError),
    /// An initialiser cannot be drawn from.
    #[error(transparent)]
    Init(#[from] InitError),
    /// A report could not be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A cache of kernel choices cannot be used.
    #[error(transparent)]
    Tune(#[from] TuneError),
}
