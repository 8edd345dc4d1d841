//! What a step does beside the network: fetch the batch, check and count the step, update
//! parameters and running averages; in evaluation, add up losses and right answers. All of it on the device, so that a steady step
//! neither waits for the host nor is written to.
//!
//! The buffers through which they work together:
//!
//! | buffer | contents |
//! |---|---|
//! | `step` | `[micro-batch, that of the epoch, seed low, seed high]`, see [`crate::random`] |
//! | `status` | `[not finite, step, micro-batch of it]`, written by [`Conclude`], read by the updates |
//! | `schedule` | a ring of `[learning rate, coefficients of the rule]` by step |
//! | `mixing` | a ring of the numbers by which mixup and cutmix mix, by micro-batch |
//! | `losses` | a ring of losses by step |
//! | `gradient_norms` | a ring of the gradient's norms by step, before clipping |
//! | `accumulated` | the mean of the gradients of a step's micro-batches, as far as they have come |
//! | `average.rates` | a ring of the rates at which the averaged copies move, by step |
//! | `tally` | losses and right answers that an evaluation adds up; `tally.batch` tells it the batch |
//! | `factors` | `[learning-rate factor, decay factor]` per block of parameters |
//! | `spans` | `[first block, blocks]` of each parameter whose norms the rule reads |
//! | `norms` | `[norm of the parameter, norm of its gradient]` per block, 0 where nobody reads |

mod accumulate;
mod augmenting;
mod clip;
mod conclude;
mod gather;
mod mix;
mod norm;
mod running_average;
mod tally;
mod update;
mod weight_average;

pub(crate) use accumulate::ACCUMULATED;
pub use accumulate::Accumulate;
pub use clip::Clip;
pub(crate) use clip::GRADIENT_NORMS;
pub use conclude::Conclude;
pub use gather::{Gather, GatherLabels, Stored};
pub use mix::{DrawMix, Mix, SelectRows};
pub(crate) use mix::{MIX_WORDS, MIXING_BUFFER};
pub use running_average::RunningAverage;
pub(crate) use tally::{BATCH_BUFFER, BATCH_WORDS, Counted, TALLY_BUFFER, TALLY_SUMS};
pub use tally::{CountAnswers, CountDecisions, SumLosses, TALLY_BATCHES};
pub use update::Update;
pub(crate) use update::{MOMENTS, factors_len};
pub(crate) use weight_average::AVERAGE_RATES;
pub use weight_average::WeightAverage;

/// Steps that the rings of losses and of learning rates hold.
pub const RING: usize = 1024;

/// Words of the buffer `status`.
pub(crate) const STATUS_WORDS: usize = 4;
