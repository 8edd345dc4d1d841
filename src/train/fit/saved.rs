//! The loop's own part of a checkpoint: the history, what early stopping has seen, and the losses of
//! an epoch that is not complete.

use super::FitState;
use super::early_stopping::{Best, Watcher};
use crate::checkpoint::{self, CheckpointError, Container, Extra, Tensor};
use crate::error::Result;
use crate::report::{Epoch, History};

const RECORDED: &str = "fit.recorded";
const BEST_FIGURE: &str = "fit.best";
const EARLY_STOPPING: &str = "fit.early_stopping";
/// The names of tensors begin as those of a training's other tensors.
const HISTORY: &str = "training/fit.history";
const LOSSES: &str = "training/fit.losses";
const BEST: &str = "training/fit.best/";

impl FitState<'_> {
    /// A checkpoint, with the figure by which checkpoints are compared.
    pub(super) async fn encode(&mut self, figure: Option<f64>) -> Result<Vec<u8>> {
        self.read_losses().await?;
        self.clock.pause(self.steps());
        let mut extra = Extra::with_figure(figure);
        extra.fact(RECORDED, self.recorded);
        extra.fact(BEST_FIGURE, bits(self.best));
        let losses = Tensor::f32(LOSSES, &[self.losses.len()], &self.losses);
        extra.tensors.push(losses);
        let history = self.run.history.to_json_lines();
        extra.tensors.push(Tensor::text(HISTORY, history));
        if let Some(watcher) = &self.watcher {
            extra.fact(EARLY_STOPPING, watcher.to_text());
            if let (Some(weights), Some(_)) = (&watcher.weights, &watcher.best) {
                for mut tensor in weights.tensors().await? {
                    tensor.name.insert_str(0, BEST);
                    extra.tensors.push(tensor);
                }
            }
        }
        self.training.encode(extra).await
    }

    /// Writes a checkpoint, if any are kept.
    pub(super) async fn save_checkpoint(&mut self) -> Result<()> {
        let Some((checkpoints, _)) = &self.trainer.checkpoints else {
            return Ok(());
        };
        let last = self.run.history.last();
        let validated = last.filter(|record| record.step == self.steps());
        let figure = match (validated, &self.run.evaluation) {
            (Some(record), Some(evaluation)) if record.test_loss.is_some() => {
                Some(self.monitor().figure(evaluation))
            }
            _ => None,
        };
        let bytes = self.encode(figure).await?;
        self.run.checkpoint = Some(checkpoints.put(self.steps(), &bytes, figure)?);
        self.saved = Some(self.steps());
        Ok(())
    }

    /// Goes on from the last good checkpoint, if there is one. Newer ones that are damaged are put
    /// aside.
    pub(super) async fn go_on(&mut self) -> Result<()> {
        let Some((checkpoints, _)) = &self.trainer.checkpoints else {
            return Ok(());
        };
        let mut damaged = Vec::new();
        for path in checkpoints.newest_first()? {
            let bytes = checkpoint::read(&path)?;
            let container = match Container::decode(&bytes, path.display().to_string()) {
                Ok(container) => container,
                Err(error) => {
                    damaged.push((path, error));
                    continue;
                }
            };
            let training = self.training.read_saved(&container)?;
            let of_the_loop = SavedLoop::read(&container)?;
            self.training.restore(training, &container).await?;
            self.restore(of_the_loop, &container)?;
            for (path, _) in damaged {
                checkpoints.put_aside(&path)?;
            }
            self.run.resumed = Some(self.steps());
            self.run.checkpoint = Some(path);
            self.saved = self.run.resumed;
            self.progress.go_to(self.steps());
            return Ok(());
        }
        match damaged.into_iter().next() {
            Some((_, error)) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// The loop's own part.
    fn restore(&mut self, saved: SavedLoop, container: &Container<'_>) -> Result<()> {
        self.run.history = saved.history;
        self.best = saved.best;
        self.losses = saved.losses;
        self.recorded = saved.recorded;
        if let (Some(watcher), Some(seen)) = (&mut self.watcher, saved.seen) {
            watcher.restore_from(seen, container)?;
        }
        Ok(())
    }
}

/// The loop's own part as a checkpoint has it. One that
/// [`Training::save`](crate::train::Training::save) wrote has none, and gives a new loop's.
#[derive(Debug)]
pub(in crate::train) struct SavedLoop {
    pub(in crate::train) history: History,
    best: f64,
    pub(in crate::train) losses: Vec<f32>,
    pub(in crate::train) recorded: usize,
    seen: Option<Seen>,
}

/// What a [`Watcher`] has seen.
#[derive(Debug)]
struct Seen {
    reference: f64,
    bad: u32,
    best: Option<(f64, Epoch)>,
}

impl SavedLoop {
    /// What is not there is a new loop's; what is there and cannot be read was written by another
    /// version, and is an error rather than lost without a word.
    pub(in crate::train) fn read(container: &Container<'_>) -> Result<Self, CheckpointError> {
        let unreadable = |what, reason: String| CheckpointError::Unreadable {
            file: container.file.clone(),
            what,
            reason,
        };
        let history = match container.tensor(HISTORY) {
            Some(view) => std::str::from_utf8(view.data())
                .map_err(|error| error.to_string())
                .and_then(|text| History::from_json_lines(text).map_err(|error| error.to_string()))
                .map_err(|reason| unreadable("history", reason))?,
            None => History::default(),
        };
        let seen = container.fact(EARLY_STOPPING).map(|text| {
            let seen = Seen::parse(text, &history);
            seen.ok_or_else(|| unreadable("record of early stopping", format!("`{text}`")))
        });
        let recorded = container.fact(RECORDED).and_then(|text| text.parse().ok());
        let losses = floats(container, LOSSES).unwrap_or_default();
        Ok(Self {
            best: container
                .fact(BEST_FIGURE)
                .and_then(number)
                .unwrap_or(f64::INFINITY),
            recorded: losses.len().min(recorded.unwrap_or(0)),
            losses,
            seen: seen.transpose()?,
            history,
        })
    }
}

impl Seen {
    /// What [`Watcher::to_text`] wrote, in a training of this history.
    fn parse(text: &str, history: &History) -> Option<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        let [reference, bad, figure, step] = words[..] else {
            return None;
        };
        let step: u64 = step.parse().ok()?;
        let mut records = history.epochs().iter();
        let record = records.find(|record| record.step == step);
        Some(Self {
            reference: number(reference)?,
            bad: bad.parse().ok()?,
            best: Some(number(figure)?).zip(record.copied()),
        })
    }
}

