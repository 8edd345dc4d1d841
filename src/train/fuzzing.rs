//! Checkpoints of one small training, read as [`Model::load`](super::Model::load) and
//! [`Trainer::resume`](super::Trainer::resume) read them, up to where a device comes in.

use super::fit::saved::SavedLoop;
use super::training::restore::{Expected, Saved};
use super::weights::match_names;
use crate::checkpoint::{Container, Facts, LoadOptions};
use crate::error::Result;
use crate::graph::{Graph, Network};

/// A network of two parameters.
fn graph() -> Result<Graph> {
    let mut net = Network::input(2);
    net.linear(2);
    Ok(net.graph()?.0)
}

/// What a checkpoint of the training says it is of. The true facts hold checksums of texts that
/// may change with any version; the files kept for tests shall stay good.
fn identity() -> Facts {
    let mut facts = Facts::default();
    facts.set("network", "two parameters");
    facts.set("data", "four samples");
    facts
}

/// Buffers of the training, and their lengths.
const STATE: [(&str, usize); 2] = [("step", 8), ("moment0", 4)];

/// Reads weights.
pub(crate) fn weights(bytes: &[u8]) -> Result<()> {
    let container = Container::decode(bytes, "the buffer".to_owned())?;
    let graph = graph()?;
    let renamed = LoadOptions::new()
        .strict(false)
        .rename(|name| Some(name.strip_prefix("module.").unwrap_or(name).to_owned()))
        .except("*.bias");
    for options in [renamed, LoadOptions::new()] {
        let matched = match_names(graph.parameters(), &container, &options);
        if let Ok(matched) = &matched {
            for (name, values) in &matched.values {
                let found = graph.parameters().iter().find(|p| p.name == *name);
                assert_eq!(found.map(|p| p.shape.elements()), Some(values.len()));
            }
        }
        if options.strict {
            matched?;
        }
    }
    Ok(())
}

/// Reads a training. Hardly any change of a file has the right checksum, so it is not asked for
/// one: what lies behind must not rely on it.
pub(crate) fn training(bytes: &[u8]) -> Result<()> {
    let checked = Container::decode(bytes, "the buffer".to_owned());
    let container = Container::parse(bytes, "the buffer".to_owned());
    assert!(checked.is_err() || container.is_ok());
    let container = container?;
    let fit = SavedLoop::read(&container);
    if let Ok(fit) = &fit {
        assert!(fit.recorded <= fit.losses.len());
        assert!(fit.history.epochs().len() <= bytes.len());
    }
    let graph = graph()?;
    let expected = Expected {
        parameters: graph.parameters(),
        identity: identity(),
        state: STATE.map(|(name, len)| (name.to_owned(), len)).to_vec(),
        micro_batches: 2,
    };
    let saved = Saved::read(&container, &expected)?;
    assert!(saved.step < u64::from(u32::MAX));
    assert!(saved.weights.report.is_complete());
    let lengths = saved
        .state
        .iter()
        .map(|(name, words)| (name.as_str(), words.len()));
    assert!(lengths.eq(STATE));
    fit?;
    Ok(())
}
