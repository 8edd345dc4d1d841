//! A recording as a table.

use std::fmt;

use super::{Command, Place, Range, Recording};

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Slot(slot) => write!(f, "slot {slot}")?,
            Place::Named(name) => write!(f, "{name}+{}", self.offset)?,
        }
        write!(f, "[{}]", self.len)
    }
}

/// Millions.
pub(super) fn mega(count: u64) -> f64 {
    count as f64 * 1e-6
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "   # {:32} {:24} {:>12} {:>10} {:>9} {:>9}  {:36} memory, written ->",
            "layer", "kernel", "workgroups", "MFLOP", "MB read", "written", "tile"
        )?;
        for (i, command) in self.commands.iter().enumerate() {
            let [x, y, z] = command.workgroups;
            write!(
                f,
                "{i:4} {:32} {:24} {:>12} {:10.3} {:9.3} {:9.3}  {:36}",
                command.node,
                command.shader.name,
                format!("{x}x{y}x{z}"),
                mega(command.flops),
                mega(command.bytes_read()),
                mega(command.bytes_written()),
                command.tile()
            )?;
            for (range, binding) in command.ranges.iter().zip(&command.shader.bindings) {
                let arrow = if binding.writes { "->" } else { "" };
                write!(f, " {arrow}{}={range}", binding.name)?;
            }
            writeln!(f)?;
        }
        let total = |amount: fn(&Command) -> u64| mega(self.commands.iter().map(amount).sum());
        writeln!(
            f,
            "{} dispatches of {:.3} MFLOP, {:.3} MB read, {:.3} MB written",
            self.commands.len(),
            total(|command| command.flops),
            total(Command::bytes_read),
            total(Command::bytes_written)
        )?;
        let bytes: usize = self.slots.iter().sum::<usize>() * 4;
        let values = self.values * 4;
        writeln!(
            f,
            "{bytes} bytes in {} slots, for values of {values} bytes",
            self.slots.len()
        )
    }
}
