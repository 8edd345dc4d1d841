//! The losses of the last steps while further ones are computed.

use super::{IN_FLIGHT, Training};
use crate::error::Result;
use crate::ops::training::RING;
use crate::run::ReadBack;

/// Losses on their way to the host.
#[derive(Debug)]
pub(super) struct Glimpse {
    /// Steps that had been submitted when they were asked for.
    step: u64,
    losses: ReadBack,
}

impl Training<'_> {
    /// The losses of steps that were not read yet, as they were some steps ago. The first call asks
    /// for them; the device has surely sent them when it is known to have computed a later
    /// submission, and so nobody waits. `None` until then.
    pub(in crate::train) async fn glimpse(&mut self) -> Result<Option<Vec<f32>>> {
        if self.step == self.read {
            return Ok(None);
        }
        let device = &self.model.device;
        let Some(asked) = &self.glimpse else {
            let (step, losses) = (self.step, self.memory.fetch(device, "losses", 0, RING)?);
            self.glimpse = Some(Glimpse { step, losses });
            return Ok(None);
        };
        let submitted_since = (self.step - asked.step) * self.trainer.micro_batches as u64;
        if submitted_since <= IN_FLIGHT as u64 {
            return Ok(None);
        }
        let Some(Glimpse { step, losses }) = self.glimpse.take() else {
            return Ok(None);
        };
        let ring: Vec<f32> = losses.receive(device).await?;
        let unread = self.read..step;
        Ok(Some(
            unread
                .map(|step| ring[(step % RING as u64) as usize])
                .collect(),
        ))
    }

    /// How many steps the device has computed, at least.
    pub(in crate::train) fn computed_steps(&self) -> u64 {
        let waiting = self.in_flight.len().div_ceil(self.trainer.micro_batches);
        self.step - waiting as u64
    }
}
