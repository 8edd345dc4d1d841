//! The lines between the comparison and an engine's program.
//!
//! The program is started as `<program> <workload> <batch>`. It prepares, takes one step, waits
//! for its device and prints [`READY`]. For every number on its standard input it takes as many
//! steps, waits for its device and prints [`DONE`], seconds and the last loss. It ends with its
//! input. Any other line is chatter of a library.

/// Printed after the first step.
pub const READY: &str = "@ready";

/// Printed after a block of steps, before its seconds and its last loss.
pub const DONE: &str = "@done";

/// A finished block of steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// By the engine's own clock, the wait for the device included.
    pub seconds: f64,
    /// Of the last step; 0 where there is no loss.
    pub loss: f32,
}

/// Reads a line that starts with [`DONE`].
pub fn parse_done(line: &str) -> Option<Block> {
    let mut words = line.strip_prefix(DONE)?.split_whitespace();
    Some(Block {
        seconds: words.next()?.parse().ok()?,
        loss: words.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_and_chatter_is_not() {
        let block = Block {
            seconds: 0.25,
            loss: 2.5,
        };
        assert_eq!(parse_done("@done 0.25 2.5"), Some(block));
        assert!(parse_done("@done 1 nan").is_some_and(|b| b.loss.is_nan()));
        assert_eq!(parse_done("@done 0.25"), None);
        assert_eq!(parse_done("done 0.25 2.5"), None);
    }
}
