//! What a checkpoint holds of a training, read and compared before anything is changed. No device
//! is needed for that.

use crate::checkpoint::{CheckpointError, Container, Facts, LoadOptions, TRAINING_PREFIX};
use crate::error::Result;
use crate::graph::Parameter;
use crate::train::identity::compare;
use crate::train::schedule::Watch;
use crate::train::weights::{Matched, match_names};

/// What a checkpoint must be of.
pub(in crate::train) struct Expected<'a> {
    pub(in crate::train) parameters: &'a [Parameter],
    pub(in crate::train) identity: Facts,
    /// Names and lengths of the buffers that carry something from one step to the next.
    pub(in crate::train) state: Vec<(String, usize)>,
    pub(in crate::train) micro_batches: usize,
}

/// A training as a checkpoint has it.
pub(in crate::train) struct Saved {
    pub(in crate::train) step: u64,
    pub(in crate::train) watch: Watch,
    pub(in crate::train) weights: Matched,
    /// Names and contents of [`Expected::state`].
    pub(in crate::train) state: Vec<(String, Vec<u32>)>,
}

impl Saved {
    pub(in crate::train) fn read(
        container: &Container<'_>,
        expected: &Expected<'_>,
    ) -> Result<Self> {
        let step = container
            .fact("step")
            .and_then(|step| step.parse::<u64>().ok())
            .ok_or_else(|| CheckpointError::NoTraining {
                file: container.file.clone(),
            })?;
        let weights = match_names(expected.parameters, container, &LoadOptions::new())?;
        compare(container, &expected.identity)?;
        // The device counts micro-batches in 32 bits.
        if step >= u64::from(u32::MAX) / expected.micro_batches.max(1) as u64 {
            let reason = format!("no training comes to step {step}");
            let file = container.file.clone();
            return Err(CheckpointError::Corrupted { file, reason }.into());
        }
        let words = |(name, len): &(String, usize)| {
            let words = saved_words(container, name, *len)?;
            Ok((name.clone(), words))
        };
        let state = expected.state.iter().map(words).collect::<Result<_>>()?;
        let watch = container.fact("plateau").and_then(Watch::parse);
        Ok(Self {
            step,
            watch: watch.unwrap_or_default(),
            weights,
            state,
        })
    }
}

/// A buffer's contents as they were saved.
fn saved_words(container: &Container<'_>, name: &str, len: usize) -> Result<Vec<u32>> {
    let tensor = container.tensor(&format!("{TRAINING_PREFIX}{name}"));
    let bytes = tensor.as_ref().map_or(&[][..], |view| view.data());
    let (words, _) = bytes.as_chunks::<4>();
    if words.len() != len {
        return Err(CheckpointError::Different {
            file: container.file.clone(),
            what: "state that is kept between steps",
            saved: format!("{} numbers in `{name}`", words.len()),
            now: len.to_string(),
        }
        .into());
    }
    Ok(words.iter().map(|word| u32::from_le_bytes(*word)).collect())
}
