//! The request to end a training early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request to stop, which may come from another thread: [`Trainer::stop_on`] takes one of its
/// clones. [`Trainer::fit`] then finishes the step it is at, writes a checkpoint if it was asked to
/// keep any, and returns.
///
/// ```no_run
/// use std::time::Duration;
/// use wgrad::prelude::*;
/// use wgrad::train::Stop;
///
/// # fn f(model: &mut Model, train: &Dataset, test: &Dataset) -> wgrad::Result<()> {
/// let stop = Stop::new();
/// let trainer = Trainer::new(Sgd::new(0.1)).stop_on(&stop);
/// std::thread::spawn(move || {
///     std::thread::sleep(Duration::from_secs(3600));
///     stop.request();
/// });
/// println!("{}", trainer.fit(model, train, test)?); // an hour at most
/// # Ok(()) }
/// ```
///
/// [`Trainer::stop_on`]: crate::train::Trainer::stop_on
/// [`Trainer::fit`]: crate::train::Trainer::fit
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Nothing is requested yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks every training that listens to this handle or one of its clones to stop. Those that
    /// begin later stop before their first step.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether to stop was requested.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes the request back.
    pub fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// The handle that Ctrl-C (SIGINT) requests to stop, also where that was ignored, as in a
    /// script's background. A second one ends the process at once, with the exit status 130. Every
    /// call gives the same handle.
    ///
    /// ```no_run
    /// # use wgrad::{data::Dataset, train::{Every, Model, Sgd, Stop, Trainer}};
    /// # fn f(model: &mut Model, train: &Dataset, test: &Dataset) -> wgrad::Result<()> {
    /// // Ctrl-C loses nothing, and the same program started again goes on where it was.
    /// let trainer = Trainer::new(Sgd::new(0.1))
    ///     .checkpoints("run-1", Every::Epochs(1))
    ///     .stop_on(&Stop::on_ctrl_c()?);
    /// println!("{}", trainer.fit(model, train, test)?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Signal`](crate::Error::Signal) when the system refuses, or another handler of
    /// the crate `ctrlc` is installed.
    #[cfg(feature = "ctrlc")]
    pub fn on_ctrl_c() -> crate::Result<Self> {
        use std::sync::{Mutex, PoisonError};

        static INSTALLED: Mutex<Option<Stop>> = Mutex::new(None);
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stop) = &*installed {
            return Ok(stop.clone());
        }
        let stop = Self::new();
        let requested = stop.clone();
        ctrlc::set_handler(move || {
            if requested.0.swap(true, Ordering::Relaxed) {
                // What a shell reports for a program that Ctrl-C has ended.
                std::process::exit(130);
            }
        })
        .map_err(|error| crate::Error::Signal(error.to_string()))?;
        Ok(installed.insert(stop).clone())
    }
}
