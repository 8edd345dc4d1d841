//! The loop's own part of a checkpoint: the history, what early stopping has seen, and the losses of
//! an epoch that is not complete.

use super::FitState;
use super::early_stopping::{Best, Watcher};
use crate::checkpoint::{self, Container, Extra, Tensor};
use crate::error::Result;
use crate::report::History;

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
            self.training.restore(&container).await?;
            self.restore(&container)?;
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

    /// The loop's own part. One that [`Training::save`](crate::train::Training::save) wrote has
    /// none.
    fn restore(&mut self, container: &Container<'_>) -> Result<()> {
        let fact = |name: &str| container.fact(name);
        let history = container.tensor(HISTORY).and_then(|view| {
            let text = std::str::from_utf8(view.data()).ok()?;
            History::from_json_lines(text).ok()
        });
        self.run.history = history.unwrap_or_default();
        self.best = fact(BEST_FIGURE).and_then(number).unwrap_or(f64::INFINITY);
        self.losses = floats(container, LOSSES).unwrap_or_default();
        let recorded = fact(RECORDED).and_then(|text| text.parse().ok());
        self.recorded = self.losses.len().min(recorded.unwrap_or(0));
        if let (Some(watcher), Some(text)) = (&mut self.watcher, fact(EARLY_STOPPING)) {
            watcher.restore_from(text, &self.run.history, container)?;
        }
        Ok(())
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

    /// What [`Watcher::to_text`] wrote, with the best weights if they are wanted and there.
    fn restore_from(
        &mut self,
        text: &str,
        history: &History,
        container: &Container<'_>,
    ) -> Result<()> {
        let words: Vec<&str> = text.split(' ').collect();
        let [reference, bad, figure, step] = words[..] else {
            return Ok(());
        };
        self.reference = number(reference).unwrap_or(f64::INFINITY);
        self.bad = bad.parse().unwrap_or(0);
        let step = step.parse::<u64>().ok();
        let record = history
            .epochs()
            .iter()
            .find(|record| Some(record.step) == step);
        let (Some(figure), Some(record)) = (number(figure), record) else {
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
            record: *record,
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
