//! Where the time of a step goes.

use std::fmt;

use super::{Command, Recording};

/// A measured dispatch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Timed {
    /// The layer, or layer and gradient operator.
    pub node: String,
    /// The shader.
    pub shader: &'static str,
    /// Its tile constants, such as `TILE_W=14 TILE_O=4`.
    pub tile: String,
    /// Device time.
    pub seconds: f64,
    /// Floating-point operations; counted at the first dispatch of a node.
    pub flops: u64,
    /// Bytes of all bound ranges.
    pub bytes: u64,
}

/// The device time of every dispatch of a step. Prints as a table, slowest first.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// In the order of computation.
    pub dispatches: Vec<Timed>,
}

impl Profile {
    pub(crate) fn new(recording: &Recording, seconds: &[f64]) -> Self {
        let timed = |(command, &seconds): (&Command, &f64)| Timed {
            node: command.node.clone(),
            shader: command.shader.name,
            tile: tile(command),
            seconds,
            flops: command.flops,
            bytes: command.ranges.iter().map(|r| 4 * r.len as u64).sum(),
        };
        Self {
            dispatches: recording.commands.iter().zip(seconds).map(timed).collect(),
        }
    }

    /// Device time of all dispatches together.
    pub fn seconds(&self) -> f64 {
        self.dispatches.iter().map(|d| d.seconds).sum()
    }
}

fn tile(command: &Command) -> String {
    let of_tile = |name: &str| name.starts_with("TILE") || name == "SPLITS";
    let defines = command.defines.iter().filter(|(name, _)| of_tile(name));
    let words: Vec<String> = defines.map(|(name, v)| format!("{name}={v}")).collect();
    words.join(" ")
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut order: Vec<&Timed> = self.dispatches.iter().collect();
        order.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        let total = self.seconds();
        writeln!(f, "      ms      %  GFLOP/s    GB/s  dispatch")?;
        for d in order {
            let rate = |amount: u64| amount as f64 / d.seconds.max(1e-9) * 1e-9;
            writeln!(
                f,
                "{:8.3} {:6.1} {:8.1} {:7.1}  {} {} {}",
                d.seconds * 1e3,
                100.0 * d.seconds / total,
                rate(d.flops),
                rate(d.bytes),
                d.node,
                d.shader,
                d.tile
            )?;
        }
        write!(
            f,
            "{:8.3} ms in {} dispatches",
            total * 1e3,
            self.dispatches.len()
        )
    }
}
