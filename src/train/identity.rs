//! What a training is of, so that a checkpoint goes on with nothing else.

use std::fmt::{Debug, Write};

use super::trainer::Trainer;
use crate::checkpoint::{CheckpointError, Container, Facts};
use crate::data::{Dataset, Targets};
use crate::graph::Graph;

/// Facts that a checkpoint and the training that goes on with it must share, with what they are
/// called in an error; the telling ones first.
const SHARED: [(&str, &str); 11] = [
    ("network", "network"),
    ("data", "data set"),
    ("batch_size", "batch size"),
    ("micro_batches", "number of micro-batches"),
    ("loss", "loss"),
    ("mixing", "mixing of samples"),
    ("augment", "augmentation of images"),
    ("rule", "update rule"),
    ("seed", "seed"),
    ("shuffle", "shuffling"),
    (
        "factors",
        "set of learning-rate factors and frozen parameters",
    ),
];

/// The facts of a training. Learning rate, schedule and the rule's constants are not among them:
/// who changes those wants it.
pub(super) fn identify(graph: &Graph, trainer: &Trainer, data: &Dataset, batch: usize) -> Facts {
    let mut facts = Facts::new();
    facts.set("network", network(graph));
    facts.set("factors", factors(graph));
    facts.set("data", format!("{} samples, {}", data.len(), dataset(data)));
    facts.set("batch_size", batch);
    facts.set("micro_batches", trainer.micro_batches);
    facts.set("loss", line(&trainer.loss));
    facts.set("mixing", line(&trainer.mixing));
    facts.set("augment", line(&trainer.augment));
    facts.set("rule", trainer.rule.name());
    facts.set("seed", trainer.seed);
    facts.set("shuffle", if trainer.shuffle { "on" } else { "off" });
    facts
}

/// Refuses a checkpoint of another training.
pub(super) fn compare(container: &Container<'_>, now: &Facts) -> Result<(), CheckpointError> {
    for (fact, what) in SHARED {
        let (saved, now) = (container.fact(fact), now.get(fact));
        if saved != now {
            let told = |value: Option<&str>| value.unwrap_or("nothing").to_owned();
            let mut saved = told(saved);
            let version = container.fact("version").unwrap_or("unknown");
            if version != env!("CARGO_PKG_VERSION") {
                // The checksums are of texts that another version may write otherwise.
                let _ = write!(saved, " (written by version {version})");
            }
            return Err(CheckpointError::Different {
                file: container.file.clone(),
                what,
                saved,
                now: told(now),
            });
        }
    }
    Ok(())
}

/// A value's `Debug` text on one line.
fn line(value: &impl Debug) -> String {
    format!("{value:?}").replace('\n', " ")
}

/// A checksum that text and bytes flow into.
struct Digest(flate2::Crc);

impl Digest {
    fn new() -> Self {
        Self(flate2::Crc::new())
    }

    fn text(&mut self, text: &str) {
        self.0.update(text.as_bytes());
        self.0.update(&[0]);
    }

    fn finish(self) -> String {
        format!("{:08x}", self.0.sum())
    }
}

/// Every layer with its attributes and connections, every parameter with its shape and its order
/// on the device.
fn network(graph: &Graph) -> String {
    let mut digest = Digest::new();
    for node in graph.nodes() {
        let operands = (&node.inputs, &node.outputs);
        digest.text(&format!("{} {:?} {operands:?}", node.name, node.operator));
    }
    for value in graph.values() {
        digest.text(&format!("{} {:?}", value.name, value.value_type));
    }
    for p in graph.parameters() {
        digest.text(&format!("{} {:?} {}", p.name, p.role, p.offset));
    }
    let (layers, parameters) = (graph.nodes().len(), graph.parameters().len());
    let digest = digest.finish();
    format!("{layers} layers with {parameters} parameters, {digest}")
}

/// How the parameters are trained.
fn factors(graph: &Graph) -> String {
    let mut digest = Digest::new();
    for p in graph.parameters() {
        let factors = (p.learning_rate_factor, p.decay_factor, p.frozen);
        digest.text(&format!("{factors:?}"));
    }
    let frozen = graph.parameters().iter().filter(|p| p.frozen).count();
    format!("{frozen} frozen, {}", digest.finish())
}

/// Samples, answers, and how they are scaled.
fn dataset(data: &Dataset) -> String {
    let mut digest = Digest::new();
    digest.text(&format!("{:?} {:?}", data.shape(), data.normalisation()));
    if let Some(scale) = data.scale() {
        digest.text(&format!("{scale}"));
    }
    digest.0.combine(&data.digest());
    match data.targets() {
        Targets::Labels { labels, classes } => {
            digest.text(&format!("{}", classes.len()));
            digest.0.update(bytemuck::cast_slice(labels));
        }
        Targets::Values { shape, values } => {
            digest.text(&format!("{shape:?}"));
            digest.0.update(bytemuck::cast_slice(values));
        }
    }
    digest.finish()
}
