//! What a training keeps on the device beside data and parameters.

use super::mixing;
use super::model::{Model, arena_len};
use super::step::spans;
use super::trainer::Trainer;
use crate::error::Result;
use crate::graph::{BLOCK, Role};
use crate::ops::batch_norm::running_pairs;
use crate::ops::training::{
    AVERAGE_RATES, GRADIENT_NORMS, MIX_WORDS, MIXING_BUFFER, MOMENTS, RING, factors_len,
};
use crate::random::{STATE_BUFFER, state_words};
use crate::run::Memory;

/// The buffers through which the step's kernels work together, see [`crate::ops::training`].
pub(super) async fn upload(model: &Model, memory: &mut Memory, trainer: &Trainer) -> Result<()> {
    let device = &model.device;
    let state = state_words(trainer.seed, 0);
    memory.create_with(device, STATE_BUFFER, &state).await?;
    memory.create(device, "status", 4).await?;
    memory.create(device, "schedule", 4 * RING).await?;
    memory.create(device, "losses", RING).await?;
    if trainer.clip_norm.is_some() {
        memory.create(device, GRADIENT_NORMS, RING).await?;
    }
    if trainer.mixing.is_on() {
        let len = MIX_WORDS * mixing::ring(trainer);
        memory.create(device, MIXING_BUFFER, len).await?;
    }
    if trainer.average.is_some() {
        memory.create(device, AVERAGE_RATES, RING).await?;
    }
    let len = arena_len(&model.graph, Role::Weight.arena());
    let mut factors = vec![0.0_f32; factors_len(len)];
    for p in model.parameters().iter().filter(|p| p.is_trained()) {
        let first = p.offset / BLOCK;
        for block in first..first + p.layout.size().div_ceil(BLOCK) {
            factors[2 * block] = p.learning_rate_factor;
            factors[2 * block + 1] = p.decay_factor;
        }
    }
    memory.create_with(device, "factors", &factors).await?;
    for name in MOMENTS.iter().take(trainer.rule.moments()) {
        memory.create(device, name, len).await?;
    }
    let spans = spans(&model.graph, trainer.rule.norms());
    if !spans.is_empty() {
        memory
            .create_with(device, "spans", spans.as_flattened())
            .await?;
    }
    let len = arena_len(&model.graph, Role::Statistic.arena());
    let mut momentum = vec![0.0_f32; len / BLOCK];
    for pair in running_pairs(&model.graph) {
        let found = model.parameters().iter().find(|p| p.var == pair.running);
        if let Some(p) = found.filter(|p| !p.frozen) {
            let first = p.offset / BLOCK;
            momentum[first..first + p.layout.size().div_ceil(BLOCK)].fill(pair.momentum);
        }
    }
    memory
        .create_with(device, "statistics_momentum", &momentum)
        .await
}