impl Watcher {
    /// What was seen, every bit kept: the reference, the count, and figure and step of the best.
    fn to_text(&self) -> String {
        let best = self.best.as_ref();
        let (figure, step) = best.map_or((f64::NAN, 0), |best| (best.figure, best.record.step));
        let (reference, figure) = (bits(self.reference), bits(figure));
        format!("{reference} {} {figure} {step}", self.bad)
    }

    /// Goes on from what was seen, with the best weights if they are wanted and there.
    fn restore_from(&mut self, seen: Seen, container: &Container<'_>) -> Result<()> {
        (self.reference, self.bad) = (seen.reference, seen.bad);
        let Some((figure, record)) = seen.best else {
            return Ok(());
        };
        if let Some(weights) = &mut self.weights {
            let names: Vec<String> = weights
                .parameters()
                .iter()
                .map(|p| p.name.clone())
                .collect();
            for name in names {
                let Some(values) = floats(container, &format!("{BEST}{name}")) else {
                    // Not kept when the checkpoint was made: the best is sought from here on.
                    return Ok(());
                };
                weights.set_parameter(&name, &values)?;
            }
        }
        self.best = Some(Best {
            figure,
            record,
            evaluation: None,
        });
        Ok(())
    }
}

/// A tensor of the loop's own.
fn floats(container: &Container<'_>, name: &str) -> Option<Vec<f32>> {
    let view = container.tensor(name)?;
    let (words, _) = view.data().as_chunks::<4>();
    Some(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
}

/// The bits of a number as a text.
fn bits(number: f64) -> String {
    format!("{:x}", number.to_bits())
}

/// What [`bits`] wrote.
fn number(text: &str) -> Option<f64> {
    u64::from_str_radix(text, 16).ok().map(f64::from_bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::{Facts, encode};

    fn read(history: &str, early_stopping: &str) -> Result<SavedLoop, CheckpointError> {
        let mut facts = Facts::default();
        facts.set(EARLY_STOPPING, early_stopping);
        let bytes = encode(&[Tensor::text(HISTORY, history.to_owned())], facts).unwrap();
        SavedLoop::read(&Container::decode(&bytes, "a.safetensors".to_owned())?)
    }

    /// As versions before the speed was recorded wrote them.
    #[test]
    fn what_another_version_wrote_is_refused_not_dropped() {
        let record = Epoch {
            epoch: 1,
            step: 9,
            ..Epoch::default()
        };
        let history = [record].into_iter().collect::<History>().to_json_lines();
        let seen = format!("{} 3 {} 9", bits(0.5), bits(0.25));
        let good = read(&history, &seen).unwrap();
        assert_eq!(good.history.epochs(), [record]);
        let best = good.seen.unwrap().best;
        assert_eq!(best, Some((0.25, record)));

        let error = |history: &str, seen: &str| read(history, seen).unwrap_err().to_string();
        assert_eq!(
            error(&history.replace(",\"images_per_second\":0.0", ""), &seen),
            "a.safetensors has a history that this version cannot read: history, line 1: \
             `images_per_second` is null, not a number; \
             `Trainer::resume` goes on without it"
        );
        assert!(error(&history, "0.5").contains("early stopping"));
    }
}
