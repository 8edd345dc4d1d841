//! Where the time of a step goes.

use std::fmt;

use super::layers::{LayerTime, by_layer};
use super::table::mega;
use super::{Command, Recording};

/// A measured dispatch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Timed {
    /// The layer, or layer and gradient operator.
    pub node: String,
    /// The shader.
    pub shader: &'static str,
    /// The choice of kernels, such as `register tile=1x14x4 parts=1`, or tile constants.
    pub tile: String,
    /// Device time; `None` where the adapter has no timestamps.
    pub seconds: Option<f64>,
    /// Its share of the node's floating-point operations.
    pub flops: u64,
    /// Bytes of the ranges that are bound for reading alone; a kernel may need less of them.
    pub bytes_read: u64,
    /// Bytes of the ranges that are bound for writing.
    pub bytes_written: u64,
}

/// The device time of every dispatch of a step. Prints as two tables, of dispatches and of layers,
/// slowest first.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// In the order of computation.
    pub dispatches: Vec<Timed>,
    /// Time of a whole step, from its submission until the device has done it.
    pub step_seconds: f64,
    /// How many steps were measured; times are medians.
    pub steps: usize,
}

impl Profile {
    /// From whole steps, and the time of each dispatch of each measured step.
    pub(crate) fn new(recording: &Recording, steps: &[f64], dispatches: &[Vec<f64>]) -> Self {
        let timed = |(index, command): (usize, &Command)| {
            let seconds = dispatches.iter().filter_map(|step| step.get(index));
            Timed {
                node: command.node.clone(),
                shader: command.shader.name,
                tile: command.tile(),
                seconds: median(seconds.copied().collect()),
                flops: command.flops,
                bytes_read: command.bytes_read(),
                bytes_written: command.bytes_written(),
            }
        };
        Self {
            dispatches: recording.commands.iter().enumerate().map(timed).collect(),
            step_seconds: median(steps.to_vec()).unwrap_or(0.0),
            steps: steps.len(),
        }
    }

    /// Device time of all dispatches together; `None` where the adapter has no timestamps.
    pub fn seconds(&self) -> Option<f64> {
        self.dispatches.iter().map(|d| d.seconds).sum()
    }

    /// Floating-point operations of all dispatches together.
    pub fn flops(&self) -> u64 {
        self.dispatches.iter().map(|d| d.flops).sum()
    }

    /// The dispatches of each layer together, its gradients included, in the order of computation.
    pub fn layers(&self) -> Vec<LayerTime> {
        by_layer(self)
    }
}

/// The lower one of an even number.
fn median(mut seconds: Vec<f64>) -> Option<f64> {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len().saturating_sub(1) / 2).copied()
}

/// A line of either table.
struct Line {
    seconds: Option<f64>,
    flops: u64,
    bytes: u64,
    what: String,
}

impl Profile {
    fn write_table(&self, f: &mut fmt::Formatter<'_>, mut lines: Vec<Line>) -> fmt::Result {
        let Some(total) = self.seconds() else {
            for line in &lines {
                let (flops, bytes) = (mega(line.flops), mega(line.bytes));
                writeln!(f, "{flops:10.3} {bytes:10.3}  {}", line.what)?;
            }
            return Ok(());
        };
        lines.sort_by(|a, b| {
            b.seconds
                .unwrap_or(0.0)
                .total_cmp(&a.seconds.unwrap_or(0.0))
        });
        for line in lines {
            let seconds = line.seconds.unwrap_or(0.0);
            let rate = |amount: u64| amount as f64 / seconds.max(1e-9) * 1e-9;
            writeln!(
                f,
                "{:9.3} {:6.1} {:9.1} {:8.1}  {}",
                seconds * 1e3,
                100.0 * seconds / total.max(1e-9),
                rate(line.flops),
                rate(line.bytes),
                line.what
            )?;
        }
        Ok(())
    }

    fn heading(&self) -> &'static str {
        match self.seconds() {
            Some(_) => "       ms      %   GFLOP/s     GB/s ",
            None => "     MFLOP         MB ",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} dispatch", self.heading())?;
        let dispatches = self.dispatches.iter().map(|d| Line {
            seconds: d.seconds,
            flops: d.flops,
            bytes: d.bytes_read + d.bytes_written,
            what: format!("{} {} {}", d.node, d.shader, d.tile)
                .trim_end()
                .to_owned(),
        });
        self.write_table(f, dispatches.collect())?;
        writeln!(f, "\n{} layer, with its gradients", self.heading())?;
        let layers = self.layers().into_iter().map(|layer| Line {
            seconds: layer.seconds,
            flops: layer.flops,
            bytes: layer.bytes_read + layer.bytes_written,
            what: match layer.dispatches {
                1 => format!("{} (1 dispatch)", layer.layer),
                count => format!("{} ({count} dispatches)", layer.layer),
            },
        });
        self.write_table(f, layers.collect())?;
        let count = self.dispatches.len();
        match self.seconds() {
            Some(seconds) => write!(f, "\n{:.3} ms in {count} dispatches; ", seconds * 1e3)?,
            None => write!(f, "\n{count} dispatches; the adapter has no timestamps; ")?,
        }
        write!(
            f,
            "a step takes {:.3} ms, {:.1} GFLOP/s (median of {})",
            self.step_seconds * 1e3,
            self.flops() as f64 / self.step_seconds.max(1e-9) * 1e-9,
            self.steps
        )
    }
}
