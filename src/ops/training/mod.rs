//! What a step does beside the network: fetch the batch, check and count the step, update
//! parameters and running averages; in evaluation, add up losses and right answers. All of it on the device, so that a steady step
//! neither waits for the host nor is written to.
//!
//! The buffers through which they work together:
//!
//! | buffer | contents |
//! |---|---|
//! | `step` | `[step, batch of the epoch, seed low, seed high]`, see [`crate::random`] |
//! | `status` | `[not finite, step being applied]`, written by [`Conclude`], read by the updates |
//! | `schedule` | a ring of `[learning rate, coefficients of the rule]` by step |
//! | `mixing` | a ring of the numbers by which mixup and cutmix mix, by step |
//! | `losses` | a ring of losses by step |
//! | `tally` | losses and right answers that an evaluation adds up; `tally.batch` tells it the batch |
//! | `factors` | `[learning-rate factor, decay factor]` per block of parameters |

mod conclude;
mod gather;
mod mix;
mod running_average;
mod tally;
mod update;

pub use conclude::Conclude;
pub use gather::{Gather, GatherLabels, Stored};
pub use mix::{DrawMix, Mix, SelectRows};
pub(crate) use mix::{MIX_WORDS, MIXING_BUFFER};
pub use running_average::RunningAverage;
pub(crate) use tally::{BATCH_BUFFER, BATCH_WORDS, TALLY_BUFFER, TallyLayout};
pub use tally::{CountAnswers, SumLosses, TALLY_BATCHES};
pub use update::Update;
pub(crate) use update::factors_len;

/// Steps that the rings of losses and of learning rates hold.
pub const RING: usize = 1024;

/// Words of the buffer `status`.
pub(crate) const STATUS_WORDS: usize = 4;
