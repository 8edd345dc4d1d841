//! Where the time of a step goes.

use super::Training;
use crate::data::Dataset;
use crate::error::Result;
use crate::record::Profile;
use crate::train::fit::Instant;
use crate::train::{Model, Trainer};

/// Steps that are measured, unless they take longer than [`MOST_SECONDS`] together.
const STEPS: usize = 5;

const MOST_SECONDS: f64 = 2.0;

impl Training<'_> {
    /// Takes one step and measures every dispatch of it, or of its last micro-batch; its `Display`
    /// is a table, slowest first. `None` where the adapter has no timestamps (a step is then not
    /// taken). [`Trainer::profile`] measures several steps, of a copy.
    ///
    /// # Errors
    /// As [`Training::step`].
    pub fn profile(&mut self) -> Result<Option<Profile>> {
        pollster::block_on(self.profile_async())
    }

    /// The asynchronous form of [`Training::profile`].
    ///
    /// # Errors
    /// As [`Training::step`].
    pub async fn profile_async(&mut self) -> Result<Option<Profile>> {
        let begin = Instant::now();
        let Some(seconds) = self.stamped_step().await? else {
            return Ok(None);
        };
        let step = begin.elapsed().as_secs_f64();
        Ok(Some(Profile::new(&self.recording, &[step], &[seconds])))
    }

    /// Takes a step, if every dispatch of its last micro-batch can be timed.
    async fn stamped_step(&mut self) -> Result<Option<Vec<f64>>> {
        self.prepare_step()?;
        if !self.program.has_timestamps() {
            return Ok(None);
        }
        self.submit_first_micro_batches()?;
        let Some(seconds) = self.program.profile().await? else {
            return Ok(None);
        };
        self.step += 1;
        self.read_when_due().await?;
        Ok(Some(seconds))
    }

    /// Measures some steps, each once as a whole and once by its dispatches.
    async fn measure(&mut self) -> Result<Profile> {
        // The first is slower: memory is touched for the first time.
        self.step_async().await?;
        self.program.wait()?;
        let (mut steps, mut dispatches) = (Vec::new(), Vec::new());
        let begin = Instant::now();
        while steps.is_empty()
            || steps.len() < STEPS && begin.elapsed().as_secs_f64() < MOST_SECONDS
        {
            let step = Instant::now();
            self.step_async().await?;
            self.program.wait()?;
            steps.push(step.elapsed().as_secs_f64());
            dispatches.extend(self.stamped_step().await?);
        }
        Ok(Profile::new(&self.recording, &steps, &dispatches))
    }
}

impl Trainer {
    /// Measures where the time of a step goes: of every dispatch kernel, tile, device time, rate
    /// of arithmetic and memory, and the same by layer. Its `Display` is a report. With
    /// [`Trainer::accumulate`] the dispatches are those of a step's last micro-batch.
    ///
    /// Takes a few steps on a copy of the model, which itself stays as it is. Without timestamps
    /// on the adapter only whole steps are timed, and the report says so.
    ///
    /// ```no_run
    /// # use wgrad::{data::Dataset, train::{Model, Sgd, Trainer}};
    /// # fn f(model: &Model, data: &Dataset) -> wgrad::Result<()> {
    /// let profile = Trainer::new(Sgd::new(0.1)).batch_size(64).profile(model, data)?;
    /// println!("{profile}");
    /// for layer in profile.layers() {
    ///     println!("{}: {:?} s", layer.layer, layer.seconds);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Trainer::start`].
    pub fn profile(&self, model: &Model, train: &Dataset) -> Result<Profile> {
        pollster::block_on(self.profile_async(model, train))
    }

    /// The asynchronous form of [`Trainer::profile`]. In a browser, where nothing can wait for the
    /// device, only the times of dispatches mean something.
    ///
    /// # Errors
    /// As [`Trainer::start`].
    pub async fn profile_async(&self, model: &Model, train: &Dataset) -> Result<Profile> {
        let mut copy = model.duplicate().await?;
        let mut training = Training::new(self, &mut copy, train).await?;
        training.measure().await
    }
}
